"""What is measured: names, words for the reader, how large a message may be, and which spellings there are."""
from ..say import _

STREAMS = ("pipe", "fifo", "unix", "tcp", "udp")
QUEUES = ("posix_queue", "sysv_queue", "connection", "queue", "signals")
COPIED = ("shm_semaphore", "shm_eventfd", "shm_spin", "mapped_file")  # copied in by the writer, out by the reader
IN_PLACE = tuple(f"{name}_in_place" for name in COPIED)  # copied in, used where it is
GROUPS = (STREAMS, QUEUES, (*COPIED, "memcpy"), (*IN_PLACE, "memcpy"))  # what is drawn side by side
MECHANISMS = (*STREAMS, *QUEUES, *COPIED, *IN_PLACE, "memcpy")
SPELLINGS = ("textbook", "tuned", "C", "usual")
OF = ("round trip", "throughput")
PLACEMENTS = ("one core", "two cores")
SIZES = (1, 64, 4096, 65536, 1 << 20)
LARGEST = 1 << 20  # bytes of a message
SLOTS = 4  # messages that fit into the shared memory
WINDOW = 64  # signals sent before an answer is awaited: the kernel's queue of signals is finite


def label(mechanism):
    """The mechanism in the reader's words."""
    words = {
        "pipe": _("pipe"), "fifo": _("FIFO"), "posix_queue": _("POSIX queue"), "sysv_queue": _("System V queue"),
        "unix": _("UNIX socket (stream)"), "tcp": _("TCP (TCP_NODELAY)"), "udp": _("UDP"),
        "shm_semaphore": _("shared memory, semaphore"), "shm_eventfd": _("shared memory, eventfd"),
        "shm_spin": _("shared memory, spinning"), "mapped_file": _("mapped file, semaphore"),
        "signals": _("signal (no payload)"), "connection": "multiprocessing.Connection",
        "queue": "multiprocessing.Queue", "memcpy": _("memcpy (one process)"),
    }[mechanism.removesuffix("_in_place")]
    if mechanism in COPIED:
        return _("{memory}, copied").format(memory=words)
    return _("{memory}, in place").format(memory=words) if mechanism in IN_PLACE else words


def waits(mechanism):
    """How the one that has nothing to do waits: it "blocks", or "spins"; "copies": there is none."""
    if mechanism == "memcpy":
        return "copies"
    return "spins" if mechanism.startswith("shm_spin") else "blocks"


def spellings(mechanism):
    """The spellings in which there is the mechanism."""
    if mechanism in ("connection", "queue"):
        return ("usual",)
    return ("tuned", "C") if mechanism == "memcpy" else ("textbook", "tuned", "C")


def unit(mechanism, of):
    """What a measured value is in."""
    return "µs" if of == "round trip" else "1/s" if mechanism == "signals" else "MB/s"


def too_large(mechanism, size):
    """Why the mechanism has no messages of that size, or None."""
    if (most := _largest(mechanism)) is not None and size > most[0]:
        return _("a message has at most {n} bytes ({source})").format(n=most[0], source=most[1])
    return None


def _largest(mechanism):
    """(bytes, who says so) of the largest message, or None."""
    if mechanism == "udp":
        return 65507, "UDP, IPv4"
    if mechanism == "posix_queue":
        return _kernel("/proc/sys/fs/mqueue/msgsize_max", 8192)
    if mechanism == "sysv_queue":
        return min(_kernel("/proc/sys/kernel/msgmax", 8192), _kernel("/proc/sys/kernel/msgmnb", 16384))
    return None


def _kernel(path, default):
    """(the number in a file of /proc, the file's path); the kernel's default where it cannot be read."""
    try:
        with open(path) as file:
            return int(file.read()), path
    except OSError:
        return default, path
