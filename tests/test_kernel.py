"""What the kernel says of a process, against what another source says; and that to look changes nothing."""
import ctypes
import errno
import fcntl
import mmap
import os
import select
import signal
import socket
import stat
import struct
import tempfile
import threading
import time

import posix_ipc
import psutil
import pytest
import sysv_ipc
from remains import descriptors, wait_for
from sitting import NOBODY, as_user, child, libc, sitting

from ipclab import decode, kernel, linux, opened, proc, run, syscalls

USERS = [None, NOBODY] if os.geteuid() == 0 else [None]
PAGE = mmap.PAGESIZE


@pytest.fixture(params=USERS, ids=str)
def user(request):
    return request.param


@pytest.fixture
def folder():
    """A folder that everyone may use, the working directory meanwhile."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o777)
        os.chdir(path)
        yield path
        os.chdir(before)


def unique(kind=""):
    return f"/{kind}ipclab-test-{os.getpid()}-{time.monotonic_ns()}"


# A process


def test_what_psutil_says_too(user):
    def body():
        with sitting(signal.pause, "pause") as pid:
            one, other = kernel.process(pid, among=()), psutil.Process(pid)
            assert (one["pid"], one["parent"], one["name"], one["state"]) == (pid, os.getpid(), other.name(), "S")
            assert one["uid"] == other.uids().effective and one["cwd"] == other.cwd()
            assert len(one["threads"]) == other.num_threads() == 1 and one["threads"][0]["tid"] == pid
            assert one["threads"][0]["switches"] == tuple(other.num_ctx_switches())
            assert one["memory"]["resident"] == other.memory_info().rss
            assert sum(one["memory"][part] for part in ("anonymous", "file", "shared")) == one["memory"]["resident"]
            assert one["text"] == "pause()" and one["denied"] == ()

    as_user(user, body)


def test_states_and_a_process_that_has_gone(user):
    def body():
        with child(lambda: os.kill(os.getpid(), signal.SIGSTOP)) as pid:
            os.waitpid(pid, os.WUNTRACED)
            assert kernel.process(pid, among=())["state"] == "T"
        assert kernel.process(pid) == {} and kernel.threads(pid) == [] and kernel.descriptors(pid) == {}
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert kernel.process(pid)["state"] == "Z"
        os.waitpid(pid, 0)
        for ask in (kernel.signals, kernel.faults, kernel.regions):
            with pytest.raises(FileNotFoundError):
                ask(pid)

    as_user(user, body)


def test_oneself():
    one = kernel.process(among=())
    assert one["pid"] == os.getpid() and one["state"] == "R" and one["call"] is None
    assert one["descriptors"].keys() == {fd for fd in descriptors() if os.path.exists(f"/proc/self/fd/{fd}")}
    assert one["signals"]["caught"] == kernel.signals(os.getpid())["caught"]


def test_what_only_root_may_know():
    def body():
        one = kernel.process(os.getppid(), among=())
        assert one["denied"] == ("descriptors", "call") and one["descriptors"] is None and one["call"] is None
        assert one["state"] in "RS" and one["signals"]["queue_limit"]
        with pytest.raises(PermissionError):
            kernel.descriptors(os.getppid())
        with pytest.raises(PermissionError):
            kernel.regions(os.getppid())

    if os.geteuid() == 0:
        as_user(NOBODY, body)
    else:
        assert "descriptors" in kernel.process(1, among=())["denied"]


def test_threads(user):
    def does():
        r, _w = os.pipe()
        threading.Thread(target=os.read, args=(r, 1)).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        signal.pause()

    def body():
        with sitting(does, "pause") as pid:
            wait_for(lambda: [one["call"] for one in kernel.threads(pid)] == ["pause", "read"], "both threads")
            first, second = kernel.process(pid, among=())["threads"]
            assert first["tid"] == pid and sorted(os.listdir(f"/proc/{pid}/task")) == sorted(
                [str(pid), str(second["tid"])])
            assert first["blocked"] == ("SIGUSR2",) and second["blocked"] == ()
            assert second["arguments"]["object"].startswith("pipe:[") and second["text"].startswith("read(")

    as_user(user, body)


def test_signals_by_name(user):
    def does():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMIN + 2])
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_args: None)
        os.sched_yield()
        signal.sigwait([signal.SIGHUP])

    def body():
        with sitting(does, "rt_sigtimedwait") as pid:
            before = kernel.signals(pid)["queued"]
            os.kill(pid, signal.SIGUSR1)
            for value in range(3):
                linux.sigqueue(pid, signal.SIGRTMIN + 2, value)
            told = kernel.signals(pid)
            assert told["process_pending"] == ("SIGUSR1", "SIGRTMIN+2") and told["pending"] == ()
            assert told["blocked"] == ("SIGUSR1", "SIGRTMIN+2") and "SIGTERM" in told["caught"]
            assert {"SIGUSR2", "SIGPIPE"} <= set(told["ignored"])
            assert user is None or told["queued"] == before + 4  # as root others queue too
            again = kernel.process(pid, among=())["signals"]
            assert again | {"queued": 0} == told | {"queued": 0}

    as_user(user, body)


def test_faults(user):
    def does():
        with mmap.mmap(-1, 1000 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            memory.madvise(mmap.MADV_NOHUGEPAGE)
            before = kernel.faults()[0]
            for page in range(1000):
                memory[page * PAGE] = 1
            os.kill(os.getpid(), 0)
            assert 1000 <= kernel.faults()[0] - before < 1100
        signal.pause()

    def body():
        with sitting(does, "pause") as pid:
            assert kernel.faults(pid)[0] >= 1000 and kernel.process(pid, among=())["faults"] == kernel.faults(pid)

    as_user(user, body)
    assert kernel.faults()[0] > 0


# Memory


def test_regions_of_a_file_page_by_page(user, folder):
    def body():
        with open(f"pages{user}", "w+b") as file:
            file.truncate(4 * PAGE)
            shared = mmap.mmap(file.fileno(), 4 * PAGE)
            private = mmap.mmap(file.fileno(), 4 * PAGE, flags=mmap.MAP_PRIVATE)
        shared[:2 * PAGE] = b"s" * 2 * PAGE
        assert private[PAGE] == ord("s") and private[:1] == b"s"
        private[0] = 1
        one, other = kernel.region(shared), kernel.region(private)
        assert one["file"] == other["file"] == os.path.join(os.getcwd(), f"pages{user}")
        assert one["size"] == other["size"] == 4 * PAGE == one["end"] - one["start"] and one["page_size"] == PAGE
        assert one["start"] == linux.address(shared) and kernel.region(one["start"] + 5) == one
        assert (one["permissions"], one["shared"]) == ("rw-s", True)
        assert (other["permissions"], other["shared"]) == ("rw-p", False)
        assert other["private_dirty"] == other["anonymous"] == PAGE and one["anonymous"] == 0
        assert one["shared_dirty"] + one["private_dirty"] >= 2 * PAGE and one["resident"] >= 2 * PAGE
        assert one["inode"] == os.stat(f"pages{user}").st_ino and one["offset"] == 0
        with sitting(lambda: (private[:PAGE], signal.pause()), "pause") as pid:
            told = kernel.region(private, pid)
            assert told["anonymous"] == PAGE <= told["shared_dirty"]  # the copy is both processes' now
            assert told["private_dirty"] == 0
            assert [region["start"] for region in kernel.regions(pid)] == sorted(
                region["start"] for region in kernel.regions(pid))
            assert len(kernel.regions(pid)) == len(psutil.Process(pid).memory_maps(grouped=False))

    as_user(user, body)
    with pytest.raises(ValueError, match="nothing is mapped"):
        kernel.region(4096)


def test_what_has_no_disk():
    assert kernel.in_memory("/dev/shm") and not kernel.in_memory("/proc/self")


# Descriptors


def test_pipes_and_who_has_them(user):
    def body():
        r, w = os.pipe()
        os.set_blocking(w, False)
        os.write(w, b"hello")
        size = struct.unpack("i", fcntl.ioctl(r, opened.FIONREAD, bytes(4)))[0]
        with sitting(signal.pause, "pause") as pid:
            one = kernel.descriptors(pid, among=[os.getpid(), pid])
            assert one[r]["object"] == one[w]["object"] == os.readlink(f"/proc/self/fd/{r}")
            assert (one[r]["kind"], one[r]["access"], one[w]["access"]) == ("pipe", "read", "write")
            assert one[w]["flags"] == ("O_NONBLOCK",) and one[r]["flags"] == () and one[r]["close_on_exec"]
            assert one[r]["inode"] == os.fstat(r).st_ino
            assert one[r]["queued"] == size == 5 and one[r]["capacity"] == fcntl.fcntl(r, fcntl.F_GETPIPE_SZ)
            others = {(other["pid"], other["fd"]): other for other in one[r]["others"]}
            assert others.keys() == {(os.getpid(), r), (os.getpid(), w), (pid, w)}
            assert others[os.getpid(), r]["same_description"] is True
            assert others[pid, w] == {"pid": pid, "fd": w, "access": "write", "same_description": False}
            assert kernel.descriptors(pid, among=())[r]["others"] == []

    as_user(user, body)


def test_bytes_in_anothers_pipe(user):
    """Only where it is asked for, and only by a duplicate of a write end whose process waits."""
    def body():
        r, w = os.pipe()

        def does():
            os.close(r)
            os.write(w, b"12345")
            signal.pause()

        with sitting(does, "pause") as pid:
            os.close(w)
            before = descriptors()
            assert kernel.descriptors(pid, among=())[w]["queued"] is None
            assert kernel.descriptors(pid, among=(), queues=True)[w]["queued"] == 5
            assert descriptors().keys() == before.keys()
        os.close(r)
        r, w = os.pipe()
        with sitting(lambda: (os.close(w), signal.pause()), "pause") as pid:  # it has the read end alone
            os.close(r)
            os.close(w)
            assert kernel.descriptors(pid, among=(), queues=True)[r]["queued"] is None

    as_user(user, body)


def test_files_offsets_and_shared_descriptions(user, folder):
    def body():
        path = f"file{user}"
        one = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.write(one, b"0123456789")
        again, copy = os.open(path, os.O_RDONLY), os.dup(one)
        os.lseek(one, 4, os.SEEK_SET)
        told = kernel.descriptors(among=[os.getpid()])
        assert told[one]["offset"] == told[copy]["offset"] == 4 and told[again]["offset"] == 0
        assert told[one]["flags"] == ("O_APPEND",) and told[one]["kind"] == "file"
        assert {other["fd"]: other["same_description"] for other in told[one]["others"]} == {copy: True, again: False}

    as_user(user, body)


def test_descriptors_of_all_kinds(user, folder):
    def body():
        os.mkfifo(f"fifo{user}")
        watched, other = os.pipe()
        poll = select.epoll()
        poll.register(watched, select.EPOLLIN)
        inotify = libc.inotify_init()
        watch = libc.inotify_add_watch(inotify, os.getcwd().encode(), 0x100)  # IN_CREATE
        timer = libc.timerfd_create(1, 0)
        libc.timerfd_settime(timer, 0, struct.pack("@4l", 5, 0, 100, 0), None)
        queue, memory = posix_ipc.MessageQueue(unique(), posix_ipc.O_CREX), posix_ipc.SharedMemory(
            unique(), posix_ipc.O_CREX, size=PAGE)
        queue.send(b"abc")
        made = {"epoll": poll.fileno(), "inotify": inotify, "timerfd": timer, "message queue": queue.mqd,
                "shared memory": memory.fd, "memfd": os.memfd_create("m"), "eventfd": os.eventfd(7),
                "signalfd": linux.signalfd([signal.SIGUSR1]), "pidfd": os.pidfd_open(os.getppid()),
                "FIFO": os.open(f"fifo{user}", os.O_RDWR), "directory": os.open(".", os.O_RDONLY),
                "character device": os.open("/dev/null", os.O_RDONLY), "socket": socket.socket().detach()}
        try:
            told = kernel.descriptors(among=())
            assert {kind: told[fd]["kind"] for kind, fd in made.items()} == {kind: kind for kind in made}
            of = {kind: told[fd] for kind, fd in made.items()}
            assert of["epoll"]["watches"] == [{"fd": watched, "events": 0x19, "inode": os.fstat(watched).st_ino}]
            assert of["inotify"]["watches"] == [{"watch": watch, "inode": os.stat(".").st_ino, "events": 0x100}]
            assert of["timerfd"]["clock"] == 1 and 0 < of["timerfd"]["left"] <= 100 and of["timerfd"]["interval"] == 5
            assert of["eventfd"]["count"] == 7 and not of["eventfd"]["semaphore"]
            assert of["signalfd"]["signals"] == ("SIGUSR1",) and of["pidfd"]["pid"] == os.getppid()
            assert of["message queue"]["queued"] == queue.current_messages == 1
            assert (of["message queue"]["most"], of["message queue"]["message_size"], of["message queue"]["bytes"]) == (
                queue.max_messages, queue.max_message_size, 3)
            with sitting(signal.pause, "pause") as pid:
                theirs = kernel.descriptors(pid, among=(os.getpid(),))
                assert theirs[queue.mqd]["queued"] == 1 and theirs[made["eventfd"]]["count"] == 7
                assert {one["fd"] for one in theirs[poll.fileno()]["others"]} == {poll.fileno()}
                assert {one["fd"] for one in theirs[made["eventfd"]]["others"]} == {made["eventfd"]}
        finally:
            queue.unlink()
            memory.unlink()

    as_user(user, body)


# Sockets


def inode(sock):
    return os.fstat(sock.fileno()).st_ino


def waiting_bytes(sock):
    return struct.unpack("i", fcntl.ioctl(sock, opened.FIONREAD, bytes(4)))[0]


def test_unix_sockets(user, folder):
    def body():
        a, b = socket.socketpair()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"s{user}")
        listener.listen(5)
        a.send(b"hello")
        told = kernel.sockets()
        assert (told[inode(a)]["peer"], told[inode(b)]["peer"]) == (inode(b), inode(a))
        assert told[inode(b)]["receive_queue"] == waiting_bytes(b) == 5 and told[inode(a)]["receive_queue"] == 0
        assert told[inode(a)]["send_queue"] > 0 == told[inode(b)]["send_queue"]
        assert (told[inode(a)]["family"], told[inode(a)]["type"], told[inode(a)]["state"]) == (
            "AF_UNIX", "SOCK_STREAM", "CONNECTED")
        assert (told[inode(listener)]["path"], told[inode(listener)]["state"]) == (f"s{user}", "LISTEN")
        with sitting(lambda: b.recv(100) and b.recv(1), "recvfrom") as pid:
            found = kernel.descriptors(pid, among=[os.getpid()])[b.fileno()]
            assert found["peer"] == inode(a) and found["receive_queue"] == 0

    as_user(user, body)


def test_internet_sockets(user):
    def body():
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            told = kernel.sockets()
            assert told[inode(server)]["receive_queue"] == 1 and told[inode(server)]["state"] == "LISTEN"
            there, _address = server.accept()
        client.send(b"x" * 1000)
        wait_for(lambda: waiting_bytes(there) == 1000, "the bytes")
        told = kernel.sockets(os.getpid())
        assert told[inode(there)]["receive_queue"] == 1000 and told[inode(client)]["peer"] == inode(there)
        assert told[inode(client)]["local"] == client.getsockname() == told[inode(there)]["remote"]
        assert told[inode(client)]["state"] == "ESTABLISHED"
        there.recv(1000)
        there.close()
        wait_for(lambda: kernel.sockets()[inode(client)]["state"] == "CLOSE_WAIT", "the end")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            udp.bind(("::1", 0))
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
                for _datagram in range(50):
                    sender.sendto(b"y" * 500, udp.getsockname())
            one = kernel.sockets()[inode(udp)]
            received = 0
            udp.setblocking(False)
            try:
                while udp.recv(1000):
                    received += 1
            except BlockingIOError:
                pass
            assert one["local"] == udp.getsockname()[:2] and one["drops"] == 50 - received > 0

    as_user(user, body)


# Locks and objects


def test_locks(user, folder):
    def body():
        with open(f"locked{user}", "w") as file:
            there, fd = os.fstat(file.fileno()), file.fileno()
            fcntl.lockf(fd, fcntl.LOCK_EX, 10, 5)
            whole = os.open(f"locked{user}", os.O_RDWR)
            fcntl.flock(whole, fcntl.LOCK_SH)
            with sitting(lambda: fcntl.lockf(fd, fcntl.LOCK_EX), "fcntl") as pid:
                mine = [lock for lock in kernel.locks() if lock["inode"] == there.st_ino]
                key = {"device": (os.major(there.st_dev), os.minor(there.st_dev)), "inode": there.st_ino}
                posix, waits, flock = (next(lock for lock in mine if (lock["kind"], lock["waits"]) == kind)
                                       for kind in (("POSIX", False), ("POSIX", True), ("FLOCK", False)))
                number = {"number": posix["number"]}
                assert posix == number | key | {"kind": "POSIX", "mode": "WRITE", "waits": False, "pid": os.getpid(),
                                                "start": 5, "end": 14}
                assert waits == number | key | {"kind": "POSIX", "mode": "WRITE", "waits": True, "pid": pid,
                                                "start": 0, "end": None}
                assert (flock["mode"], flock["pid"], flock["end"]) == ("READ", os.getpid(), None)
                of = {who: [lock | {"number": 0} for lock in kernel.process(who, among=())["locks"]]
                      for who in (pid, os.getpid())}  # the number is a place in the machine's list, others' too
                assert of[pid] == [waits | {"number": 0}]
                assert of[os.getpid()] == [posix | {"number": 0}, flock | {"number": 0}] or (
                    of[os.getpid()] == [flock | {"number": 0}, posix | {"number": 0}])
                told = kernel.descriptors(pid, among=())
                assert [lock["kind"] for lock in told[whole]["locks"]] == ["FLOCK"]  # inherited, with the description
                assert told[fd]["locks"] == []

    as_user(user, body)


def test_system_v_objects(user):
    def body():
        queue, memory, semaphore = (kind(None, sysv_ipc.IPC_CREX) for kind in (
            sysv_ipc.MessageQueue, lambda key, flags: sysv_ipc.SharedMemory(key, flags, size=3 * PAGE),
            sysv_ipc.Semaphore))
        try:
            queue.send(b"hello", type=3)
            memory.write(b"x")
            semaphore.release()
            semaphore.acquire()

            def find(table, one):
                return next(told for told in table()["System V"] if told["id"] == one.id)

            told = find(kernel.message_queues, queue)
            assert (told["queued"], told["bytes"], told["last_sender"], told["last_receiver"], told["key"]) == (
                queue.current_messages, 5, os.getpid(), None, queue.key) and told["permissions"] == queue.mode
            told = find(kernel.shared_memory, memory)
            assert (told["size"], told["attached"], told["creator"], told["uid"]) == (
                memory.size, memory.number_attached, os.getpid(), os.geteuid()) and not told["removed"]
            assert PAGE <= told["resident"] <= memory.size
            with sitting(semaphore.acquire, "semtimedop") as pid:
                told = find(kernel.semaphores, semaphore)["semaphores"]
                assert told == [{"value": semaphore.value, "waiting": semaphore.waiting_for_nonzero,
                                 "waiting_for_zero": 0, "last": semaphore.last_pid}]
                assert semaphore.waiting_for_nonzero == 1
                arguments = kernel.process(pid, among=())["arguments"]
                assert arguments["id"] == semaphore.id and arguments["seconds"] is None
                assert arguments["operations"] == [{"number": 0, "change": -1, "flags": ()}]
            with sitting(lambda: queue.receive(type=9), "msgrcv") as pid:
                assert kernel.process(pid, among=())["arguments"] == {"id": queue.id, "size": 2048, "type": 9}
        finally:
            for one in (queue, memory, semaphore):
                one.remove()

    as_user(user, body)


def test_posix_objects(user):
    def body():
        memory = posix_ipc.SharedMemory(unique(), posix_ipc.O_CREX, size=5 * PAGE)
        semaphore = posix_ipc.Semaphore(unique(), posix_ipc.O_CREX, initial_value=3)
        try:
            os.pwrite(memory.fd, b"x", 0)
            [told] = [one for one in kernel.shared_memory()["POSIX"] if one["name"] == memory.name]
            assert (told["size"], told["allocated"], told["inode"]) == (5 * PAGE, PAGE, os.fstat(memory.fd).st_ino)
            for _time in range(3):
                semaphore.acquire()
            with sitting(semaphore.acquire, "futex"):
                [told] = [one for one in kernel.semaphores()["POSIX"] if one["name"] == semaphore.name]
                assert (told["value"], told["waiting"], told["permissions"]) == (semaphore.value, 1, 0o600)
        finally:
            memory.unlink()
            semaphore.unlink()

    as_user(user, body)


def in_namespaces(body):
    """Do it with an mqueue file system of its own at ./mqueue; skip where the machine gives no such namespaces."""
    CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x8000000, 0x10000000

    def inside():
        flags = CLONE_NEWNS | CLONE_NEWIPC | (CLONE_NEWUSER if os.geteuid() else 0)
        if libc.unshare(flags) or libc.mount(b"none", b"/", None, 1 << 18 | 1 << 14, None) or libc.mount(
                b"mqueue", b"mqueue", b"mqueue", 0, None):
            raise OSError(errno.EPERM, "this machine gives no namespaces")
        body()

    os.mkdir("mqueue")
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            inside()
            os._exit(0)
        except BaseException as error:
            os.write(w, repr(error).encode())
        finally:
            os._exit(1)
    os.close(w)
    with os.fdopen(r) as told:
        text = told.read()
    os.waitpid(pid, 0)
    if "no namespaces" in text:
        pytest.skip(text)
    assert not text


def test_message_queues_where_they_can_be_listed(folder):
    def body():
        queue = posix_ipc.MessageQueue("/q", posix_ipc.O_CREX, mode=0o600)
        other = posix_ipc.MessageQueue("/other", posix_ipc.O_CREX)
        other.close()
        queue.send(b"hello")
        queue.receive()
        queue.request_notification(signal.SIGUSR1)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        for _look in range(3):
            told = {one["name"]: one for one in kernel.message_queues()["POSIX"]}
            kernel.process(among=())
        assert told["/q"]["notify"] == os.getpid() and told["/other"]["notify"] is None
        assert (told["/q"]["queued"], told["/q"]["most"], told["/q"]["permissions"]) == (0, 10, 0o600)
        queue.send(b"now")
        assert signal.sigtimedwait([signal.SIGUSR1], 5).si_pid == os.getpid()  # the registration has stayed
        assert kernel.message_queues()["POSIX"][-1]["bytes"] == 3

    in_namespaces(body)


def test_without_an_mqueue_file_system_nobody_can_list_queues():
    mounted = any(line.split(" - ")[1].startswith("mqueue ") for line in open("/proc/self/mountinfo"))
    assert (kernel.message_queues()["POSIX"] is None) == (not mounted)


# Calls and their arguments


def pipe_read():
    r, w = os.pipe()
    return lambda: os.read(r, 77), "read", lambda told: told == {
        "fd": r, "object": os.readlink(f"/proc/self/fd/{r}"), "size": 77}


def full_write():
    _r, w = os.pipe()
    return lambda: os.write(w, bytes(1 << 20)), "write", lambda told: (told["fd"], told["size"]) == (w, 1 << 20)


def poll_two():
    (r, w), poll = os.pipe(), select.poll()
    poll.register(r, select.POLLIN)
    poll.register(w, select.POLLERR | select.POLLPRI)
    return lambda: poll.poll(50_000), "poll", lambda told: told["seconds"] == 50 and [
        (one["fd"], one["events"]) for one in told["fds"]] == [(r, ("POLLIN",)), (w, ("POLLPRI", "POLLERR"))]


def select_two():
    (r, w), (r2, _w2) = os.pipe(), os.pipe()
    return lambda: select.select([r, r2], [], [w], 50), ("select", "pselect6"), lambda told: [
        [one["fd"] for one in told[kind]] for kind in ("read", "write", "other")] == [[r, r2], [], [w]] and (
        told["seconds"] == 50)


def epoll():
    r, _w = os.pipe()
    poll = select.epoll()
    poll.register(r, select.EPOLLIN)
    return poll.poll, ("epoll_wait", "epoll_pwait"), lambda told: (told["fd"], told["seconds"]) == (
        poll.fileno(), None)


def sleep():
    return lambda: time.sleep(1000), ("clock_nanosleep", "nanosleep"), lambda told: 990 < told["seconds_left"] <= 1000


def wait_for_a_child():
    def does():
        if (pid := os.fork()) == 0:
            signal.pause()
        os.waitpid(pid, 0)
    return does, "wait4", lambda told: told["pid"] > 0 and told["options"] == ()


def waitid():
    def does():
        if os.fork() == 0:
            signal.pause()
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    return does, "waitid", lambda told: (told["idtype"], told["options"]) == ("P_ALL", ("WEXITED", "WNOWAIT"))


def sigtimedwait():
    return lambda: linux.sigtimedwait([signal.SIGUSR1, signal.SIGRTMIN], 60.5), "rt_sigtimedwait", (
        lambda told: told == {"signals": ("SIGUSR1", "SIGRTMIN"), "seconds": 60.5})


def open_fifo():
    os.mkfifo(path := f"fifo{time.monotonic_ns()}")
    key = os.stat(path)
    return lambda: os.open(path, os.O_WRONLY), "openat", lambda told: told["path"] == path and told["FIFO"] == (
        (os.major(key.st_dev), os.minor(key.st_dev)), key.st_ino) and told["flags"] == ("O_WRONLY", "O_CLOEXEC")


def record_lock():
    fd = os.open(f"lock{time.monotonic_ns()}", os.O_RDWR | os.O_CREAT)
    fcntl.lockf(fd, fcntl.LOCK_EX, 8, 4)
    return lambda: fcntl.lockf(fd, fcntl.LOCK_EX, 2, 6), "fcntl", lambda told: (
        told["command"], told["lock"], told["start"], told["length"]) == ("F_SETLKW", "F_WRLCK", 6, 2)


def file_lock():
    path = f"lock{time.monotonic_ns()}"
    one, other = (os.open(path, os.O_RDWR | os.O_CREAT) for _time in range(2))
    fcntl.flock(one, fcntl.LOCK_EX)
    return lambda: fcntl.flock(other, fcntl.LOCK_SH), "flock", lambda told: (told["fd"], told["operation"]) == (
        other, ("LOCK_SH",))


def queue_receive():
    queue = posix_ipc.MessageQueue(unique(), posix_ipc.O_CREX)
    queue.unlink()
    return lambda: queue.receive(500), "mq_timedreceive", lambda told: told["fd"] == queue.mqd and (
        499 < told["seconds_left"] <= 500)


def semaphore_in_shared_memory():
    memory = mmap.mmap(-1, PAGE)
    where = linux.address(memory)
    libc.sem_init(ctypes.c_void_p(where), 1, 0)
    return lambda: memory and libc.sem_wait(ctypes.c_void_p(where)), "futex", lambda told: (
        told["address"], told["mapping"]["shared"], told["mutex"], told["private"], told["seconds"]) == (
        where, True, None, False, None)


CALLS = (pipe_read, full_write, poll_two, select_two, epoll, sleep, wait_for_a_child, waitid, sigtimedwait, open_fifo,
         record_lock, file_lock, queue_receive, semaphore_in_shared_memory)


@pytest.mark.parametrize("make", CALLS, ids=lambda make: make.__name__)
def test_arguments(make, user, folder):
    def body():
        does, call, right = make()
        names = (call,) if isinstance(call, str) else call
        with child(does) as pid:
            told = wait_for(lambda: (one := kernel.process(pid, among=())) and one["call"] in names and one, call)
            assert right(told["arguments"]), told["arguments"]
            assert told["text"].startswith(f"{told['call']}(")
            for grandchild in psutil.Process(pid).children():
                grandchild.kill()

    as_user(user, body)


class Mutex:
    """A process-shared pthread mutex in shared memory; `kind` of pthread_mutexattr_settype(3)."""

    def __init__(self, kind=0, robust=0, priority=0):
        self.memory, attributes = mmap.mmap(-1, PAGE), ctypes.create_string_buffer(64)
        self.at = ctypes.c_void_p(linux.address(self.memory))
        libc.pthread_mutexattr_init(attributes)
        libc.pthread_mutexattr_setpshared(attributes, 1)
        libc.pthread_mutexattr_settype(attributes, kind)
        libc.pthread_mutexattr_setrobust(attributes, robust)
        libc.pthread_mutexattr_setprotocol(attributes, priority)
        assert libc.pthread_mutex_init(self.at, attributes) == 0

    def lock(self):
        assert libc.pthread_mutex_lock(self.at) == 0


@pytest.mark.parametrize("options", [{}, {"kind": 1}, {"kind": 2}, {"robust": 1}, {"priority": 1},
                                     {"kind": 2, "robust": 1}], ids=str)
def test_the_owner_of_a_mutex(options, user):
    def body():
        mutex = Mutex(**options)
        mutex.lock()
        with sitting(mutex.lock, "futex") as pid:
            told = kernel.process(pid, among=())["arguments"]
            assert told["mutex"] == {"owner": os.getpid(), "thread": threading.get_native_id()}, told
            assert told["address"] == mutex.at.value and told["mapping"]["start"] <= mutex.at.value

    as_user(user, body)


def test_every_call_has_one_number_a_machine():
    for machine in ("x86_64", "aarch64"):
        table = syscalls._table(machine)
        assert len({name for name, _arguments in table.values()}) == len(table) > 50
        assert {argument for _name, arguments in table.values() for argument in arguments} - {"-"} <= (
            decode._ARGUMENTS.keys() | {"address", "size", "offset", "buffers", "events", "messages", "priority",
                                        "request", "value", "type"})


# To look changes nothing


def look_without_end(pids, ready):
    """In a process that has none of their pipes: look at the processes as fast as can be, and say through `ready`
    that it has begun."""
    os.closerange(3, ready)
    os.closerange(ready + 1, 1000)
    while True:
        for pid in pids:
            kernel.process(pid, among=pids, queues=True)
        if ready is not None:
            os.write(ready, b".")
            ready = None


def looked_at(pids):
    """A process that looks at these at full speed, once it has begun."""
    r, w = os.pipe()
    looker = child(lambda: look_without_end(pids, w))
    pid = looker.__enter__()
    assert os.read(r, 1) == b"."
    os.close(r)
    os.close(w)
    return looker, pid


def test_the_end_of_file_comes(user):
    """A writer that waits, and so is looked into, ends: the reader, who waits in read(), hears of it, each time."""
    def body():
        for _time in range(10):
            (r, w), (go, start) = os.pipe(), os.pipe()
            with sitting(lambda r=r, start=start, go=go: (os.close(r), os.close(start), os.read(go, 1)),
                         "read") as writer:
                os.close(w)
                os.close(go)
                looker, pid = looked_at([writer])
                os.close(start)  # now the writer ends
                assert select.select([r], [], [], 20)[0] == [r] and os.read(r, 1) == b""
                assert kernel.process(pid, among=())["state"] in "RSD"  # and it still looks
                looker.__exit__(None, None, None)
            os.close(r)

    as_user(user, body)


def test_sigpipe_comes(user):
    """Reader and writer are looked at; the reader closes its end, only then the writer writes: each time it dies."""
    def body():
        for _time in range(10):
            (r, w), (go, start) = os.pipe(), os.pipe()

            def writes(r=r, w=w, go=go):
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.close(r)
                os.read(go, 1)
                os.write(w, b"x")

            writer = os.fork()
            if writer == 0:
                try:
                    writes()
                finally:
                    os._exit(7)
            looker, _pid = looked_at([writer, os.getpid()])
            os.close(r)
            os.write(start, b"!")
            assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == -signal.SIGPIPE
            looker.__exit__(None, None, None)
            for fd in (w, go, start):
                os.close(fd)

    as_user(user, body)


def test_a_registration_stays_though_others_look(user):
    def body():
        queue = posix_ipc.MessageQueue(unique(), posix_ipc.O_CREX)
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            queue.request_notification(signal.SIGUSR1)
            looker, _pid = looked_at([os.getpid()])
            for _look in range(20):
                assert kernel.process(among=())["descriptors"][queue.mqd]["notify"] == os.getpid()
            queue.send(b"x")
            assert signal.sigtimedwait([signal.SIGUSR1], 20).si_pid == os.getpid()
            looker.__exit__(None, None, None)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
            queue.unlink()

    as_user(user, body)


def test_nothing_stays_open_and_nothing_is_moved(user, folder):
    def body():
        r, w = os.pipe()
        fd = os.open(f"f{user}", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"0123456789")
        os.write(w, b"abc")
        before, held = descriptors(), stat.S_ISFIFO(os.fstat(r).st_mode)
        for _look in range(50):
            kernel.process(among=[os.getpid()], queues=True)
            kernel.locks(), kernel.message_queues(), kernel.shared_memory(), kernel.semaphores(), kernel.sockets()
        assert descriptors().keys() == before.keys() and held
        assert os.lseek(fd, 0, os.SEEK_CUR) == 10 and os.read(r, 10) == b"abc"

    as_user(user, body)


# From an experiment


def test_calls_of_an_experiment_are_recorded():
    def looks():
        memory = mmap.mmap(-1, 3 * PAGE)
        memory[0] = 1
        print(kernel.region(memory)["resident"])
        kernel.faults()
        kernel.signals()
        kernel.process(among=())
        kernel.descriptors(None, ())

    trace = run(looks)
    assert [event.call for event in trace.events if event.call.startswith("kernel.")] == [
        "kernel.region", "kernel.faults", "kernel.signals", "kernel.process", "kernel.descriptors"], trace
    [region], [process] = trace.calls("kernel.region"), trace.calls("kernel.process")
    assert region.result["size"] == 3 * PAGE and f"{region.result['resident']}\n" == trace.output
    assert process.result["pid"] == trace.processes[0].pid and process.keywords == {"among": ()}
    assert process.result["descriptors"][0]["object"] == "/dev/null"


def test_the_first_thread_comes_first_when_numbers_have_begun_anew(monkeypatch):
    monkeypatch.setattr(os, "listdir", lambda _folder: ["40", "30", "20"])
    assert proc.tids(30) == [30, 20, 40]
