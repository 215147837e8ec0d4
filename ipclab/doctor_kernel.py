"""The doctor's checks of the kernel: the calls that the engine and the chapters make, tried.

Each check yields Findings, in a process of its own that may be spoiled (see doctor.py); whatever it makes it removes
again at once. The engine's needs come first: without them the finding is fatal.
"""
import ctypes
import mmap
import os
import platform
import signal
import sys
import time

from .doctor import Check, Finding
from .say import _

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
CLONE_NEWUSER = 0x10000000  # linux/sched.h


def system():
    if sys.platform != "linux":
        yield Finding("missing", sys.platform, _("the course is about Linux's kernel"),
                      _("run it on Linux: a virtual machine or a container will do"), True)
        return
    cores = len(os.sched_getaffinity(0))
    found = _("Linux {release} on {machine}, cores: {cores}").format(
        release=platform.release(), machine=platform.machine(), cores=cores)
    if cores == 1:
        yield Finding("limited", found, _("processes take turns: what is said of two cores does not show"))
    else:
        yield Finding("ok", found)


def user():
    if os.geteuid():
        yield Finding("ok", _("an ordinary user (uid {uid})").format(uid=os.geteuid()))
    else:
        yield Finding("limited", _("root"), _("permissions and some limits do not bind root, so a few lessons "
                      "come out otherwise than for an ordinary user"), _("run the course as an ordinary user"))


def processes():
    """Fork many at once, and wait for each through a pidfd (pidfd_open(2), waitid(2))."""
    wanted = 50
    gate, opened = os.pipe()
    children = []
    for _number in range(wanted):
        try:
            children.append(fork_and(lambda: (os.close(opened), os.read(gate, 1))))
        except OSError:
            break
    os.close(opened)
    pidfds = [os.pidfd_open(pid) for pid in children]
    for fd in pidfds:
        os.waitid(os.P_PIDFD, fd, os.WEXITED)
    found = _("{n} processes at once").format(n=len(children))
    if len(children) < wanted:
        yield Finding("limited", found, _("experiments with many processes meet EAGAIN"),
                      _("raise the limit: ulimit -u, or pids.max of the container"))
    else:
        yield Finding("ok", found)


def subreaper():
    """Does an orphan become the child of the nearest subreaper? (PR_SET_CHILD_SUBREAPER in prctl(2))"""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    fork_and(lambda: fork_and(lambda: None))
    os.wait()  # the child
    os.wait()  # its orphan; ChildProcessError where it went elsewhere
    yield Finding("ok", _("orphans can be collected"))


def memory():
    """The largest sparse memfd that can be mapped: the recorder's log lives in one."""
    fd = os.memfd_create("ipclab-doctor")
    bits = next((bits for bits in (46, 43, 40, 36, 33, 30) if maps(fd, 1 << bits)), 0)
    found = _("2^{bits} bytes").format(bits=bits)
    if bits >= 46:
        yield Finding("ok", found)
    elif bits:
        yield Finding("limited", found, _("the recorder has less room, and may not start"),
                      _("lift limits on address space: ulimit -v, vm.overcommit_memory"))
    else:
        yield Finding("missing", _("not even 2^30 bytes"), _("nothing can be recorded"),
                      _("lift limits on address space: ulimit -v, vm.overcommit_memory"))


def maps(fd, size):
    try:
        os.ftruncate(fd, size)
        with mmap.mmap(fd, size) as memory:
            memory[size - 1] = 1
            return memory[size - 1] == 1
    except (OSError, ValueError):
        return False


def proc():
    """Can a child's files in /proc be read: the call it sits in (needs ptrace's permission), and its descriptors?"""
    pid = fork_and(signal.pause)
    wait_for(lambda: state(pid) == "S")
    try:
        with open(f"/proc/{pid}/syscall") as file:
            found = _("system call {number}, {n} descriptors").format(
                number=file.read().split()[0], n=len(os.listdir(f"/proc/{pid}/fd")))
        yield Finding("ok", found)
    except OSError as error:
        yield Finding("limited", str(error), _("what a stuck process waits in is told less exactly"),
                      _("in a container: give it SYS_PTRACE; Yama: see below"))
    finally:
        os.kill(pid, signal.SIGKILL)


def yama():
    path = "/proc/sys/kernel/yama/ptrace_scope"
    if not os.path.exists(path):
        yield Finding("ok", _("not restricted"))
        return
    with open(path) as file:
        scope = int(file.read())
    found = f"ptrace_scope = {scope}"
    if scope < 2 or scope == 2 and os.geteuid() == 0:
        yield Finding("ok", found)
    else:
        yield Finding("limited", found, _("strace and gdb cannot look into the experiments' processes"),
                      _("as root: sysctl kernel.yama.ptrace_scope=1"))


def core_dumps():
    with open("/proc/sys/kernel/core_pattern") as file:
        pattern = file.read().strip()
    found = _("core_pattern: {pattern}").format(pattern=pattern)
    if pattern.startswith("|"):
        found += " " + _("(a program takes core dumps; the course's processes ask for none)")
    yield Finding("ok", found)


def user_namespaces():
    """unshare(2) with CLONE_NEWUSER, as programs that build sandboxes do."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) == 0:
        yield Finding("ok", _("this user may make one"))
    else:
        yield Finding("limited", os.strerror(ctypes.get_errno()),
                      _("no lesson needs them; Chromium's own sandbox may"))


def fork_and(act):
    """The pid of a child that acts and exits."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def wait_for(condition, seconds=2.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)



CHECKS = (
    Check(_("system"), system, _("the course is about Linux's kernel"), fatal=True),
    Check(_("user"), user),
    Check(_("fork, pidfd and wait"), processes, _("no run can be watched"), fatal=True),
    Check(_("subreaper"), subreaper, _("orphans of an experiment cannot be collected"), fatal=True),
    Check(_("memfd, mapped"), memory, _("nothing can be recorded"), fatal=True),
    Check(_("/proc of a child"), proc, _("what a stuck process waits in cannot be told")),
    Check(_("tracing (Yama)"), yama, _("strace and gdb may be unable to look into the experiments' processes")),
    Check(_("core dumps"), core_dumps),
    Check(_("user namespaces"), user_namespaces, _("no lesson needs them; Chromium's own sandbox may")),
)
