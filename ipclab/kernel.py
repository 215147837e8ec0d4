"""What the kernel says of a process now, read from /proc without changing what is looked at: no descriptor of the
process's own objects is opened, since a second opener of a pipe would hold back EOF (proc(5))."""
import os
import platform

# The system calls in which processes usually wait, by number (asm/unistd.h), and whether argument 0 is a descriptor.
_CALLS = {
    "x86_64": {0: "read", 1: "write", 7: "poll", 19: "readv", 20: "writev", 23: "select", 34: "pause", 35: "nanosleep",
               42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 61: "wait4",
               65: "semop", 69: "msgsnd", 70: "msgrcv", 72: "fcntl", 73: "flock", 128: "rt_sigtimedwait",
               130: "rt_sigsuspend", 202: "futex", 220: "semtimedop", 230: "clock_nanosleep", 232: "epoll_wait",
               242: "mq_timedsend", 243: "mq_timedreceive", 247: "waitid", 257: "openat", 270: "pselect6", 271: "ppoll",
               281: "epoll_pwait", 288: "accept4"},
    "aarch64": {22: "epoll_pwait", 25: "fcntl", 32: "flock", 56: "openat", 63: "read", 64: "write", 65: "readv",
                66: "writev", 72: "pselect6", 73: "ppoll", 95: "waitid", 98: "futex", 101: "nanosleep",
                115: "clock_nanosleep", 133: "rt_sigsuspend", 137: "rt_sigtimedwait", 182: "mq_timedsend",
                183: "mq_timedreceive", 188: "msgrcv", 189: "msgsnd", 192: "semtimedop", 193: "semop", 202: "accept",
                203: "connect", 206: "sendto", 207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 242: "accept4",
                260: "wait4"},
}
_ON_DESCRIPTOR = {"read", "write", "readv", "writev", "accept", "accept4", "connect", "sendto", "recvfrom", "sendmsg",
                  "recvmsg", "fcntl", "flock", "epoll_wait", "epoll_pwait", "mq_timedsend", "mq_timedreceive"}


def snapshot(pids):
    """{pid: what /proc says of it}, for those that can be read; see `process`."""
    return {pid: process(pid) for pid in pids}


def process(pid):
    """{"state": letter, "call": name or None, "fd": number or None, "fds": {fd: (what it is, open flags)}}.

    `call` is the system call that it sits in, `fd` that call's first argument where it is a descriptor
    (proc_pid_syscall(5), which needs ptrace permission: None without). Empty where the process has gone.
    """
    try:
        with open(f"/proc/{pid}/stat") as file:
            state = file.read().rpartition(")")[2].split()[0]
    except OSError:
        return {}
    call, fd = _waits_in(pid)
    return {"state": state, "call": call, "fd": fd, "fds": descriptors(pid)}


def _waits_in(pid):
    try:
        with open(f"/proc/{pid}/syscall") as file:
            words = file.read().split()
    except OSError:
        return None, None
    if not words or words[0] in ("running", "-1"):
        return None, None
    name = _CALLS.get(platform.machine(), {}).get(int(words[0]), f"system call {words[0]}")
    return name, int(words[1], 16) & 0xFFFFFFFF if name in _ON_DESCRIPTOR else None


def descriptors(pid):
    """{fd: (what it is, open flags)}: ("pipe:[123]", 1), where the low two flag bits are 0 for reading, 1 for
    writing and 2 for both (proc_pid_fd(5), proc_pid_fdinfo(5))."""
    found = {}
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return found
    for number in numbers:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            with open(f"/proc/{pid}/fdinfo/{number}") as file:
                flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
        except (OSError, StopIteration):
            continue  # closed meanwhile
        found[int(number)] = target, flags
    return found


def in_memory(path):
    """Whether the path is on a file system without a disk (tmpfs, ramfs), as proc_pid_mountinfo(5) tells."""
    path, best = os.path.realpath(path), ("", "")
    for point, kind in _mounts():
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
            best = point, kind
    return best[1] in ("tmpfs", "ramfs")


def mounted_under(path):
    """Whether a file system is mounted at the path or below."""
    return any((point + "/").startswith(path + "/") for point, _kind in _mounts())


def _mounts():
    """[(mount point, type)] of all file systems."""
    try:
        with open("/proc/self/mountinfo") as file:
            lines = [line.partition(" - ") for line in file]
        return [(before.split()[4].replace("\\040", " "), after.split()[0]) for before, _dash, after in lines]
    except (OSError, IndexError):
        return []
