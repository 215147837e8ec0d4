"""What an accessible page is held against: axe-core (WCAG 2.2, A and AA), and a sentence for every picture.

axe-core is Deque's; its file comes with a Python package for selenium. Nothing is fetched.
"""
import importlib.resources
import re

AXE = (importlib.resources.files("selenium_axe_python") / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DRAWN = [".ipclab-figure svg"]  # text over shapes: axe cannot tell its contrast, tests/test_contrast.py does
RUN = """const done = arguments[3];
const told = rule => `${rule.id}: ${rule.help}` + rule.nodes.map(one => `\\n  ${one.html}\\n${one.failureSummary}`);
axe.run({include: arguments[0], exclude: arguments[1]}, {runOnly: {type: 'tag', values: arguments[2]}}).then(
    found => done({wrong: found.violations.map(told), unsure: found.incomplete.map(told),
                   judged: Object.fromEntries(found.passes.map(rule => [rule.id, rule.nodes.length]))}));"""
PICTURES = """return [...document.querySelectorAll(':is(img, svg, [role=img])')].filter(
    e => arguments[0].some(scope => e.closest(scope)) && e.checkVisibility()
        && !e.parentElement.closest('[role=img], svg')).map(
    e => [e.getAttribute('aria-label') ?? e.getAttribute('alt') ?? '', e.outerHTML.slice(0, 200)]);"""


def judge(driver, include):
    """What axe-core finds "wrong", what it is "unsure" of, [str], and what it has "judged", {rule: elements}."""
    driver.set_script_timeout(180)  # a busy machine takes its time
    driver.execute_script(AXE + ";window.axe = axe;")
    return driver.execute_async_script(RUN, include, DRAWN, RULES)


def check(driver, include, layers=False):
    """Nothing is wrong in what the selectors name, or left open; how many texts axe-core saw there. Where `layers`
    that are not ours lie over each other, it may say that it cannot tell what is under a text."""
    found = judge(driver, include)
    open_questions = [text for text in found["unsure"] if not (layers and text.startswith("color-contrast"))]
    assert found["wrong"] + open_questions == [], "\n".join(found["wrong"] + open_questions)
    return found["judged"].get("color-contrast", 0)


def check_sentences(driver, scopes, language, least):
    """Every picture inside what the selectors name has its sentence, and there are at least so many of them."""
    pictures = driver.execute_script(PICTURES, scopes)
    assert len(pictures) >= least
    for sentence, element in pictures:
        assert is_sentence(sentence, language), element


def is_sentence(text, language):
    """Is it more than a word or two, in words of that language?"""
    return len(text.split()) >= 3 and bool(re.search("[가-힣]", text)) is (language == "ko")
