"""The package's only knowledge of calls: which argument names the kernel object, and what the call does with it.

CALLS says, for each call, what it does and where its object is named: by the index of an argument, by what the
method was called on ("on": a descriptor; "name": an object's name or id), or by the result. Calls that are not here
are drawn and told like all others; they only get no arrows.
"""
import re

from .trace import LongBytes

CALLS = {
    # gives bytes, messages or units; takes them ("gather": one giving call may not be enough; "drain": up to the end)
    "os.write": ("put", 0), "os.writev": ("put", 0), "os.eventfd_write": ("put", 0), "linux.write": ("put", 0),
    "os.read": ("get", 0), "os.readv": ("get", 0), "os.eventfd_read": ("get", 0), "linux.read": ("get", 0),
    "socket.send": ("put", "on"), "socket.sendall": ("put", "on"), "socket.sendmsg": ("put", "on"),
    "socket.sendto": ("send to", "on"), "socket.recv": ("get", "on"), "socket.recv_into": ("get", "on"),
    "socket.recvfrom": ("get", "on"), "socket.recvmsg": ("get", "on"),
    "file.write": ("put", "on"), "file.flush": ("put", "on"), "file.read": ("gather", "on"),
    "file.readline": ("gather", "on"), "file.readlines": ("drain", "on"), "file.readall": ("drain", "on"),
    "file.readinto": ("gather", "on"), "file.read1": ("get", "on"),
    "posix_ipc.MessageQueue.send": ("put", "name"), "posix_ipc.MessageQueue.receive": ("get", "name"),
    "posix_ipc.Semaphore.release": ("put", "name"), "posix_ipc.Semaphore.acquire": ("get", "name"),
    "sysv_ipc.MessageQueue.send": ("put", "name"), "sysv_ipc.MessageQueue.receive": ("gather", "name"),
    "sysv_ipc.Semaphore.release": ("put", "name"), "sysv_ipc.Semaphore.acquire": ("gather", "name"),
    "sysv_ipc.Semaphore.V": ("put", "name"), "sysv_ipc.Semaphore.P": ("gather", "name"),
    "multiprocessing.SemLock.release": ("put", "name"), "multiprocessing.SemLock.acquire": ("get", "name"),
    "linux.Mutex.unlock": ("put", "name"), "linux.Mutex.lock": ("own", "name"),
    "linux.Mutex.trylock": ("own", "name"), "linux.Mutex.timedlock": ("own", "name"),
    "fcntl.flock": ("lock", 0), "fcntl.lockf": ("lock", 0),
    "select.select": ("ready", "result"), "select.poll.poll": ("ready", "result"),
    "select.epoll.poll": ("ready", "result"),
    # makes, copies and closes descriptors
    "os.pipe": ("pipe", "result"), "os.pipe2": ("pipe", "result"), "socket.socketpair": ("pair", "result"),
    "os.openpty": ("openpty", "result"),
    "os.eventfd": ("eventfd", "result"), "os.mkfifo": ("mkfifo", 0), "os.open": ("open", 0), "open": ("open", 0),
    "os.dup": ("dup", 0), "os.dup2": ("dup2", 0), "os.dup3": ("dup2", 0), "fcntl.fcntl": ("fcntl", 0),
    "socket.dup": ("dup", "on"), "os.set_inheritable": ("inherit", 0), "socket.set_inheritable": ("inherit", "on"),
    "os.close": ("close", 0), "os.closerange": ("closerange", 0), "socket.close": ("close", "on"),
    "socket.detach": ("nothing", "on"), "file.close": ("close", "on"), "socket.shutdown": ("shutdown", "on"),
    "socket.bind": ("bind", "on"), "socket.getsockname": ("bind", "result"), "socket.connect": ("connect", "on"),
    "socket.accept": ("accept", "on"),
    # processes and signals, by pid
    "os.fork": ("birth", "result"), "os.forkpty": ("forkpty", "result"), "os.posix_spawn": ("spawn", "result"),
    "os.posix_spawnp": ("spawn", "result"), "_posixsubprocess.fork_exec": ("spawn", "result"),
    "os.wait": ("reap", "result"), "os.waitpid": ("reap", "result"), "os.wait3": ("reap", "result"),
    "os.wait4": ("reap", "result"), "os.waitid": ("reap", "result"), "os.pidfd_open": ("pidfd", 0),
    "os.kill": ("kill", 0), "os.killpg": ("killpg", 0), "linux.sigqueue": ("kill", 0),
    "signal.pidfd_send_signal": ("kill by pidfd", 0), "signal.pthread_kill": ("kill thread", 0),
    "handler": ("handle", 0), "signal.sigwait": ("take", "result"), "signal.sigwaitinfo": ("take", "result"),
    "signal.sigtimedwait": ("take", "result"), "linux.sigwaitinfo": ("take", "result"),
    "linux.sigtimedwait": ("take", "result"), "linux.signalfd": ("signalfd", "result"),
    "signal.signal": ("forget", 0), "signal.pthread_sigmask": ("forget", 1),
    "signal.alarm": ("arm", 0), "signal.setitimer": ("arm", 0),
}
BIRTHS = ("birth", "forkpty", "spawn")  # what calls do that return a child's pid
SENDS = ("kill", "killpg", "kill by pidfd", "kill thread")  # what calls do that send a signal, their second argument
FLOWS = ("put", "send to", "get", "gather", "drain")  # what calls do whose results count bytes
RANKS = {  # what a message carries beside its bytes: its word, its place among the arguments, and where it is not given
    "posix_ipc.MessageQueue.send": ("priority", 2, 0), "sysv_ipc.MessageQueue.send": ("type", 2, 1),
}
_PEEK = 2  # MSG_PEEK of recv(2), where a log has the number
EXEC = "os.exec"  # the calls whose names begin so replace the program


def act(event):
    """What the call does with its object, "" where that is not known."""
    return CALLS[event.call][0] if event.call in CALLS else ""


def signals_at(event):
    """The place of the argument that names a signal, or several; None for a call that has none."""
    what = act(event)
    if what in SENDS:
        return 1
    if what == "forget":
        return CALLS[event.call][1]
    return 0 if what in ("take", "signalfd") or event.call in ("signal.getsignal", "signal.raise_signal") else None


def never_returns(event):
    """Is this a call that, where it succeeds, does not return?"""
    return event.call in ("os._exit", "os.abort") or event.call.startswith(EXEC)


def byte_count(event):
    """How many bytes the call gave or took; None for calls that do neither."""
    if isinstance(event.result, (bytes, LongBytes)):
        return len(event.result)
    return event.result if act(event) in FLOWS and type(event.result) is int else None


def amount(event):
    """How much the call gave or took: bytes, or the length of the message, or 1."""
    result, given = event.result, event.args[0] if event.args else None
    for data in (result, result[0] if isinstance(result, tuple) and result else None, given):
        if isinstance(data, (bytes, str, LongBytes)):
            return len(data)
    return result if type(result) is int else 1


def peeks(event):
    """Does it leave what it looks at where it is? See recv(2), MSG_PEEK."""
    if not event.call.startswith("socket.recv"):
        return False
    place = 1 if event.call in ("socket.recv", "socket.recvfrom") else 2
    flags = event.args[place] if len(event.args) > place else event.keywords.get("flags", 0)
    return "MSG_PEEK" in flags if isinstance(flags, str) else bool(flags & _PEEK)


def number(value, key):
    """The number that a value stands for: itself, the first of a tuple, or what a dict, or a repr such as
    <socket fd=5>, says of the key; None where it names none."""
    if isinstance(value, dict):
        value = value.get(key)
    if isinstance(value, (tuple, list)) and value:
        value = value[0]
    if type(value) is int:
        return value
    found = re.search(rf"\b{key}=(\d+)", value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def program(event):
    """The name of the program that an exec names."""
    words = event.args[1] if len(event.args) > 1 and isinstance(event.args[1], (list, tuple)) else event.args[:1]
    return str(words[0]).rpartition("/")[2] if words else event.call
