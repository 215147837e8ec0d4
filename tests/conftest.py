"""What every test may use. `make test` runs three parts of the tests at once: see tools/tests.sh."""
import fcntl
import gc
import pathlib
import signal

import corners
import pytest
import remains

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with SIGINT ignored


def pytest_addoption(parser):
    parser.addoption("--every-chapter", action="store_true",
                     help="walk the slides of every chapter in every language, not of one only")


@pytest.fixture(scope="session")
def course():
    """The folder of the course, a Path: the repository's root."""
    return pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """{corner: (its folder, CompletedProcess)}: the handouts of tests/corners.py."""
    return corners.make({corner: tmp_path_factory.mktemp(corner) for corner in corners.CORNERS})


@pytest.fixture(scope="session")
def bystanders():
    """Objects of somebody else's, which no run may touch."""
    others = remains.Bystanders()
    yield others
    others.remove()


@pytest.fixture
def alone():
    """No other test looks over the machine meanwhile."""
    with open(__file__) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def nothing_left(request, alone):
    """After the test nothing is there that was not there before, no process, object, folder or descriptor; and what is
    somebody else's is there still."""
    from ipclab import connection

    bystanders = request.getfixturevalue("bystanders")  # made while nobody looks
    connection.current()
    gc.collect()
    before, open_before = remains.everything(), remains.descriptors()
    yield
    gc.collect()
    stage = connection.current()  # the test may have killed it
    new = remains.everything() - before - {("process", stage.pid)}
    assert not remains.gone(new)
    assert bystanders.there()
    if "kernel" not in request.fixturenames:  # jupyter_client keeps an event loop
        open_now = remains.descriptors()
        assert len(open_now) <= len(open_before), set(open_now.items()) ^ set(open_before.items())
