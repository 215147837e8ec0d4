"""Numbers that are not written in decimal: flags by name, permission bits in octal, as the man pages have them.

The values are Linux's own (<asm-generic/fcntl.h>), and not the os module's: a trace may be read on another system.
"""
ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "3")
OPEN = {0o100: "O_CREAT", 0o200: "O_EXCL", 0o1000: "O_TRUNC", 0o2000: "O_APPEND", 0o4000: "O_NONBLOCK",
        0o2000000: "O_CLOEXEC"}


def open_flags(number):
    """The names of open(2)'s flags, access first; what has no name here is told in octal."""
    rest = number & ~3 & ~sum(OPEN)
    names = [name for bit, name in OPEN.items() if number & bit]
    return (ACCESS[number & 3], *names, *([f"0o{rest:o}"] if rest else []))


def _flags(number):
    return "|".join(open_flags(number))


def _bits(number):
    return f"0o{number:03o}"


WAYS = {("os.open", 1): _flags, ("os.open", "flags"): _flags, ("os.open", 2): _bits, ("os.open", "mode"): _bits,
        ("os.mkfifo", 1): _bits, ("os.mkfifo", "mode"): _bits, ("os.chmod", 1): _bits, ("os.chmod", "mode"): _bits,
        ("os.fchmod", 1): _bits, ("os.mkdir", 1): _bits, ("os.umask", 0): _bits,
        ("os.umask", "→"): _bits}


def number_text(call, place, value):
    """How a call's argument, at that place or of that name, or its result ("→"), is written where it is such a number;
    None for others."""
    way = WAYS.get((call, place))
    return way(value) if way and type(value) is int and value >= 0 else None
