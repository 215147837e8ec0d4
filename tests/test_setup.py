"""The two commands' foundations: what is installed, from where, and when it is made again."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASICS = ("bash", "sh", "sed", "cut", "xargs", "echo", "printf", "id", "sha256sum", "flock", "cat", "rm", "mv", "mkdir",
          "cp", "env", "dirname", "make")
FAKE_PYTHON = """#!/bin/bash
# Stands in for an interpreter: pip and venv are played, and written down in a file; the rest is Python itself.
echo "$*" >>"$CALLS"
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip") [ ! -e "$CALLS.no-network" ] ;;
    *) exec {python} "$@" ;;
esac
"""


@pytest.fixture
def course_copy(tmp_path):
    """A copy of what the script needs, in a folder with a space in its name, and a PATH of its own."""
    copy = tmp_path / "a course"
    copy.mkdir()
    shutil.copytree(ROOT / "tools", copy / "tools")
    shutil.copy(ROOT / "pyproject.toml", copy)
    (tmp_path / "bin").mkdir()
    for name in BASICS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    for name in ("chromium", "chromedriver"):
        program(tmp_path / "bin" / name, "#!/bin/sh\n")
    return copy


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)


def interpreter(course_copy, name="python3"):
    program(course_copy.parent / "bin" / name, FAKE_PYTHON.replace("{python}", shlex.quote(sys.executable)))


def script(course_copy, *words, **variables):
    """The script's run, as CompletedProcess, and the calls of pip and venv that it made."""
    calls = course_copy.parent / "calls"
    calls.unlink(missing_ok=True)
    env = {"PATH": str(course_copy.parent / "bin"), "CALLS": str(calls), **variables}
    done = subprocess.run([course_copy / "tools" / "environment.sh", *words], env=env, capture_output=True, text=True)
    made = re.findall(r"^-m (\w+)", calls.read_text(), re.MULTILINE) if calls.exists() else []
    return done, made


def test_environment_yml_installs_what_pyproject_names_and_no_version_twice():
    wanted = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert wanted == ["python", "pip", {"pip": ["-e .[dev]"]}]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "dev" in project["optional-dependencies"] and project["requires-python"]


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert [name for name in names if not re.fullmatch(r"[\w-]+>=[\d.]+(,<[\d.]+)?", name)] == []


def test_what_is_missing_is_named_at_once_with_one_line(course_copy):
    for name in ("chromium", "chromedriver", "make"):
        (course_copy.parent / "bin" / name).unlink()
    done, made = script(course_copy, "missing", "test")
    assert done.stdout.split() == ["python3", "python3-venv", "make", "chromium", "chromium-driver"]
    done, made = script(course_copy, "make", "test")
    assert done.returncode == 1 and made == []
    assert done.stderr.splitlines()[-1].endswith("apt-get install python3 python3-venv make chromium chromium-driver")
    done, made = script(course_copy, "missing")
    assert done.stdout.split() == ["python3", "python3-venv", "make"]


def test_an_interpreter_that_does_not_run_is_passed_over(course_copy):
    program(course_copy.parent / "bin" / "python3.13", "#!/bin/sh\nexit 127\n")
    interpreter(course_copy, "python3.12")
    done, made = script(course_copy, "make")
    assert done.returncode == 0 and made == ["venv", "pip"], done.stderr
    assert script(course_copy, "missing")[0].stdout == ""


def test_an_interpreter_without_ensurepip_is_not_enough(course_copy):
    text = "#!/bin/sh\ncase \"$2\" in *ensurepip*) exit 1;; *) exit 0;; esac\n"
    program(course_copy.parent / "bin" / "python3", text)
    assert script(course_copy, "missing")[0].stdout.split() == ["python3-venv"]


def test_a_second_call_makes_nothing(course_copy):
    interpreter(course_copy)
    assert script(course_copy, "make")[1] == ["venv", "pip"]
    done, made = script(course_copy, "make")
    assert (done.returncode, done.stdout, done.stderr, made) == (0, "", "", [])


def test_other_dependencies_are_installed_into_the_same_environment(course_copy):
    interpreter(course_copy)
    script(course_copy, "make")
    with open(course_copy / "pyproject.toml", "a") as file:
        file.write("# changed\n")
    assert script(course_copy, "make")[1] == ["pip"]
    assert script(course_copy, "make")[1] == []


def test_half_an_environment_does_not_count(course_copy):
    interpreter(course_copy)
    refused = course_copy.parent / "calls.no-network"
    refused.touch()
    done, made = script(course_copy, "make")
    assert done.returncode == 1 and "is there a network" in done.stderr
    refused.unlink()
    assert script(course_copy, "make")[1] == ["venv", "pip"]


def test_an_update_that_failed_does_not_count(course_copy):
    interpreter(course_copy)
    script(course_copy, "make")
    with open(course_copy / "pyproject.toml", "a") as file:
        file.write("# changed\n")
    (course_copy.parent / "calls.no-network").touch()
    assert script(course_copy, "make")[0].returncode == 1
    (course_copy.parent / "calls.no-network").unlink()
    assert "pip" in script(course_copy, "make")[1]
    assert script(course_copy, "make")[1] == []


def test_another_interpreter_or_place_makes_it_anew(course_copy):
    interpreter(course_copy)
    other = course_copy.parent / "other"
    elsewhere = f'[[ "$2" == *base_prefix* ]] && echo other 3 11 || {shlex.quote(sys.executable)}'
    program(other, FAKE_PYTHON.replace("exec {python}", elsewhere))
    script(course_copy, "make")
    assert script(course_copy, "make", PYTHON=str(other))[1] == ["venv", "pip"]
    assert script(course_copy, "make", PYTHON=str(other))[1] == []
    assert script(course_copy, "make")[1] == [], "what PYTHON chose once, stays"
    moved = course_copy.rename(course_copy.parent / "moved")
    assert script(moved, "make")[1] == ["venv", "pip"]


@pytest.mark.parametrize("target", ["lab", "test", "bench", "bench-browser", "conformance", "assets", "clean"])
def test_make_knows(target):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "-n", target], cwd=ROOT, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
