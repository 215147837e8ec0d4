"""Python as on macOS, to be imported before all else: without what the standard library has on Linux alone."""
import fcntl
import mmap
import os
import re
import resource
import select
import signal
import socket
import sys

GONE = {
    os: "memfd_create|MFD_.*|pidfd_open|eventfd.*|EFD_.*|sched_[gs]et(affinity|scheduler|param)|sched_param|"
        "SCHED_(BATCH|IDLE|RESET_ON_FORK)|splice|SPLICE_.*|copy_file_range|getrandom|GRND_.*|setns|unshare|CLONE_.*|"
        "posix_fadvise|POSIX_FADV_.*|posix_fallocate|pipe2|[gs]etres[ug]id|O_(TMPFILE|DIRECT|NOATIME|PATH|LARGEFILE)|"
        "(get|set|list|remove)xattr|XATTR_.*|P_PIDFD|timerfd.*|TFD_.*|fdatasync",
    select: "epoll|EPOLL.*|POLLRDHUP|POLLMSG",
    signal: "sigtimedwait|sigwaitinfo|SIGRTMIN|SIGRTMAX|SIGPOLL|SIGPWR|SIGSTKFLT|SIGCLD|pidfd_send_signal",
    mmap: "MADV_(DONTFORK|DOFORK|HUGEPAGE|NOHUGEPAGE|MERGEABLE|UNMERGEABLE|REMOVE|HWPOISON|DONTDUMP|DODUMP)|"
          "MAP_(POPULATE|STACK|DENYWRITE|EXECUTABLE|LOCKED)",
    resource: "prlimit|RLIMIT_(NICE|SIGPENDING|MSGQUEUE|RTPRIO|RTTIME|OFILE)|RUSAGE_THREAD",
    fcntl: "F_(SETPIPE_SZ|GETPIPE_SZ|ADD_SEALS|GET_SEALS|SEAL_.*|OFD_.*|SETLEASE|GETLEASE|NOTIFY|SETSIG|GETSIG)|DN_.*",
    socket: "AF_(NETLINK|PACKET|VSOCK|ALG|CAN)|SOCK_(CLOEXEC|NONBLOCK)|MSG_(CMSG_CLOEXEC|CONFIRM|MORE|ERRQUEUE)|"
            "SCM_CREDENTIALS|SO_(PASSCRED|PEERCRED|PEERSEC|PASSSEC|DOMAIN|PROTOCOL|MARK|PRIORITY)|VM.*|ALG_.*|CAN_.*",
}
for module, names in GONE.items():
    for one in {module, sys.modules.get({os: "posix"}.get(module, f"_{module.__name__}"), module)}:
        for name in [name for name in vars(one) if re.fullmatch(names, name)]:
            delattr(one, name)
