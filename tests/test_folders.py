"""What a stage leaves that is killed together with its supervisors, and which stage clears it away, and whose."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from remains import wait_for

from ipclab import connection, family, folders
from ipclab.run import run, start

pytestmark = pytest.mark.usefixtures("nothing_left")


def sleeps(seconds=60):
    pathlib.Path("left").touch()
    time.sleep(seconds)


def going():
    """A run that goes on, its folder, and the pids of stage, supervisor and experiment."""
    begun = start(sleeps, timeout=100)
    [pid] = wait_for(lambda: [p.pid for p in begun.trace().processes], "the run's begin")
    folder = wait_for(lambda: _folder(pid), "its folder")
    supervisor = family.parent(pid)
    return begun, folder, [connection.current().pid, supervisor, pid]


def _folder(pid):
    path = pathlib.Path(os.readlink(f"/proc/{pid}/cwd"))
    return path if (path / "left").exists() else None


def kill(pids):
    """All of them at one moment: none of them runs while the others are killed."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    wait_for(lambda: all(family.state(pid) in ("Z", None) for pid in pids), "their end")


def test_the_next_stage_sweeps_what_a_killed_one_left():
    begun, folder, pids = going()
    kill(pids)
    assert folder.exists(), "nobody was left to remove it"
    assert run(lambda: print("on")).stdout == b"on\n"
    assert not folder.exists()
    begun.cancel()


def test_a_folder_in_which_somebody_still_works_stays():
    begun, folder, [stage, supervisor, first] = going()
    kill([stage])
    run(lambda: None)
    assert folder.exists() and family.state(first) == "S", "the run goes on without its stage"
    begun.cancel()
    wait_for(lambda: not folder.exists(), "the supervisor to clear it away")


def test_the_folder_of_a_living_stage_stays():
    begun, folder, _pids = going()
    done = subprocess.run([sys.executable, "-c", "from ipclab import run\nrun(lambda: None)"], timeout=60)
    assert done.returncode == 0 and folder.exists()
    begun.cancel()
    wait_for(lambda: not folder.exists(), "the supervisor to clear it away")


@pytest.fixture
def gone():
    """(pid, start) of a process that has ended."""
    process = subprocess.Popen(["sleep", "60"])
    found = process.pid, family.started(process.pid)
    process.kill()
    process.wait()
    return found


def named(folder, pid, started, namespace=None, token="0123abcd"):
    namespace = os.stat("/proc/self/ns/pid").st_ino if namespace is None else namespace
    return folder / f"ipclab-{pid:x}-{started:x}-{namespace:x}-{token}"


def test_what_is_swept_is_told_by_its_name(tmp_path, gone):
    swept = named(tmp_path, *gone)
    reused = named(tmp_path, os.getpid(), family.started(os.getpid()) + 1)
    kept = [named(tmp_path, os.getpid(), family.started(os.getpid())), named(tmp_path, *gone, namespace=1),
            named(tmp_path, gone[0], 0), named(tmp_path, *gone, token="mine"), tmp_path / "ipclab-0123abcd"]
    for path in [swept, reused, *kept]:
        (path / "inside").mkdir(parents=True)
    link, file = named(tmp_path, *gone, token="00000001"), named(tmp_path, *gone, token="00000002")
    link.symlink_to(kept[0])
    file.touch()
    folders.sweep(str(tmp_path))
    assert {*tmp_path.iterdir()} == {*kept, link, file} and all((path / "inside").exists() for path in kept)


def test_another_users_folder_stays(tmp_path, gone, monkeypatch):
    path = named(tmp_path, *gone)
    path.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    folders.sweep(str(tmp_path))
    assert path.exists()


def test_a_folder_that_cannot_be_listed_is_no_error(tmp_path):
    folders.sweep(str(tmp_path / "none"))
