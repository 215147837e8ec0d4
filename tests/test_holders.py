"""holders(): who holds which lock when, against traces whose order was forced."""
import fcntl
import mmap
import multiprocessing
import os
import signal

import posix_ipc
import pytest
import sysv_ipc
import traces
from contrast import clear

from ipclab import holders, linux, name, run
from ipclab.locks import locks
from ipclab.trace import Process, Trace


def one_lock(trace):
    [lock] = locks(trace)
    return lock


def by_turns(kind):
    """Two processes, one after the other, in a lock of each kind."""
    if kind == "mutex":
        mutex = linux.Mutex(mmap.mmap(-1, 4096))
        take, give = mutex.lock, mutex.unlock
    elif kind == "POSIX":
        semaphore = posix_ipc.Semaphore(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX, initial_value=1)
        take, give = semaphore.acquire, semaphore.release
    elif kind == "System V":
        semaphore = sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX, initial_value=1)
        take, give = semaphore.acquire, semaphore.release
    elif kind == "multiprocessing":
        lock = multiprocessing.Lock()
        take, give = lock.acquire, lock.release
    elif kind == "file":
        open("file", "w").close()
    child = os.fork() == 0
    if not child:
        os.wait()
    name("child" if child else "parent")
    if kind == "file":
        with open("file") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
    else:
        take()
        give()


@pytest.mark.parametrize("kind", ["mutex", "POSIX", "System V", "multiprocessing", "file"])
def test_locks_of_every_kind(kind):
    trace = run(by_turns, kind=kind)
    lock = one_lock(trace)
    assert [hold.process for hold in lock.holds] == ["child", "parent"], trace.processes
    assert all(hold.given and hold.start <= hold.end for hold in lock.holds) and lock.most() == 1
    assert "child, parent; at most 1 at once" in holders(trace).sentence


def relied_on_by_two(kind="NORMAL"):
    mutex = linux.Mutex(mmap.mmap(-1, 4096), kind=kind)
    mutex.lock()
    if os.fork() == 0:
        name("stranger")
        try:
            mutex.unlock()
        except PermissionError:
            pass
        os._exit(0)
    os.wait()
    (r, w), (r2, w2) = os.pipe(), os.pipe()
    if os.fork() == 0:
        name("second")
        try:
            mutex.trylock()
        except OSError:
            pass
        os.write(w, b"x")
        os.read(r2, 1)
        os._exit(0)
    os.read(r, 1)
    mutex.unlock()
    os.write(w2, b"x")
    os.wait()


def test_a_stranger_lets_two_in():
    lock = one_lock(run(relied_on_by_two))
    assert lock.most() == 2 and [one.process for one in lock.strangers] == ["stranger"]
    assert [(hold.process, bool(hold.given)) for hold in lock.holds] == [("parent", True), ("second", False)]
    lock = one_lock(run(relied_on_by_two, kind="ERRORCHECK"))
    assert lock.most() == 1 and not lock.strangers and [one.process for one in lock.refused] == ["second", "stranger"]


def test_a_semaphore_that_carries_news_is_no_lock():
    def post():
        news = posix_ipc.Semaphore(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX)
        if os.fork() == 0:
            news.release()
            os._exit(0)
        news.acquire()
        os.wait()

    trace = run(post)
    assert locks(trace) == [] and "nobody used a lock" in holders(trace).svg


def die_holding():
    semaphore = posix_ipc.Semaphore(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX, initial_value=1)
    if os.fork() == 0:
        name("killed")
        semaphore.acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    os.wait()
    try:
        semaphore.acquire(0.05)
    except posix_ipc.BusyError:
        pass


def test_a_hold_ends_with_its_process():
    trace = run(die_holding)
    lock = one_lock(trace)
    [hold], [refused] = lock.holds, lock.refused
    assert (hold.process, hold.given, hold.end) == ("killed", None, trace.process("killed").end)
    assert refused.event.errno and refused.event.waited


def test_units_of_a_semaphore_and_one_mutex_locked_twice():
    def again():
        semaphore = posix_ipc.Semaphore(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX, initial_value=2)
        mutex = linux.Mutex(mmap.mmap(-1, 4096), kind="RECURSIVE")
        for lock in semaphore.acquire, semaphore.acquire, mutex.lock, mutex.lock:
            lock()
        for lock in mutex.unlock, mutex.unlock, semaphore.release, semaphore.release:
            lock()

    semaphore, mutex = locks(run(again))
    assert (semaphore.most(), mutex.most(), len(mutex.holds)) == (2, 1, 1)
    assert mutex.holds[0].given.start > mutex.holds[0].event.end


def made_by_hand(n):
    """A trace in which each of two processes holds a mutex n times, in turn."""
    both = [Process(name, pid, None, 0, start=0, end=1) for name, pid in (("A", 1), ("B", 2))]
    events = []
    for turn in range(2 * n):
        for step, call in enumerate(("lock", "unlock")):
            start = (2 * turn + step) * 1e-3
            events.append(traces.event(both[turn % 2], f"linux.Mutex.{call}", start=start, end=start + 1e-4, on="m"))
    return Trace("experiment", events, both, seconds=1)


@pytest.mark.parametrize("look", ["screen", "projector", "print"])
def test_many_holds_are_cut_and_counted(look):
    picture = holders(made_by_hand(50), look=look)
    assert "70 more times held" in picture.svg and picture.svg.count(">0<") + picture.svg.count(">1<") <= 61
    assert picture.svg == holders(made_by_hand(50), look=look).svg


def test_steps_dim_what_comes_later():
    trace = made_by_hand(3)
    assert [holders(trace, step=step).svg.count(" later") for step in (1, 5, 12)] == [5, 3, 0]
    with pytest.raises(ValueError):
        holders(trace, step=13)
    with pytest.raises(ValueError):
        holders(trace, look="none")


@pytest.mark.parametrize("look", ["screen", "projector", "print"])
def test_contrast(look):
    dead, broken = run(die_holding), run(relied_on_by_two)
    drawn = [holders(whole, look=look, step=step) for whole in (made_by_hand(50), dead, broken) for step in (None, 3)]
    assert clear(picture.svg for picture in drawn) >= {
        "run", "wait", "cross", "tip", "plain", "many", "gone", "n", "h", "w", "x"}


def test_traces_at_random_are_drawn():
    for seed in range(30):
        trace = traces.at_random(seed)
        assert holders(trace).svg.endswith("</svg>")
    trace.dropped = 1
    assert "not known" in holders(trace).svg
