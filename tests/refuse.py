"""A machine that refuses: a seccomp filter on this thread and all that it starts (seccomp(2)), of the kernel's own."""
import ctypes
import errno
import platform
import struct

NUMBERS = {  # asm/unistd.h; clone is a thread's where its flags say so
    "x86_64": {"memfd_create": 319, "socketpair": 53, "clone": 56, "fork": 57, "vfork": 58, "clone3": 435},
    "aarch64": {"memfd_create": 279, "socketpair": 199, "clone": 220, "clone3": 435}}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, BITS, RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: load a word, jump if equal, jump if any bit is set, return
ALLOW, ERRNO, CLONE_THREAD = 0x7FFF0000, 0x00050000, 0x00010000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def refuse(*calls):
    """From now on these system calls fail with EPERM; "process" stands for all that make one."""
    numbers = NUMBERS[platform.machine()]
    made = []
    for call in calls:
        made += _no_process(numbers) if call == "process" else _fails(numbers[call], errno.EPERM)
    code = b"".join(struct.pack("=HBBI", *line) for line in [(LOAD, 0, 0, 0), *made, (RETURN, 0, 0, ALLOW)])
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    program = Program(len(code) // 8, code)
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()


def _fails(number, error):
    return [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]


def _no_process(numbers):
    """fork() and its like fail, threads go on; clone3 hides its flags, so it is not there, and clone is asked."""
    forks = [line for name in ("fork", "vfork") if name in numbers for line in _fails(numbers[name], errno.EPERM)]
    flags = 16  # offset of the first argument, low word
    clone = [(EQUAL, 0, 4, numbers["clone"]), (LOAD, 0, 0, flags), (BITS, 1, 0, CLONE_THREAD),
             (RETURN, 0, 0, ERRNO | errno.EPERM), (RETURN, 0, 0, ALLOW)]
    return [*forks, *_fails(numbers["clone3"], errno.ENOSYS), *clone]
