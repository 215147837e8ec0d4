"""explore() in a real JupyterLab in a real browser, by keyboard, with the course's settings and with JupyterLab's own.

By JupyterLab's own defaults widget callbacks run in threads, by the course's settings they do not.
Nothing here depends on how fast the machine is: bench/bench_browser.py measures that.
"""
import pytest
from browser import lab, until
from pipe_cell import EXPERIMENT
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

CELLS = (EXPERIMENT + "import threading, ipywidgets", """
explorer = explore(read_from_pipe, blocking=[True, False], n=(1, 60), delay=(0.0, 2.0, 1.0))
explorer
""", """
thread = ipywidgets.Label()
thread.add_class("thread")
explorer.controls["n"].observe(lambda _: setattr(thread, "value", threading.current_thread().name), "value")
thread
""")
PICTURE, HANDLE, BUTTON = ".ipclab-picture", ".ipclab .noUi-handle", ".ipclab button"
TRUE, FALSE, BACK, ON, STORY, CODE, DATA = range(7)  # the buttons, in order
N, DELAY, STEP = range(3)  # the sliders' handles, in order


@pytest.fixture(scope="module", params=["course", "defaults"])
def page(request):
    with lab(course=request.param == "course") as page:
        page.open(*CELLS)
        until(lambda: picture(page), "the first picture")
        page.js("document.querySelector('.ipclab').scrollIntoView()")
        page.threads = request.param == "defaults"
        yield page


@pytest.fixture(autouse=True)
def at_the_start(page):
    """Each test begins with the sliders at n=1 and delay=0, blocking, all parts folded, and no run going on."""
    page.watch(PICTURE)
    for handle in (N, DELAY, STEP):
        page.focus(HANDLE, handle)
        page.keys(Keys.HOME)
    for button in (STORY, CODE, DATA):
        if "▾" in texts(page, BUTTON)[button]:
            push(page, button)
    push(page, TRUE)
    until(lambda: "sleep(0.0)" in picture(page) and wrote(page, 1) and "set_blocking(3, True)" in picture(page)
          and "step" not in picture(page), "the picture of the start")


def picture(page):
    """The text of the picture, hover texts included; empty where there is none."""
    return page.js("return document.querySelector(arguments[0] + ' svg')?.textContent ?? ''", PICTURE)


def texts(page, selector):
    return page.js("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)


def wrote(page, n):
    """Does the picture show a run to its end in which n bytes were written?"""
    return f"→ {n}\n" in picture(page) + "\n" or f"os.write(4, b'{'x' * n}')" in picture(page)


def push(page, button):
    """A button by keyboard."""
    page.focus(BUTTON, button)
    page.keys(Keys.SPACE)


def slide(page, handle, *keys):
    page.focus(HANDLE, handle)
    page.keys(*keys)


def test_an_arrow_key_changes_the_picture(page):
    slide(page, N, Keys.ARROW_RIGHT)
    until(lambda: wrote(page, 2), "the picture of n=2")


def test_a_button_changes_the_picture(page):
    page.focus(BUTTON, TRUE)
    page.keys(Keys.TAB, Keys.SPACE)
    until(lambda: "set_blocking(3, False)" in picture(page), "the picture of blocking=False")


def test_callbacks_run_where_they_were_meant_to(page):
    for _ in range(3):
        slide(page, N, Keys.ARROW_RIGHT)
        page.press(Keys.ARROW_RIGHT)
    name = "subshell" if page.threads else "MainThread"
    until(lambda: texts(page, ".thread")[0].startswith(name), f"a callback in {name}")


def test_the_last_of_quick_changes_wins(page):
    slide(page, N, *[Keys.ARROW_RIGHT] * 25, *[Keys.ARROW_LEFT] * 5)
    until(lambda: wrote(page, 21), "the picture of n=21")
    assert texts(page, ".ipclab .widget-readout")[N] == "21"


def test_a_change_ends_the_run_that_was_going_on(page):
    slide(page, DELAY, Keys.END)
    until(lambda: "sleep(2.0)" in picture(page), "the run of two seconds to be drawn while it goes")
    assert "exit 0" not in picture(page)
    slide(page, DELAY, Keys.HOME)
    until(lambda: "sleep(0.0)" in picture(page) and "exit 0" in picture(page), "the picture of the last change", 1.9)


def test_a_long_run_is_drawn_while_it_goes(page):
    slide(page, DELAY, Keys.END)
    until(lambda: "sleep(2.0)" in picture(page) and "exit 0" in picture(page), "the run's end")
    seen = page.seen()
    drawn = [at for at in seen["drawn"] if at > seen["keys"][-1]]
    assert len(drawn) >= 12, "ten a second were meant, and this is far below"


def test_no_frame_is_without_a_picture_and_the_page_stays_put(page):
    page.watch(PICTURE)
    for k in range(30):
        slide(page, N, Keys.ARROW_RIGHT)
        until(lambda n=k + 2: wrote(page, n), f"the picture of n={k + 2}")
    frames = page.seen()["frames"]
    assert len(frames) > 30 and {pictures for _at, pictures, _bottom in frames} == {1}
    assert len({round(bottom) for _at, _pictures, bottom in frames}) == 1, "what stands below moved"


def test_steps_go_by_keyboard(page):
    push(page, ON)
    until(lambda: "step 1 of " in picture(page), "the first step")
    slide(page, STEP, Keys.ARROW_RIGHT)
    until(lambda: "step 2 of " in picture(page), "the second step")
    until(lambda: "os.set_blocking(r, blocking)" in texts(page, ".ipclab-words")[0], "its line of the source")
    push(page, BACK)
    until(lambda: "step 1 of " in picture(page), "the first step again")
    slide(page, N, Keys.ARROW_RIGHT)
    until(lambda: wrote(page, 2) and "step 1 of " not in picture(page), "the whole picture after a change")


def test_folded_parts_open_by_keyboard_and_follow(page):
    parts = texts(page, ".ipclab-part")
    assert parts == ["", "", ""], "what is folded costs nothing"
    for button in (STORY, CODE, DATA):
        push(page, button)
    until(lambda: all(texts(page, ".ipclab-part")), "all parts to open")
    story, code, data = texts(page, ".ipclab-part")
    assert "writer" in story and "def read_from_pipe" in code and "os.pipe()" in data
    push(page, ON)
    until(lambda: texts(page, ".ipclab mark"), "a line to be lit up")
    assert "r, w = os.pipe()" in texts(page, ".ipclab mark")[0]
    until(lambda: "os.pipe()" in "".join(texts(page, ".ipclab tr.now")), "a row to be lit up")


def test_the_focus_stays_where_the_keys_are(page):
    slide(page, N, *[Keys.ARROW_RIGHT] * 3)
    until(lambda: wrote(page, 4), "the picture of n=4")
    page.keys(Keys.ARROW_RIGHT)
    until(lambda: wrote(page, 5), "the next, without a click")
