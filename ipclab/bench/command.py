"""python -m ipclab bench: measures, and says it as a table, as JSON and as pictures."""
import argparse
import pathlib
import re
import sys

from ..look import LOOKS
from ..say import _
from . import mechanisms as known
from .picture import curves, dots
from .rounds import measure
from .show import bytes_text, machine, select, text, to_json


def bench(words):
    """The command; its exit status. SystemExit(2) with a sentence for wrong words."""
    parser = _parser()
    told = parser.parse_args(words)
    if told.list:
        return _listed()
    for folder in filter(None, [told.charts, told.json and told.json.parent]):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # before anything is measured
            parser.error(f"{folder}: {error.strerror}")
    seconds = told.seconds or min(240, 15 * len(told.mechanisms) or 240)
    try:
        rows = measure(*told.mechanisms, sizes=told.size or known.SIZES, of=told.of or known.OF, rounds=told.rounds,
                       placements=told.placement or known.PLACEMENTS, seconds=seconds)
    except (ValueError, RuntimeError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return 130
    print(_heading(), text(rows), sep="\n")
    _write(rows, told)
    return 0


def _heading():
    return _("Python {python}, {system} {release}, {machine}, {processors} processors; load average {load:.1f}").format(
        **{**machine(), "load": machine()["load"][0]})


def _parser():
    parser = argparse.ArgumentParser("python -m ipclab bench", description=_(
        "Measure how fast each mechanism is here: round trips and throughput between two processes, in Python as a "
        "textbook prints it, in Python tuned, and in C. Nothing is recorded meanwhile."))
    add = parser.add_argument
    add("mechanisms", nargs="*", metavar=_("MECHANISM"), help=_("see --list; without any, all of them"))
    add("--size", type=_size, action="append", metavar=_("BYTES"),
        help=_("bytes of a message, such as 64, 4K, 1M; may be repeated (default: {sizes})").format(
            sizes=", ".join(map(bytes_text, known.SIZES))))
    add("--of", choices=known.OF, help=_("one of both only"))
    add("--placement", choices=known.PLACEMENTS, help=_("both processes on one core, or one each, only"))
    add("--rounds", type=int, default=5, help=_("rounds, taken turn about (default: 5)"))
    add("--seconds", type=float, help=_("about how long it may take (default: 240, or 15 for each one named)"))
    add("--json", type=pathlib.Path, metavar=_("FILE"), help=_("write all values of all rounds there"))
    add("--charts", type=pathlib.Path, metavar=_("FOLDER"), help=_("write pictures there, as SVG"))
    add("--look", choices=list(LOOKS), default="screen", help=_("how the pictures are drawn (default: screen)"))
    add("--list", action="store_true", help=_("say which mechanisms there are, and measure nothing"))
    return parser


def _size(word):
    """Bytes, of a number that may end in K or M."""
    if not (found := re.fullmatch(r"(\d+)([kKmM]?)", word)):
        raise argparse.ArgumentTypeError(_("{word} is no size").format(word=word))
    return int(found[1]) << {"": 0, "k": 10, "m": 20}[found[2].lower()]


def _listed():
    wide = max(map(len, known.MECHANISMS))
    for mechanism in known.MECHANISMS:
        print(f"{mechanism:{wide}}   {known.label(mechanism)}")
    return 0


def _write(rows, told):
    """The files that were asked for, each named once it is there."""
    if told.json:
        told.json.write_text(to_json(rows))
        print(told.json, file=sys.stderr)
    for of, placement in dict.fromkeys((row["of"], row["placement"]) for row in rows if row["values"]):
        if told.charts:
            _draw(select(rows, of=of, placement=placement), f"{of}-{placement}".replace(" ", "-"), told)


def _draw(rows, name, told):
    """The pictures of one thing measured at one placement: over the sizes, and one for each size."""
    sizes = sorted({row["size"] for row in rows if row["values"] and row["size"]})
    pictures = {f"dots-{name}-{size}": lambda size=size: dots(rows, size, look=told.look) for size in sizes or [0]}
    if len(sizes) > 1:
        pictures[f"curves-{name}"] = lambda: curves(rows, look=told.look)
    for file, picture in pictures.items():
        path = told.charts / f"{file}.svg"
        path.write_text(picture().svg)
        print(path, file=sys.stderr)
