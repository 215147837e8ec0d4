"""Binder, dev containers and the workflow agree with pyproject.toml and the list of tools, and name no version twice.

No container is built here: what they run is what `make` runs, which other tests try.
"""
import json
import pathlib
import re
import tomllib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OLDEST = int(PROJECT["requires-python"].removeprefix(">=3."))
DOCKERFILE = (ROOT / ".devcontainer" / "Dockerfile").read_text()
FILES = [".binder/environment.yml", ".binder/postBuild", ".binder/start", ".devcontainer/Dockerfile",
         ".devcontainer/devcontainer.json", ".github/workflows/course.yml"]


def packages():
    """The Debian packages of tools/environment.sh by what they are for: {"lab": {"make"}, …}."""
    script = (ROOT / "tools" / "environment.sh").read_text()
    rows = re.findall(r"^(\w+) *\|[^|]+\| *([\w.+-]+) *\|", script, re.MULTILINE)
    return {purpose: {package for other, package in rows if other == purpose} for purpose, _package in rows}


@pytest.mark.parametrize("file", FILES)
def test_no_python_package_is_named_beside_pyproject(file):
    names = {re.split("[<>=]", line)[0] for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]}
    lines = [line for line in (ROOT / file).read_text().splitlines() if not line.lstrip().startswith("#")]
    assert {name for name in names for line in lines if re.search(rf"(?<![\w-]){name}(?![\w-])", line)} == set()


def test_the_container_has_the_tools_of_lab_and_handouts():
    installed = set(re.search(r"apt-get install (.*?)&&", DOCKERFILE, re.DOTALL)[1].replace("\\", " ").split())
    assert packages()["lab"] | packages()["handouts"] <= installed
    assert not packages()["test"] & installed, "no browser is needed there"


def test_the_container_runs_as_an_ordinary_user():
    told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    user = re.search(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)[1]
    assert told["remoteUser"] == user != "root" and f"useradd --create-home --shell /bin/bash {user}" in DOCKERFILE
    assert (ROOT / ".devcontainer" / told["build"]["dockerfile"]).is_file()
    assert "--shm-size=256m" in told["runArgs"]


def test_every_python_is_new_enough():
    workflow = (ROOT / ".github" / "workflows" / "course.yml").read_text()
    versions = re.findall(r"python:3\.(\d+)-", DOCKERFILE) + re.findall(r'"3\.(\d+)"', workflow)
    assert len(versions) >= 3 and all(int(version) >= OLDEST for version in versions)


def test_binder_installs_the_course_when_its_files_are_there():
    wanted = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())
    assert wanted["dependencies"] == ["python", "pip"]
    assert "pip install --no-cache-dir -e ." in (ROOT / ".binder" / "postBuild").read_text()
    assert all((ROOT / ".binder" / name).stat().st_mode & 0o111 for name in ("postBuild", "start"))


def test_the_workflow_tests_and_publishes():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "course.yml").read_text())["jobs"]
    steps = {name: [step.get("run", step.get("uses", "")) for step in job["steps"]] for name, job in jobs.items()}
    assert "make test" in steps["test"] and "make site" in steps["site"]
    assert any(step.startswith("actions/deploy-pages@") for step in steps["publish"])
    assert jobs["publish"]["needs"] == ["test", "site"] and "refs/heads/main" in jobs["publish"]["if"]
    path = next(step["with"]["path"] for step in jobs["site"]["steps"] if "upload-pages" in step.get("uses", ""))
    assert path == "build/site"
