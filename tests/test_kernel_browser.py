"""What the kernel says, in a real browser: by keyboard, ten times a second, and nothing jumps."""
import pytest
from browser import lab, until
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

EXPERIMENT = """
import os, time
from ipclab import explore, name

def reads(n=1):
    pipes = [os.pipe() for _ in range(12)]
    r, w = os.pipe()
    if os.fork() == 0:
        name("sleeper")
        time.sleep(40)
        os._exit(0)
    name("reader")
    os.read(r, n)

explore(reads, n=[1, 2], timeout=40)
"""


@pytest.fixture(scope="module")
def page():
    with lab() as page:
        page.open(EXPERIMENT)
        yield page


def said(page):
    return page.js("return document.querySelector('.ipclab-kernel').innerText")


def test_it_opens_by_keyboard_and_follows_and_moves_nothing(page):
    assert not said(page).strip()
    page.js("[...document.querySelectorAll('.ipclab button')].find(b => b.innerText.includes('kernel')).focus()")
    page.keys(Keys.SPACE)
    until(lambda: "after the start" in said(page) and "read(" in said(page), "what the kernel says")
    page.js("""window.heads = new Set(); window.bottoms = new Set();
        const box = document.querySelector('.ipclab-kernel');
        box.focus(); box.scrollTop = 120;
        new MutationObserver(() => {
            heads.add(box.innerText.split('\\n')[0]);
            bottoms.add(Math.round(box.getBoundingClientRect().bottom));
        }).observe(box, {childList: true, subtree: true})""")
    until(lambda: page.js("return heads.size") >= 10, "ten more looks")
    bottoms, top, focused = page.js("""const box = document.querySelector('.ipclab-kernel');
        return [bottoms.size, box.scrollTop, document.activeElement === box]""")
    assert bottoms == 1 and top == 120 and focused
