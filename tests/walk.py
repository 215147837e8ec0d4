"""Somebody without a mouse, in a notebook: from the first control to the last by Tab, and back by Shift and Tab."""
import time

from browser import until
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

HERE = """const all = [...document.querySelectorAll('.ipclab :is(button, input, [tabindex="0"], [contenteditable])')]
    .filter(e => e.checkVisibility()), here = document.activeElement, part = here.closest('.ipclab'),
    style = getComputedStyle(here), box = here.getBoundingClientRect();
return {place: all.indexOf(here), count: all.length, classes: here.className, text: here.textContent,
    name: here.ariaLabel, pressed: here.ariaPressed, full: here.ariaValueMax === here.ariaValueNow,
    explore: !!part?.querySelector('.ipclab-picture'), picture: part?.querySelector('svg')?.id ?? '',
    words: part?.innerText ?? '', outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight && box.width > 0};"""
ALL = {"option", "choice", "slider", "step", "on", "part", "hint", "solution"}


class Walk:
    """Tab must come to each control in order, with the focus to be seen, and leave it. On the way forwards everything
    is used: questions answered, values changed, steps gone, parts opened, a hint taken. `used` tells what."""

    def __init__(self, page):
        self.page, self.used, self.count = page, [], 0

    def forwards(self):
        at, now = -1, self._tab(0)
        while now["place"] >= 0:
            self._use(now)
            at = self._here()["place"]
            now = self._tab(at + 1)
        assert at == self.count - 1 and {*self.used} == ALL, (at, self.count, self.used)

    def backwards(self):
        for place in range(self.count - 1, -1, -1):
            assert self._tab(place, back=True)["place"] == place
        assert self._tab(None, back=True)["place"] == -1

    def _here(self):
        return self.page.js(HERE)

    def _tab(self, place, back=False):
        """Where Tab leads to: to the control of that place, or, behind the last, to none."""
        for _stop in range(8):  # between the cells, and behind them, some are JupyterLab's own
            keys = webdriver.ActionChains(self.page.driver, duration=0)
            keys = keys.key_down(Keys.SHIFT) if back else keys
            keys.send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
            now = self._here()
            if now["place"] >= 0:
                assert now["place"] == place, f"out of order, {place} is next: {now}"
                assert now["outline"] >= 2 and now["seen"], f"nobody sees that the focus is here: {now}"
                break
        self.count = now["count"]
        return now

    def _use(self, now):
        """Does what there is to be done with a control, and waits for what comes of it."""
        classes, text, name = now["classes"], now["text"], now["name"]
        if "ipclab-option" in classes and not now["picture"]:
            self._press("option", Keys.SPACE, lambda new: new["picture"] and "Answer again" in new["words"])
        elif text.startswith("Hint 1"):
            self._press("hint", Keys.SPACE, lambda new: new["text"].startswith("Hint 2"))
        elif text == "Solution":
            self._press("solution", Keys.ENTER, lambda new: "opens when you have changed" in new["words"])
        elif text.startswith("▸"):
            self._press("part", Keys.ENTER if "code" in text else Keys.SPACE, lambda new: new["text"].startswith("▾")
                        and new["pressed"] == "true" and new["count"] > now["count"])
        elif name == "one event on":
            self._press("on", Keys.SPACE, lambda new: "step 2 of" in new["words"])
        elif name == "step":
            self._press("step", Keys.ARROW_RIGHT, lambda new: "step 1 of" in new["words"])
        elif now["explore"]:
            self._change(now)

    def _change(self, now):
        """Another value of a slider or of buttons; the run is waited for until it has been drawn to its end."""
        if "noUi-handle" in now["classes"]:
            key = Keys.ARROW_LEFT if now["full"] else Keys.ARROW_RIGHT
            self._press("slider", key, lambda new: new["picture"] != now["picture"])
        elif now["pressed"] == "false" and "▾" not in now["text"]:
            self._press("choice", Keys.SPACE, lambda new: new["picture"] != now["picture"] and new["pressed"] == "true")
        else:
            return
        before = None
        while before != (before := self._here()["picture"]):
            time.sleep(0.2)  # more than there is between two pictures of a run that goes on

    def _press(self, what, key, done):
        self.page.keys(key)
        until(lambda: done(self._here()), f"{what} to do its work: {self._here()}")
        self.used.append(what)
