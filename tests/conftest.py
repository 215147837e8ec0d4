"""What every test may use."""
import gc
import pathlib

import pytest
import remains


@pytest.fixture(scope="session")
def course():
    """The folder of the course, a Path: the repository's root."""
    return pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture
def nothing_left(request):
    """After the test nothing is there that was not there before: no process, object, folder or descriptor."""
    from ipclab import connection

    connection.current()
    gc.collect()
    before, open_before = remains.everything(), remains.descriptors()
    yield
    gc.collect()
    stage = connection.current()  # the test may have killed it
    new = remains.everything() - before - {("process", stage.pid)}
    assert not remains.gone(new)
    assert before - remains.everything() <= {thing for thing in before if thing[0] in ("process", "folder")}
    if "kernel" not in request.fixturenames:  # jupyter_client keeps an event loop
        open_now = remains.descriptors()
        assert len(open_now) <= len(open_before), set(open_now.items()) ^ set(open_before.items())
