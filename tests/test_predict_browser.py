"""predict() and exercise() in a real JupyterLab in a real browser, by keyboard, with widget callbacks in threads."""
import json

import pytest
from browser import lab, until
from chapters import ROOT, sources
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

SET_UP = """
import os
os.environ["IPCLAB_STATE"] = {state!r}
from ipclab import exercise, name, predict, predictions

def read_from_pipe(data=b"hello", forget=False):
    r, w = os.pipe()
    os.write(w, data)
    if not forget:
        os.close(w)
    print(os.read(r, 5), os.read(r, 5))
"""
PREDICT = """
predict("What does the first `read()` return?", {
    b"": ("Nothing.", "You thought of a terminal."), b"hello": ("`hello`", "You counted."), 7: "seven"},
    lambda trace: trace.calls("os.read")[0].result, read_from_pipe, timeout=0.5MORE)
"""
EXERCISE = """
exercise(read_from_pipe, [({}, b"b'hello' b''\\n"), ({"data": b"abcdef"}, b"b'abcde' b'f'\\n"),
                          ({"forget": True}, b"")],
         lambda trace: trace.stdout, ["Look at `w`.", "Close it."], timeout=0.3)
"""
OPTION, FIELD, BUTTON = ".ipclab-ballot .ipclab-option", ".ipclab-ballot input[type=text]", ".ipclab-ballot button"
HANDS, TUTOR = ".ipclab-ballot input[type=number]", ".ipclab-tutor button"


@pytest.fixture(scope="module")
def browser():
    with lab() as page:
        yield page


@pytest.fixture
def page(browser, tmp_path):
    browser.state = tmp_path / "state"
    browser.begin = lambda *cells: browser.open(SET_UP.format(state=str(browser.state)), *cells)
    return browser


def text(page, selector=".ipclab-ballot"):
    return page.js("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')", selector)


def seen(page, words, selector=".ipclab-ballot"):
    until(lambda: words in text(page, selector), f"{words!r} to be seen in {text(page, selector)!r}")


def kept(page):
    [answer] = json.loads((page.state / "answers.json").read_text())["predictions"].values()
    return answer["answer"], answer["right"]


def focused(page):
    return page.js("return document.activeElement.innerText")


def ask(page, more=""):
    page.begin(PREDICT.replace("MORE", more))
    until(lambda: len(page.all(OPTION)) == 3, "three options")


def press(page, label, selector=BUTTON):
    """The button of that text, by keyboard."""
    page.focus(selector, text_of_all(page, selector).index(label))
    page.keys(Keys.SPACE)


def text_of_all(page, selector):
    return page.js("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)


def test_a_wrong_answer_is_told_its_idea_and_shown_the_run(page):
    ask(page)
    assert not page.all(".ipclab-ballot svg") and "terminal" not in text(page)
    page.focus(OPTION)
    page.keys(Keys.SPACE)
    seen(page, "✘ Not as you predicted. What the run did: 2. hello")
    seen(page, "You thought of a terminal.")
    until(lambda: page.all(".ipclab-ballot svg"), "the timeline")
    marked = ["✘ 1. Nothing. (your answer)", "✔ 2. hello", "3. seven"]
    until(lambda: text_of_all(page, OPTION) == marked, "marks on the options")
    assert focused(page).startswith("✘ 1."), "the keyboard has lost its place"
    assert kept(page) == ("Nothing.", False)


def asked_again(page):
    """Presses the button while it is there: what is drawn meanwhile may take the focus from under the key."""
    if "Answer again" in text_of_all(page, BUTTON):
        press(page, "Answer again")
    return "predicted" not in text(page)


def test_the_first_answer_counts_until_it_is_given_again(page):
    ask(page)
    page.focus(OPTION)
    page.keys(Keys.TAB, Keys.ENTER)
    seen(page, "✔ As you predicted.")
    until(lambda: page.all(".ipclab-ballot svg"), "the timeline")
    page.keys(Keys.TAB, Keys.SPACE)
    until(lambda: asked_again(page), "the question as it was")
    seen(page, "\n3. seven")
    page.focus(OPTION, 2)
    page.keys(Keys.SPACE)
    seen(page, "✘ 3. seven (your answer)")
    assert kept(page) == ("seven", False)


def test_a_number_can_be_typed(page):
    ask(page)
    page.focus(FIELD)
    page.keys("4", Keys.ENTER)
    seen(page, "Type one of the numbers 1 to 3.")
    page.keys(Keys.BACKSPACE, "2", Keys.ENTER)
    seen(page, "✔ As you predicted.")
    assert kept(page) == ("`hello`", True)


def test_the_way_from_the_cell_to_the_options_is_tab(page):
    ask(page)
    page.js("""const book = window.jupyterapp.shell.currentWidget.content;
               book.activeCellIndex = 1; book.mode = 'command'; book.activeCell.node.focus();""")
    for _ in range(5):
        if focused(page).startswith("1."):
            break
        page.keys(Keys.TAB)
    assert focused(page) == "1. Nothing."


def test_an_answer_is_there_in_the_next_session(page):
    ask(page)
    page.focus(OPTION)
    page.keys(Keys.SPACE)
    seen(page, "✘ Not as you predicted.")
    ask(page)
    seen(page, "✘ 1. Nothing. (your answer)")
    page.begin(PREDICT.replace("MORE", ""), "predictions()")
    seen(page, "✘ You predicted: Nothing.", ".ipclab-answers")


def test_a_run_that_contradicts_every_option_says_so(page):
    ask(page, ", data=b'other'")
    page.focus(OPTION)
    page.keys(Keys.SPACE)
    seen(page, "This run contradicts every option. What came out: b'other'")


def test_an_answer_that_cannot_be_kept_is_told_and_the_question_goes_on(page):
    page.state.write_text("a file, and no folder")
    ask(page)
    page.focus(OPTION, 1)
    page.keys(Keys.SPACE)
    seen(page, "This could not be kept in your file")
    seen(page, "✔ As you predicted.")


def test_in_a_lecture_hands_are_counted_and_then_it_is_revealed(page):
    ask(page)
    press(page, "Lecture: count hands")
    until(lambda: all(hand.is_displayed() for hand in page.all(HANDS)), "a field for each option")
    page.focus(HANDS)
    page.keys(Keys.DELETE, Keys.DELETE, "12", Keys.TAB, Keys.ARROW_UP)
    seen(page, "12 hands")
    seen(page, "1 hand\n")
    assert "✔" not in text(page) and not page.all(".ipclab-ballot svg")
    page.keys(Keys.TAB, Keys.TAB, Keys.SPACE)
    seen(page, "✔ 2. hello")
    seen(page, "What the run did: 2. hello")
    until(lambda: page.all(".ipclab-ballot svg"), "the timeline")
    assert not (page.state / "answers.json").exists(), "a lecture is nobody's answer"


def test_the_projector_counts_hands_in_letters_for_the_back_row(page):
    ask(page, ", look='projector'")
    assert all(hand.is_displayed() for hand in page.all(HANDS))
    press(page, "Reveal")
    until(lambda: page.all(".ipclab-ballot svg"), "the timeline")
    sizes = page.js("""return [...document.querySelectorAll('.ipclab-ballot *')].filter(e => e.checkVisibility() &&
        !e.closest('svg') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.tagName === 'INPUT')
        .map(e => parseFloat(getComputedStyle(e).fontSize))""")
    assert min(sizes) >= 720 / 40, sizes


def test_an_exercise_is_told_hinted_and_solved(page):
    page.begin(EXERCISE)
    seen(page, "✘ Not yet. Case 3 of 3: forget=True", ".ipclab-tutor")
    seen(page, "the other end is held open by parent (fd 4)", ".ipclab-tutor")
    assert len(page.all(".ipclab-tutor svg")) == 1
    press(page, "Hint 1 of 2", TUTOR)
    seen(page, "Look at w.", ".ipclab-tutor")
    assert "Close it." not in text(page, ".ipclab-tutor")
    page.keys(Keys.SPACE)
    seen(page, "Close it.", ".ipclab-tutor")
    until(lambda: focused(page) == "No more hints", "a button that knows of no more")
    page.keys(Keys.TAB, Keys.SPACE)
    seen(page, "The solution opens when you have changed the program", ".ipclab-tutor")


def test_the_solution_opens_after_an_attempt(page):
    chapter = sources(ROOT / "notebooks" / "01_anonymous_pipe.ipynb")
    given, check = chapter["share"], chapter["share-exercise"]
    page.begin(given, check, given.replace("os.close(w)  ", "pass  "), check)
    until(lambda: len(page.all(TUTOR)) == 4, "both checks")
    page.focus(TUTOR, 3)
    page.keys(Keys.SPACE)
    seen(page, "def share_work(workers=2):", ".ipclab-tutor pre")
    assert focused(page) == "Solution"
