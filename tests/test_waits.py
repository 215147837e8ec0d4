"""Why is it waiting: who waits for whom, told of real processes, and what is said only where it is certain."""
import ctypes
import fcntl
import mmap
import os
import queue
import re
import select
import signal
import socket
import threading
import time
import xml.etree.ElementTree as ElementTree

import posix_ipc
import pytest
import sysv_ipc
from contrast import SVG, contrast, painted
from person import Kernel

from ipclab import Trace, linux, name, run, waits, wakers
from ipclab.look import LOOKS
from ipclab.trace import Process, Stuck
from ipclab.waiting import graph

pytestmark = pytest.mark.usefixtures("nothing_left")
DEADLINES = (0.5, 2, 8)  # the longer ones for a machine so busy that the processes have not come so far


def settled(trace):
    """Whether all of the processes wait, and it is known for what."""
    return all(process.stuck and process.stuck.kind for process in trace.processes)


def deadline(experiment, there=settled):
    """The trace of a run that the deadline ended when what is to be seen was there; it survives a file."""
    for timeout in DEADLINES:
        trace = run(experiment, timeout=timeout)
        assert trace.timed_out, trace
        if there(trace):
            break
    assert Trace.from_json(trace.to_json()) == trace
    return trace


def ended(experiment, there=settled):
    """The Stucks of such a run, by the processes' names."""
    return {process.name: process.stuck for process in deadline(experiment, there).processes if process.stuck}


def pair():
    """Two processes that wait for each other's pipe (made here, so that a run need not import this file)."""
    def a_pair():
        (a, b), (c, d) = os.pipe(), os.pipe()
        if os.fork() == 0:
            name("child")
            os.close(b)
            os.close(c)
            os.read(a, 5)
            os._exit(0)
        name("parent")
        os.close(a)
        os.close(d)
        os.read(c, 5)

    return a_pair


def test_a_forgotten_descriptor():
    def forgets():
        name("reader")
        r, w = os.pipe()
        os.read(r, 5)

    [stuck] = ended(forgets).values()
    assert (stuck.state, stuck.call, stuck.fd, stuck.kind, stuck.holders) == (
        "S", "os.read(3, 5)", 3, "pipe", [("reader", 4)])
    assert stuck.for_good and stuck.circle == ["reader"] and stuck.filled == (0, 65536)
    assert re.fullmatch(r"waits in os.read\(3, 5\) for pipe:\[\d+\]; the other end is held open by reader \(fd 4\); "
                        "it waits for itself; only a signal can end this", str(stuck))


def test_two_processes_and_two_pipes():
    told = ended(pair())
    assert told["parent"].circle == ["parent", "child"] and told["child"].circle == ["child", "parent"]
    assert all(stuck.for_good for stuck in told.values())
    assert str(told["parent"]).endswith("they wait in a circle: parent → child → parent; only a signal can end this")


def test_a_full_pipe_that_its_reader_never_reads():
    def fills():
        r, w = os.pipe()
        if os.fork() == 0:
            name("writer")
            os.write(w, bytes(100_000))
        name("reader")
        os.close(w)
        os.wait()

    told = ended(fills)
    assert told["writer"].filled == (65536, 65536) and ("reader", 3) in told["writer"].holders
    assert told["reader"].kind == "child" and told["reader"].holders == [("writer", None)]
    assert "for the end of writer; they wait in a circle: reader → writer → reader" in str(told["reader"])


def test_who_can_be_woken_is_not_given_up():
    """A sleeper, a wait with a time limit, a process that computes: each can still wake the one that waits for it."""
    def sleeps(_r):
        time.sleep(60)

    def polls(r):
        poll = select.poll()
        poll.register(r)
        poll.poll(60_000)

    def computes(_r):
        while True:
            pass

    def stops(_r):
        os.kill(os.getpid(), signal.SIGSTOP)

    def pauses(_r):
        signal.pause()

    def made(other):
        def waits_for_other():
            r, w = os.pipe()
            if os.fork() == 0:
                name("other")
                other(r)
            name("reader")
            os.close(w)
            os.read(r, 1)

        return waits_for_other

    for other in (sleeps, computes, stops, pauses, polls):
        told = ended(made(other), lambda trace: trace.processes[0].stuck.kind == "pipe" and len(trace.processes) == 2
                     and trace.processes[1].name == "other")
        assert ("other", 4) in told["reader"].holders
        assert not any(stuck.for_good or stuck.circle for stuck in told.values()), (other, told)


def test_who_goes_on_is_never_said_to_be_stuck():
    """Two processes that hand each other a byte, each of them nearly always in read()."""
    def ping_pong():
        (a, b), (c, d) = os.pipe(), os.pipe()
        first = os.fork() == 0
        os.write(b, b"x") if first else None
        while True:
            os.write(d, os.read(a, 1)) if first else os.write(b, os.read(c, 1))

    for _time in range(8):
        for process in run(ping_pong, timeout=0.1).processes:
            assert process.stuck is None or not process.stuck.for_good and not process.stuck.circle, process


def test_locks_of_files():
    def embrace():
        one, other = open("one", "w"), open("other", "w")
        r, w = os.pipe()
        if os.fork() == 0:
            name("B")
            one, other = open("one", "w"), open("other", "w")
            fcntl.flock(other, fcntl.LOCK_EX)
            os.write(w, b"x")
            fcntl.flock(one, fcntl.LOCK_EX)
        name("A")
        fcntl.flock(one, fcntl.LOCK_EX)
        os.read(r, 1)
        fcntl.flock(other, fcntl.LOCK_EX)

    told = ended(embrace)
    assert (told["A"].kind, told["A"].object, told["B"].object) == ("lock", "other", "one")
    assert [who for who, _fd in told["A"].holders] == ["B"] and [who for who, _fd in told["B"].holders] == ["A"]
    assert told["A"].circle == ["A", "B"] and told["A"].for_good
    assert "for a lock on other; it is held by B" in str(told["A"])


def test_a_lock_of_a_process():
    def holds():
        file = open("f", "w")
        fcntl.lockf(file, fcntl.LOCK_EX)
        if os.fork() == 0:
            name("B")
            fcntl.lockf(file, fcntl.LOCK_EX)
        name("A")
        time.sleep(60)

    told = ended(holds)
    assert told["B"].holders[0][0] == "A" and not told["B"].for_good and told["A"].kind == "time"


def test_mutexes():
    def embrace():
        libc = ctypes.CDLL(None)
        memory, attributes = mmap.mmap(-1, 8192), ctypes.create_string_buffer(64)
        at = [ctypes.c_void_p(linux.address(memory) + 4096 * k) for k in range(2)]
        libc.pthread_mutexattr_init(attributes)
        libc.pthread_mutexattr_setpshared(attributes, 1)
        for mutex in at:
            libc.pthread_mutex_init(mutex, attributes)
        (a, b), (c, d) = os.pipe(), os.pipe()
        child = os.fork() == 0
        name("B" if child else "A")
        libc.pthread_mutex_lock(at[child])
        os.write(d if child else b, b"x")
        os.read(a if child else c, 1)
        libc.pthread_mutex_lock(at[not child])

    told = ended(embrace)
    assert (told["A"].kind, told["A"].holders, told["B"].holders) == ("mutex", [("B", None)], [("A", None)])
    assert told["A"].circle == ["A", "B"] and told["B"].for_good
    assert re.search(r"for a mutex in shared memory:\[\d+\], byte 4096; it is held by B; they wait in", str(told["A"]))
    assert told["B"].object == told["A"].object.replace("byte 4096", "byte 0")


def test_what_anyone_may_end_is_not_said_to_be_for_good():
    def fifo():
        os.mkfifo("p")
        os.open("p", os.O_RDONLY)

    def posix():
        posix_ipc.MessageQueue(f"/ipclab-test-{os.getpid()}", posix_ipc.O_CREX).receive()

    def system_v():
        sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX).receive()

    def semaphore():
        posix_ipc.Semaphore(f"/ipclab-test-{os.getpid()}", posix_ipc.O_CREX).acquire()

    kinds = {fifo: "opener", posix: "queue", system_v: "queue", semaphore: "futex"}
    for experiment, kind in kinds.items():
        [stuck] = ended(experiment).values()
        assert stuck.kind == kind and not stuck.for_good and not stuck.circle, stuck
        if kind == "opener":
            assert str(stuck).endswith(" for somebody to open the other end of p")
        if experiment is posix:
            assert stuck.filled == (0, 10)


def test_two_ends_of_a_socket():
    """A circle; whether a socket has a time limit the kernel does not tell, so that it is not said to be for good."""
    def both_receive():
        a, b = socket.socketpair()
        if os.fork() == 0:
            name("child")
            a.close()
            b.recv(1)
        name("parent")
        b.close()
        a.recv(1)

    told = ended(both_receive)
    assert told["parent"].kind == "socket" and told["parent"].holders == [("child", 4)]
    assert told["parent"].circle == ["parent", "child"] and not told["parent"].for_good


def test_threads_count():
    def one_of_them_can():
        r, w = os.pipe()
        threading.Thread(target=time.sleep, args=(60,)).start()
        name("it")
        os.read(r, 1)

    def none_of_them_can():
        r, w = os.pipe()
        threading.Thread(target=os.read, args=(r, 1)).start()
        name("it")
        os.read(r, 1)

    assert not ended(one_of_them_can)["it"].for_good
    stuck = ended(none_of_them_can)["it"]
    assert stuck.for_good and [other.call for other in stuck.also] == ["read()"]


@pytest.mark.parametrize("way", ["poll", "select", "epoll"])
def test_waits_for_several_things(way):
    def waits_for_two():
        (r, _w), (r2, _w2) = os.pipe(), os.pipe()
        name("it")
        if way == "select":
            select.select([r, r2], [], [])
        poll = select.poll() if way == "poll" else select.epoll()
        poll.register(r, select.POLLIN)
        poll.register(r2, select.POLLIN)
        poll.poll()

    stuck = ended(waits_for_two)["it"]
    assert [stuck.fd, *(other.fd for other in stuck.also)] == [3, 5] and stuck.for_good
    assert [stuck.holders, stuck.also[0].holders] == [[("it", 4)], [("it", 6)]]


def test_names_that_several_have_are_told_apart():
    def alike():
        r, w = os.pipe()
        for _child in range(2):
            if os.fork() == 0:
                name("reader")
                os.read(r, 1)
        name("parent")
        os.close(r)
        os.wait()

    trace = deadline(alike)
    children = [process for process in trace.processes if process.name == "reader"]
    labels = {f"reader ({process.pid})" for process in children}
    assert {who for who, _fd in children[0].stuck.holders} == labels | {"parent"}
    assert {who for who, _fd in trace.process("parent").stuck.holders} == labels
    assert labels <= {one["name"] for one in graph_of(trace)["processes"]}


def graph_of(trace):
    from ipclab.waiting import told_apart

    names = told_apart({process.pid: process.name for process in trace.processes})
    return graph({names[process.pid]: process.stuck for process in trace.processes if process.stuck})


def test_the_unknown_opens_every_wait():
    """Where a process may not be looked into, or one was not seen, nothing is said to be for good."""
    one = {"state": "S", "parent": 1, "steady": True, "cwd": "/", "locks": [], "pid": 7, "descriptors": {
        3: {"object": "pipe:[5]", "kind": "pipe", "access": "read", "device": (0, 1), "inode": 5, "queued": None},
        4: {"object": "pipe:[5]", "kind": "pipe", "access": "write", "device": (0, 1), "inode": 5, "queued": None}},
        "threads": [{"tid": 7, "state": "S", "call": "read", "arguments": {"fd": 3, "object": "pipe:[5]", "size": 1}}]}
    unseen = one | {"pid": 8, "descriptors": None, "threads": [{"tid": 8, "state": "S", "call": None, "arguments": {}}]}
    assert wakers.stucks({7: one}, {7: "a"}, True)[7].for_good
    assert not wakers.stucks({7: one}, {7: "a"}, False)[7].for_good
    assert not wakers.stucks({7: one | {"steady": False}}, {7: "a"}, True)[7].for_good
    assert not wakers.stucks({7: one, 8: unseen}, {7: "a", 8: "b"}, True)[7].for_good
    limit = one | {"threads": [one["threads"][0] | {"call": "poll", "arguments": {
        "fds": [{"fd": 3, "events": ("POLLIN",)}], "seconds": 3.0}}]}
    assert not wakers.stucks({7: limit}, {7: "a"}, True)[7].for_good


# The picture


def test_the_picture_says_what_the_graph_holds():
    trace = deadline(pair())
    told, picture = graph_of(trace), waits(trace)
    assert [(edge["kind"], edge["fd"]) for edge in told["edges"]] == [
        ("waits", 5), ("holds", 6), ("waits", 3), ("holds", 4)]
    assert all(one["for_good"] for one in told["processes"]) and len(told["objects"]) == 2
    root = ElementTree.fromstring(picture.svg)
    assert root.get("role") == "img" and root.get("aria-label") == picture.sentence
    assert "they wait in a circle: parent → child → parent" in picture.sentence
    kinds = [element.get("class") for element in root.iter(SVG + "path")]
    assert kinds.count("want") == 2 + 1 and kinds.count("wake") == 2 + 1  # and the legend's
    texts = {element.text for element in root.iter(SVG + "text")}
    assert {"parent", "child", "os.read(5, 5)", "fd 5", "fd 6", "empty", "waits for", "is held by"} <= texts
    assert 'role="img"' in picture._repr_mimebundle_()["text/html"]


def test_nobody_waits():
    assert waits(Trace()).sentence == "nobody waits" and "nobody waits" in waits(Trace()).svg
    with pytest.raises(ValueError, match="unknown"):
        waits(Trace(), look="dark")


def crowd(count=40):
    """Very many, of all kinds, with long names."""
    kinds = ("pipe", "FIFO", "lock", "mutex", "futex", "queue", "semaphore", "socket", "opener", "child", "time")
    processes = [Process(f"a process with a long name, the {k}th <&>", 100 + k, None, stuck=Stuck(
        "S" if k % 5 else "T", f"os.read({k}, b'{'x' * 60}')", k, f"object {k % 7} " + "y" * 50 if k % 11 < 9 else None,
        [(f"a process with a long name, the {(k + 1) % count}th <&>", 3), ("stranger", None)], kinds[k % 11], (k, 99),
        k % 3 == 0)) for k in range(count)]
    return Trace(processes=processes, timed_out=True)


@pytest.mark.parametrize("look", LOOKS)
def test_everything_stands_in_the_picture_and_can_be_read(look):
    chosen = LOOKS[look]
    for trace in (crowd(), crowd(5), deadline(pair())):
        picture = waits(trace, look=look)
        root = ElementTree.fromstring(picture.svg)
        boxes = [element for element in root.iter(SVG + "rect") if element.get("class") != "page"]
        assert all(0 <= float(box.get("x")) and float(box.get("x")) + float(box.get("width")) <= chosen.width
                   for box in boxes if box.get("x"))
        drawn = [one for one in painted(picture.svg) if one[0].get("class") != "page"]
        for element, inks, under in drawn:
            least = 4.5 if element.tag == SVG + "text" else 3.0
            found = [contrast(ink, ground) for ink in inks for spot in under for ground in spot]
            assert not found or (min(found) if element.tag == SVG + "text" else max(found)) >= least, element.attrib


# Live


EXPERIMENT = """
import os, time
from ipclab import explore, name

def reads(seconds=30):
    r, w = os.pipe()
    if os.fork() == 0:
        name("sleeper")
        os.write(w, b"abc")
        time.sleep(seconds)
        os._exit(0)
    name("reader")
    os.close(w)
    os.read(r, 3)
    os.read(r, 3)

shown = explore(reads, seconds=(1, 60), timeout=60)
shown
"""


@pytest.fixture
def kernel():
    with Kernel() as kernel:
        yield kernel


def looks(kernel, seconds, enough=1000):
    """What the kernel part shows in so many seconds, as it comes; no more than enough of it."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until and len(found) < enough:
        try:
            content = kernel.next(timeout=seconds)["content"]
        except queue.Empty:
            break  # the run has ended
        value = content.get("data", {}).get("state", {}).get("value", "") if "comm_id" in content else ""
        if isinstance(value, str) and "after the start" in value:
            found.append(value)
    return found


def test_what_the_kernel_says_while_a_run_goes_on(kernel):
    assert "error" not in (bundle := kernel.run(EXPERIMENT)), bundle
    switch = kernel.model(description="▸ what the kernel says")
    assert looks(kernel, 0.6) == []  # folded, it is not asked
    kernel.set(switch, value=True)
    seen = looks(kernel, 25, 20)
    assert len(seen) == 20
    assert "read(3 → pipe:[" in seen[-1] and "clock_nanosleep(" in seen[-1]
    assert "the other end is held open by sleeper (fd 4)" in seen[-1], seen[-1]
    assert "<td>sleeper (fd 3), sleeper (fd 4)</td>" in seen[-1], seen[-1]


def test_the_last_look_stays(kernel):
    kernel.run(EXPERIMENT.replace("(1, 60)", "[1, 2]"))
    switch = kernel.model(description="▸ what the kernel says")
    kernel.set(switch, value=True)
    seen = looks(kernel, 20, 3)
    kernel.run("assert shown.trace and not shown.trace.timed_out")
    kept = kernel.run("assert shown._timer is None and 'after the start' in shown.panel.parts['kernel'][1].value")
    assert seen and "error" not in kept, kept
