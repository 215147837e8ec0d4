"""System calls in which a process may be found: name, number on x86_64 and on aarch64, and what its arguments are.

Numbers from <asm/unistd.h> of the two machines, arguments from the calls' man pages (section 2). Of what is not here
the number is told. An argument that says nothing (the address of a buffer) is named "-".
"""
import platform

_CALLS = """
read               0  63 fd - size
write              1  64 fd - size
readv             19  65 fd - buffers
writev            20  66 fd - buffers
pread64           17  67 fd - size offset
pwrite64          18  68 fd - size offset
preadv           295  69 fd - buffers offset
pwritev          296  70 fd - buffers offset
poll               7   - fds count milliseconds
ppoll            271  73 fds count timespec
select            23   - count readers writers others timeval
pselect6         270  72 count readers writers others timespec
epoll_wait       232   - fd - events milliseconds
epoll_pwait      281  22 fd - events milliseconds
epoll_pwait2     441 441 fd - events timespec
pause             34   -
rt_sigsuspend    130 133 set
rt_sigtimedwait  128 137 set - timespec
nanosleep         35 101 timespec
clock_nanosleep  230 115 clock sleepflags
accept            43 202 fd
accept4          288 242 fd
connect           42 203 fd
sendto            44 206 fd - size
recvfrom          45 207 fd - size
sendmsg           46 211 fd
recvmsg           47 212 fd
sendmmsg         307 269 fd - messages
recvmmsg         299 243 fd - messages - timespec
sendfile          40  71 fd in_fd - size
splice           275  76 in_fd - fd - size
tee              276  77 in_fd fd size
vmsplice         278  75 fd - buffers
copy_file_range  326 285 in_fd - fd - size
wait4             61 260 pid - waitflags
waitid           247  95 idtype id - waitflags
semop             65 193 id sembufs count
semtimedop       220 192 id sembufs count timespec
msgsnd            69 189 id - size
msgrcv            70 188 id - size type
mq_timedsend     242 182 fd - size priority deadline
mq_timedreceive  243 183 fd - size - deadline
fcntl             72  25 fd command flock
flock             73  32 fd lock
futex            202  98 word operation value timeout
futex_waitv      449 449 - count
open               2   - path openflags
openat           257  56 dirfd path openflags
openat2          437 437 dirfd path
close              3  57 fd
fsync             74  82 fd
fdatasync         75  83 fd
sync             162  81
msync             26 227 address size
ioctl             16  29 fd request
fork              57   -
vfork             58   -
clone             56 220
clone3           435 435
io_uring_enter   426 426 fd
getrandom        318 278 - size
restart_syscall  219 128
execve            59 221 path
exit_group       231  94
sched_yield       24 124
fallocate        285  47 fd
getdents64       217  61 fd
mmap               9 222 - size
munmap            11 215 address size
unlink            87   - path
unlinkat         263  35 dirfd path
"""


def _table(machine):
    """{number: (name, names of the arguments)} of the machine."""
    column = {"x86_64": 1, "aarch64": 2}.get(machine)
    rows = [line.split() for line in _CALLS.split("\n") if line] if column else []
    return {int(row[column]): (row[0], tuple(row[3:])) for row in rows if row[column] != "-"}


TABLE = _table(platform.machine())


def named(number):
    """(name, names of the arguments) of a call; "system call N" and none where it is not known."""
    return TABLE.get(number) or (f"system call {number}", ())
