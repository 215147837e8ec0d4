"""The doctor: says what there is, exits 0 unless nothing can run, and never hangs, raises or leaves anything."""
import os
import pathlib
import re
import secrets
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def python(code, **variables):
    """A run of the code in a Python of its own, as CompletedProcess."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)


def doctor(before="", checks="None", deadline=15, **variables):
    """A doctor's run on a machine where the code `before` has taken something away."""
    return python(f"""
import os, sys, time
from ipclab.doctor import Check, Finding, doctor
{before}
sys.exit(doctor({checks}, deadline={deadline}))""", **variables)


def environment(pid):
    """The variables that the process was started with; "" for one that is gone or another user's."""
    try:
        return pathlib.Path("/proc", pid, "environ").read_text(errors="replace")
    except OSError:
        return ""


def ours(folder):
    return {name for name in os.listdir(folder) if "doctor" in name}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The doctor's run on this machine, and what it left in its folder for temporary files."""
    folder = tmp_path_factory.mktemp("t")
    env = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run([sys.executable, "-m", "ipclab", "doctor"], cwd=ROOT, env=env, capture_output=True, text=True,
                          timeout=120)
    return done, list(folder.iterdir())


def test_this_machine_runs_the_course(here):
    done, left = here
    assert done.returncode == 0, done.stdout
    assert done.stderr == "" and "The course runs on this machine" in done.stdout.splitlines()[-1]


def test_every_state_has_a_mark_and_a_word(here):
    heads = [line.split()[:2] for line in here[0].stdout.splitlines()[:-2] if not line.startswith(" ")]
    assert len(heads) >= 20
    assert all((mark, word) in {("+", "ok"), ("!", "limited"), ("x", "missing")} for mark, word in heads)


def test_nothing_is_left(here):
    assert here[1] == []
    assert ours("/dev/shm") == set()


def test_what_is_not_ok_says_what_follows(here):
    for part in re.split(r"^(?=\S)", here[0].stdout, flags=re.MULTILINE):
        if part.startswith(("!", "x")):
            assert " so: " in part, part


def test_a_machine_without_memfd_cannot_run_the_course():
    done = doctor("def refuse(*_): raise PermissionError(1, 'Operation not permitted')\nos.memfd_create = refuse")
    assert done.returncode == 1 and "The course cannot run here" in done.stdout
    assert re.search(r"^x missing +memfd, mapped +PermissionError", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name, fatal", [("cloudpickle", 1), ("ipywidgets", 1), ("matplotlib", 0), ("posix_ipc", 0)])
def test_a_missing_package_is_named_with_its_remedy(name, fatal):
    checks = "[check for check in __import__('ipclab.doctor_tools').doctor_tools.CHECKS if 'packages' in check.title]"
    done = doctor(f"sys.modules['{name}'] = None", checks)
    assert done.returncode == fatal
    assert re.search(rf"^x missing +packages.* {name}$", done.stdout, re.MULTILINE)
    assert f"-m pip install {name}" in " ".join(done.stdout.split())


@pytest.mark.parametrize("act, said", [
    ("time.sleep(60)", "no answer; it had 0.5 s"),
    ("os.kill(os.getpid(), 9)", "no answer; it had 0.5 s"),
    ("sys.exit('away')", "SystemExit: away"),
    ("1 / 0", "ZeroDivisionError: division by zero")])
def test_a_check_that_fails_is_a_finding(act, said):
    done = doctor(f"def bad():\n    {act}\n    yield", "[Check('bad', bad, 'so it is')]", 0.5)
    assert done.returncode == 0 and said in done.stdout and "so it is" in done.stdout


def test_children_of_a_check_are_ended():
    mark = f"MARK={secrets.token_hex(8)}"
    bad = "def bad():\n    if os.fork() == 0: time.sleep(600)\n    yield Finding('ok', 'fine')"
    done = doctor(bad, "[Check('bad', bad)]", MARK=mark)
    assert done.returncode == 0 and "fine" in done.stdout
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and mark in environment(pid)] == []


def test_a_terminal_without_unicode_gets_question_marks():
    check = "def check(): yield Finding('ok', 'caf\\u00e9 \\ud55c')"
    done = doctor(check, "[Check('one', check)]", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "caf? ?" in done.stdout


def test_a_reader_that_goes_away_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m ipclab doctor | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stderr == "" and done.stdout.startswith("+ ok")


def test_an_unknown_command_or_word_is_refused():
    for words in (["nonsense"], ["doctor", "--nonsense"], []):
        done = subprocess.run([sys.executable, "-m", "ipclab", *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2 and "usage: python -m ipclab" in done.stderr
