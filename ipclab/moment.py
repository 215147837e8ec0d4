"""All processes of a run at one moment: what kernel.py says of each, and what only a look at all of them can tell."""
from . import family, kernel, opened, proc


def snapshot(pids, queues=True):
    """{pid: process}: processes at one time, as kernel.process() tells them, without those that have gone.

    "others" are those among them, without "same_description"; `queues` as of kernel.descriptors(). There is more of
    each: "steady": whether all its threads slept all the time while the processes were looked at, so that what two
    steady ones wait for was so at one and the same moment. A futex in shared memory has in its "mapping" the pids that
    map it, "mapped_by"; a System V call its object as message_queues() or semaphores() tell it, "of".
    """
    held = kernel.locks()
    found = {pid: one for pid in pids if (one := kernel.whole(pid, held))}
    tables = {pid: one["descriptors"] for pid, one in found.items() if one["descriptors"]}
    opened.join(tables)
    kernel.fill(tables, queues)
    for one in found.values():
        for thread in one["threads"]:
            _relate(thread["arguments"], thread["call"], found)
    for pid, one in found.items():
        one["steady"] = all(_slept(pid, thread) for thread in one["threads"])
    return found


def below(root, most=None):
    """({pid: process}, whole): a snapshot() of all that descends from a process, and whether these were all of them
    all the while. Where they are more than `most`, only of the first few, which saves time; of the others None."""
    pids = family.descendants(root)
    among = pids if most is None or len(pids) <= most else pids[:3]
    found = snapshot(among)
    whole = len(found) == len(pids) and set(family.descendants(root)) == set(pids)
    return found | dict.fromkeys(pids[len(among):]), whole


def _relate(arguments, call, among):
    """Tell of the object of a call what only others can tell."""
    mapping = arguments.get("mapping")
    if mapping and mapping["shared"]:
        key = mapping["device"], mapping["inode"]
        mapping["mapped_by"] = [pid for pid in among if key in _shared_mappings(pid)]
    if table := _TABLES.get(call):
        arguments["of"] = next((one for one in table()["System V"] if one["id"] == arguments["id"]), None)


_TABLES = {"msgrcv": kernel.message_queues, "msgsnd": kernel.message_queues, "semop": kernel.semaphores,
           "semtimedop": kernel.semaphores}


def _shared_mappings(pid):
    """{(device, inode)} of what a process maps as shared."""
    try:
        return {(region["device"], region["inode"]) for region in proc.maps(pid) if region["shared"]}
    except OSError:
        return set()


def _slept(pid, thread):
    """Whether the thread has slept ever since it was looked at."""
    try:
        state = proc.stat(pid, thread["tid"])["state"]
        now = proc.switches(proc.status(pid, thread["tid"]))
        return thread["state"] == state == "S" and thread["switches"] == now is not None
    except OSError:
        return False
