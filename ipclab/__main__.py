"""The course's commands: `python -m ipclab COMMAND`. A new one is a function and a line in `parser_of_all`."""
import argparse
import os
import sys

from .say import _


def main(words=None):
    """Run the command that the words (default: the process's arguments) name; its exit status, int or None."""
    parser = parser_of_all()
    arguments, rest = parser.parse_known_args(words)
    arguments.rest = rest
    if rest and arguments.command not in (lab, handout, bench):
        parser.error(_("unknown: {words}").format(words=" ".join(rest)))
    try:
        return arguments.command(arguments)
    except BrokenPipeError:  # the reader has seen enough, as in `ipclab doctor | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser_of_all():
    """The argparse parser of all commands."""
    text = _("Linux inter-process communication, with real processes")
    parser = argparse.ArgumentParser("python -m ipclab", description=text)
    commands = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    add(commands, doctor, _("say what of the course works on this machine, and what to do about the rest"))
    add(commands, lab, _("open the course in JupyterLab; its own options may follow"))
    one = add(commands, translate, _("build the notebooks in the other languages, and say what is not translated"))
    one.add_argument("--update", metavar=_("LANGUAGE"), help=_("first put what is to be translated into its files"))
    add(commands, handout, _("make handouts, HTML and PDF, with chosen parameters"), add_help=False)
    add(commands, bench, _("measure how fast each mechanism is here, in Python and in C"), add_help=False)
    add(commands, site, _("make web pages of all chapters in all languages"))
    one = add(commands, lecture, _("make slides for jupyterlab-slideshow, with pictures for the back row"))
    one.add_argument("notebooks", nargs="*", metavar=_("NOTEBOOK"), help=_("a number or name; without any, all"))
    one.add_argument("--language", default="en", help=_("en, one that the course is translated into, or all"))
    one.add_argument("--extra", action="store_true", help=_("with the sections tagged extra"))
    one.add_argument("--no-record", action="store_true",
                     help=_("do not run the chapter to record its runs, for a hall whose machine cannot run programs"))
    return parser


def add(commands, function, text, **options):
    """One more command, named like its function, which gets what was given; in `rest` the words that are left over."""
    one = commands.add_parser(function.__name__, help=text, description=text, **options)
    one.set_defaults(command=function)
    return one


def doctor(arguments):
    from .doctor import doctor
    return doctor()


def lab(arguments):
    from .lab import lab
    lab(arguments.rest)


def translate(arguments):
    from .translate import main
    return main(arguments.update)


def handout(arguments):
    from .handout import handout
    return handout(arguments.rest)


def bench(arguments):
    from .bench.command import bench
    return bench(arguments.rest)


def site(arguments):
    from .website import site
    return site()


def lecture(arguments):
    from .lecture import lecture
    return lecture(arguments.notebooks, arguments.language, arguments.extra, not arguments.no_record)


if __name__ == "__main__":
    sys.exit(main())
