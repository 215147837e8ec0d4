"""The course's commands: `python -m ipclab COMMAND`. A new one is a function and a line in `main`."""
import argparse
import os
import sys

from .say import _


def main(words=None):
    """Run the command that the words (default: the process's arguments) name; its exit status, int or None."""
    text = _("Linux inter-process communication, with real processes")
    parser = argparse.ArgumentParser("python -m ipclab", description=text)
    commands = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    add(commands, doctor, _("say what of the course works on this machine, and what to do about the rest"))
    add(commands, lab, _("open the course in JupyterLab; its own options may follow"))
    arguments, rest = parser.parse_known_args(words)
    if rest and arguments.command is not lab:
        parser.error(_("unknown: {words}").format(words=" ".join(rest)))
    try:
        return arguments.command(rest)
    except BrokenPipeError:  # the reader has seen enough, as in `ipclab doctor | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def add(commands, function, text):
    """One more command, named like its function, which gets the words that are left over as a list."""
    one = commands.add_parser(function.__name__, help=text, description=text)
    one.set_defaults(command=function)
    return one


def doctor(rest):
    from .doctor import doctor
    return doctor()


def lab(rest):
    from .lab import lab
    lab(rest)


if __name__ == "__main__":
    sys.exit(main())
