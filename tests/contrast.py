"""The contrast of what a picture draws, from its SVG alone: the style sheet inside it, and what lies under what.

axe-core judges no text over shapes. Contrast is WCAG's: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""
import re
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
TEXT, SIGN = 4.5, 3.0  # https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast
GROUND = {"page", "band", "rule", "gap"}  # what only guides the eye: names, times and bars say it all
LATER = "later"  # dimmed: at that step it has not happened yet, and its label keeps its contrast
SHAPES = {SVG + kind for kind in ("rect", "path", "circle", "text")}


def contrast(one, other):
    """The ratio of two colours, each (red, green, blue) of 0 … 255: 1 … 21."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = [part / 255 for part in colour]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colour(text):
    """#RRGGBB as (red, green, blue)."""
    return tuple(int(text[at:at + 2], 16) for at in (1, 3, 5))


def mixed(over, opacity, under):
    return tuple(opacity * a + (1 - opacity) * b for a, b in zip(over, under))


def judged(svg):
    """(the kinds, str, of all texts and signs that a picture paints; what of them does not stand out, elements)."""
    seen, pale = set(), []
    for element, inks, under in painted(svg):
        kinds, text = set(element.get("class").split()), element.tag == SVG + "text"
        if text or not kinds & (GROUND | {LATER}):
            seen |= kinds
            clear = all(contrast(ink, ground) >= TEXT for ink in inks for ground in under[0]) if text else any(
                max(contrast(ink, spot[0]) for ink in inks) >= SIGN for spot in under)  # of edge and fill one is enough
            pale += [] if clear else [element]
    return seen, pale


def clear(svgs):
    """The kinds that the pictures paint, all of which stand out."""
    every = set()
    for svg in svgs:
        seen, pale = judged(svg)
        assert pale == [], [element.attrib for element in pale]
        every |= seen
    return every


def painted(svg):
    """What the picture paints, in order, as (element, its colours, those that lie under it in one spot and another)."""
    root = ElementTree.fromstring(svg)
    rules = _rules(root.find(SVG + "style").text)
    patterns = {node.get("id"): [colour(part.get("fill")) for part in node] for node in root.iter(SVG + "pattern")}
    below = []  # rectangles: (left, top, right, bottom, colours)
    for element in (one for one in root.iter() if one.tag in SHAPES and one.get("class") is not None):
        style, under = _style(element, rules), [_under(spot, below) for spot in _spots(element)]
        if "paint-order" in style:  # a halo
            under = [[colour(style.pop("stroke"))]]
        yield element, [one for part in ("fill", "stroke") for one in _colours(style, part, patterns, under[0])], under
        if element.tag == SVG + "rect" and style.get("fill", "none") != "none":
            left, top, right, bottom = _box(element)
            ground = _under((left + 1, top + 1), below)
            below.append((left, top, right, bottom, _colours(style, "fill", patterns, ground)))


def _colours(style, part, patterns, under):
    """The colours of a shape's "fill" or "stroke", those of a pattern; see-through ones mixed with what is under."""
    told = style.get(part, "none")
    if told == "none":
        return []
    opacity = float(style.get("opacity", 1)) * float(style.get(f"{part}-opacity", 1))
    found = patterns[told[5:-1]] if told.startswith("url(#") else [colour(told)]
    return [mixed(one, opacity, under[-1]) for one in found]


def _rules(sheet):
    """[(specificity, tag, class, declarations)] of the style sheet, whose selectors are all of one element."""
    found = []
    for selectors, body in re.findall(r"([^{}]+)\{([^}]*)\}", sheet):
        declared = dict(part.split(":", 1) for part in body.split(";") if part)
        for selector in selectors.split(","):
            tag, _dot, kind = selector.split()[-1].partition(".")
            found.append(((bool(kind), bool(tag)), tag, kind, declared))
    return sorted(found, key=lambda rule: rule[0])


def _style(element, rules):
    kinds, style = element.get("class").split(), {}
    for _specificity, tag, kind, declared in rules:
        if (not tag or SVG + tag == element.tag) and (not kind or kind in kinds):
            style |= declared
    return style


def _box(element):
    x, y, wide, high = (float(element.get(key, 0)) for key in ("x", "y", "width", "height"))
    return x, y, x + wide, y + high


def _under(spot, below):
    """The colours of the uppermost rectangle at the spot; white where there is none."""
    found = [colours for left, top, right, bottom, colours in below
             if left <= spot[0] <= right and top <= spot[1] <= bottom]
    return found[-1] if found else [(255, 255, 255)]


def _spots(element):
    """Where to look what lies under or beside it: in a text's first letter, at a path's points, outside the corners."""
    if element.tag == SVG + "path":
        return _points(element.get("d"))
    if element.tag == SVG + "circle":
        return [(float(element.get("cx")), float(element.get("cy")))]
    left, top, right, bottom = _box(element)
    if element.tag == SVG + "text":
        return [(left + 1, top - 3)]
    return [(x, y) for x in (left - 1, right + 1) for y in (top - 1, bottom + 1)]


def _points(path):
    """The points that a path of straight lines names."""
    x = y = 0.0
    points = []
    for letter, numbers in re.findall(r"([A-Ya-y])([^A-Za-z]*)", path):
        told = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        across = None if letter in "Vv" else told[0]
        down = None if letter in "Hh" else told[-1]
        moves = letter.islower()
        x = x if across is None else across + x * moves
        y = y if down is None else down + y * moves
        points.append((x, y))
    return points
