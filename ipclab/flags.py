"""Numbers that are not written in decimal: flags by name, permission bits in octal, as the man pages have them.

The values are Linux's own (<asm-generic/fcntl.h>, <asm-generic/mman.h>, <asm-generic/socket.h>), and not the os
module's: a trace may be read on another system.
"""
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "3")
OPEN = {0o100: "O_CREAT", 0o200: "O_EXCL", 0o1000: "O_TRUNC", 0o2000: "O_APPEND", 0o4000: "O_NONBLOCK",
        0o2000000: "O_CLOEXEC"}


MAP = {0x01: "MAP_SHARED", 0x02: "MAP_PRIVATE", 0x20: "MAP_ANONYMOUS", 0x4000: "MAP_NORESERVE", 0x8000: "MAP_POPULATE"}
PROT = {0x1: "PROT_READ", 0x2: "PROT_WRITE", 0x4: "PROT_EXEC"}


LEVEL = {0: "IPPROTO_IP", 1: "SOL_SOCKET", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP", 41: "IPPROTO_IPV6"}
OPTION = {1: {2: "SO_REUSEADDR", 3: "SO_TYPE", 4: "SO_ERROR", 6: "SO_BROADCAST", 7: "SO_SNDBUF", 8: "SO_RCVBUF",
              9: "SO_KEEPALIVE", 13: "SO_LINGER", 15: "SO_REUSEPORT", 16: "SO_PASSCRED", 17: "SO_PEERCRED",
              20: "SO_RCVTIMEO", 21: "SO_SNDTIMEO", 26: "SO_ATTACH_FILTER", 40: "SO_RXQ_OVFL", 55: "SO_MEMINFO"},
          6: {1: "TCP_NODELAY", 3: "TCP_CORK", 11: "TCP_INFO", 12: "TCP_QUICKACK"}}  # by level: socket(7), tcp(7)


def open_flags(number):
    """The names of open(2)'s flags, access first; what has no name here is told in octal."""
    rest = number & ~3 & ~sum(OPEN)
    names = [name for bit, name in OPEN.items() if number & bit]
    return (ACCESS[number & 3], *names, *([f"0o{rest:o}"] if rest else []))


def _flags(number):
    return "|".join(open_flags(number))


def _map(number):
    return _named(number, MAP)


def _prot(number):
    return _named(number, PROT) if number else "PROT_NONE"


def _named(number, names):
    rest = number & ~sum(names)
    return "|".join([*(name for bit, name in names.items() if number & bit), *([f"0x{rest:x}"] if rest else [])])


def _bits(number):
    return f"0o{number:03o}"


WAYS = {("os.open", 1): _flags, ("os.open", "flags"): _flags, ("os.open", 2): _bits, ("os.open", "mode"): _bits,
        ("os.mkfifo", 1): _bits, ("os.mkfifo", "mode"): _bits, ("os.chmod", 1): _bits, ("os.chmod", "mode"): _bits,
        ("os.fchmod", 1): _bits, ("os.mkdir", 1): _bits, ("os.umask", 0): _bits,
        ("os.umask", "→"): _bits, ("mmap", 2): _map, ("mmap", "flags"): _map, ("mmap", 3): _prot,
        ("mmap", "prot"): _prot, ("linux.mprotect", 1): _prot}


def number_text(event, place, value):
    """How a call's argument, at that place or of that name, or its result ("→"), is written where it is such a number;
    None for others."""
    if type(value) is not int or value < 0:
        return None
    if event.call in ("socket.getsockopt", "socket.setsockopt") and place in (0, 1):
        return (OPTION.get(event.args[0], {}) if place else LEVEL).get(value)
    way = WAYS.get((event.call, place))
    return way and way(value)
