"""Reading /proc/PID: status, signals, mappings, memory. Nothing here opens an object that the process has open.

What may be read is the kernel's to say: `status`, `stat` and `maps` of others mostly yes, `fd`, `syscall`, `mem` and
`smaps` where one may trace the process (ptrace(2): one's own descendants, or as root).
"""
import os
import signal
import struct

_KIB = 1024


def read(path):
    """The text of a file of /proc. OSError, ESRCH too, where the process has gone or does not let one look."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
    finally:
        os.close(fd)
    return b"".join(parts).decode(errors="replace")


def pids():
    """The pids of all processes that can be seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def task(pid, tid=None):
    """The folder of a process, or of one of its threads."""
    return f"/proc/{pid}" if tid is None else f"/proc/{pid}/task/{tid}"


def tids(pid):
    """The ids of the process's threads, its first one first; none where it has gone."""
    try:
        return sorted(map(int, os.listdir(f"/proc/{pid}/task")), key=lambda tid: (tid != pid, tid))
    except OSError:
        return []


def folder(pid):
    """The working directory of a process, None where one may not know."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def stat(pid, tid=None):
    """{"name", "state", "parent", "faults"} from proc_pid_stat(5); `faults` as (minor, major)."""
    text = read(f"{task(pid, tid)}/stat")
    name, _bracket, rest = text.partition("(")[2].rpartition(")")
    words = rest.split()
    return {"name": name, "state": words[0], "parent": int(words[1]), "faults": (int(words[7]), int(words[9]))}


def status(pid, tid=None):
    """{key: text} of proc_pid_status(5)."""
    pairs = (line.partition(":") for line in read(f"{task(pid, tid)}/status").splitlines())
    return {key: value.strip() for key, _colon, value in pairs}


def kilobytes(text):
    """The bytes that "12 kB" stands for."""
    return int(text.split()[0]) * _KIB


def signal_name(number):
    """SIGUSR1 for 10, SIGRTMIN+2 for 36."""
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"  # the C library's own


def signal_names(mask):
    """The names of the signals in a mask of which bit n - 1 stands for signal n."""
    return tuple(signal_name(n) for n in range(1, 65) if mask >> (n - 1) & 1)


def signal_sets(found):
    """What a status says of signals: see kernel.signals."""
    keys = {"pending": "SigPnd", "process_pending": "ShdPnd", "blocked": "SigBlk", "ignored": "SigIgn",
            "caught": "SigCgt"}
    queued, limit = map(int, found["SigQ"].split("/")) if "SigQ" in found else (None, None)
    return {name: signal_names(int(found.get(key, "0"), 16)) for name, key in keys.items()} | {
        "queued": queued, "queue_limit": limit if limit is None or limit < 1 << 63 else None}


def lock(line):
    """The lock that a line of proc_locks(5), or of a descriptor's fdinfo, tells: see ipc.locks."""
    words = line.split()
    waits = words[1] == "->"
    kind, _advisory, mode, pid, place, start, end = (words[2:] if waits else words[1:])[:7]
    device, _colon, inode = place.rpartition(":")
    return {"number": int(words[0].rstrip(":")), "kind": kind, "mode": mode, "waits": waits,
            "pid": int(pid) if int(pid) > 0 else None, "device": _device(device), "inode": int(inode),
            "start": int(start), "end": None if end == "EOF" else int(end)}


def switches(found):
    """(by itself, taken): how often the thread of a status gave up the processor; None where it is not told."""
    counts = found.get("voluntary_ctxt_switches"), found.get("nonvoluntary_ctxt_switches")
    return None if None in counts else tuple(map(int, counts))


def mapping(line):
    """The region that a line of proc_pid_maps(5) tells, as a dict."""
    words = line.split(maxsplit=5)
    start, end = (int(word, 16) for word in words[0].split("-"))
    name = words[5].rstrip("\n") if len(words) > 5 else None
    return {"start": start, "end": end, "size": end - start, "permissions": words[1], "shared": words[1][3] == "s",
            "file": name, "offset": int(words[2], 16), "device": _device(words[3]), "inode": int(words[4])}


def lying_at(regions, address):
    """The one of the regions in which an address lies, None where nothing is mapped there."""
    return next((region for region in regions if region["start"] <= address < region["end"]), None)


def _device(text):
    """(major, minor) of "08:01"."""
    major, minor = text.split(":")
    return int(major, 16), int(minor, 16)


def maps(pid):
    """The regions of a process's memory, without what is resident, a list of dicts as of `mapping`."""
    return [mapping(line) for line in read(f"/proc/{pid}/maps").splitlines()]


_SIZES = {"Rss": "resident", "Pss": "proportional", "Shared_Clean": "shared_clean", "Shared_Dirty": "shared_dirty",
          "Private_Clean": "private_clean", "Private_Dirty": "private_dirty", "Referenced": "referenced",
          "Anonymous": "anonymous", "Swap": "swapped", "Locked": "locked", "KernelPageSize": "page_size"}


def smaps(pid):
    """The regions of a process's memory with what is resident of each: see kernel.regions."""
    found = []
    for line in read(f"/proc/{pid}/smaps").splitlines():
        key, _colon, value = line.partition(":")
        if key in _SIZES:
            found[-1][_SIZES[key]] = kilobytes(value)
        elif key == "VmFlags":
            found[-1]["flags"] = tuple(value.split())
        elif "-" in key:
            found.append(mapping(line))
    return found


def memory(pid, address, size):
    """So many bytes of a process's memory, as proc_pid_mem(5) gives them; None where that is not permitted, or where
    there is no such memory."""
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.pread(fd, size, address)
    except (OSError, OverflowError):
        return None
    finally:
        os.close(fd)
    return data if len(data) == size else None


def values(pid, form, address):
    """What stands in a process's memory, in struct's terms; None as of `memory`."""
    data = memory(pid, address, struct.calcsize(form))
    return data and struct.unpack(form, data)


def path(pid, address):
    """The text that a C string in a process's memory holds, None where it cannot be read."""
    page = 4096 - address % 4096
    data = memory(pid, address, page) or b""
    if b"\0" not in data:
        data += memory(pid, address + page, 4096) or b""
    return os.fsdecode(data.partition(b"\0")[0]) if b"\0" in data else None


def of_thread(tid):
    """The pid of the process that a thread belongs to, None where there is no such thread."""
    try:
        return int(status(tid)["Tgid"])
    except (OSError, KeyError):
        return None
