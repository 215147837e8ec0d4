"""Charts: what they say, that they are sound, and that they leave matplotlib as it was."""
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import pytest

from ipclab import chart
from ipclab.look import LOOKS

LINES = {"one": [(1, 1), (2, 4), (4, 16)], "두 번째": [(1, 1), (4, 2)], "<&>": [(n, n) for n in range(1, 200)]}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("log", [False, True])
def test_the_picture_is_sound(look, log):
    picture = chart(LINES, "pages", "faults", log=log, look=look)
    root = ElementTree.fromstring(picture.svg)
    width = float(root.get("viewBox").split()[2])
    assert root.get("width") == "100%" and width == LOOKS[look].width, root.attrib
    written = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"pages", "faults", *LINES} <= written
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", picture.svg)]
    assert min(sizes) >= LOOKS[look].font


def test_print_needs_no_colour():
    colours = {*re.findall("#[0-9a-f]{6}", chart(LINES, "x", "y", look="print").svg.lower())}
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours), colours


def test_lines_differ_by_more_than_colour():
    svg = chart(LINES, "x", "y").svg
    assert len({*re.findall("stroke-dasharray: [^;\"]+", svg)}) >= 2


def test_it_is_told_in_words():
    told = str(chart(LINES, "pages touched", "faults"))
    assert told.startswith("faults against pages touched. one: 1 → 1, 2 → 4, 4 → 16; 두 번째: 1 → 1, 4 → 2; ")
    assert told.endswith("199 → 199") and told.count("→") < 25, "of many points a dozen"
    assert 'role="img"' in chart(LINES, "x", "y")._repr_mimebundle_()["text/html"]


def test_the_same_bytes_each_time():
    assert chart(LINES, "x", "y").svg == chart(LINES, "x", "y").svg


def test_matplotlib_stays_as_it_was():
    before = dict(matplotlib.rcParams)  # which settles the backend, too
    chart(LINES, "x", "y", look="projector")
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported():
    code = "import sys; from ipclab import chart; assert 'matplotlib' not in sys.modules; " \
           "chart({'a': [(1, 1)]}, 'x', 'y'); assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_chart():
    with pytest.raises(ValueError, match="1 to 5 lines, not 0"):
        chart({}, "x", "y")
    with pytest.raises(ValueError, match="screen, projector, print"):
        chart(LINES, "x", "y", look="poster")
