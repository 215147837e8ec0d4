"""Solutions of the exercises of 04_memory_map: one way of several. The tests run the checks on them."""
import mmap
import os
from mmap import MAP_PRIVATE, PAGESIZE

from ipclab import linux


def read_at(position=20_000):
    fd = os.open("numbers", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"".join(b"%08d" % place for place in range(0, 40 * PAGESIZE, 8)))
    start = position // PAGESIZE * PAGESIZE             # of the page in which the position lies
    memory = mmap.mmap(fd, PAGESIZE, offset=start)
    print(memory[position - start:position - start + 8])


def save_the_draft(changed=(1, 3)):
    fd = os.open("text", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"." * 4 * PAGESIZE)
    draft = mmap.mmap(fd, 4 * PAGESIZE, flags=MAP_PRIVATE)
    for number in changed:
        draft[number * PAGESIZE] = ord("X")
    for number, page in enumerate(linux.pagemap(draft)):
        if page.present and not page.shared:            # a copy
            start = number * PAGESIZE
            os.pwrite(fd, draft[start:start + PAGESIZE], start)
    print(os.pread(fd, 4 * PAGESIZE, 0)[::PAGESIZE])


def keep_a_log(records=7):
    fd, size = os.open("log", os.O_RDWR | os.O_CREAT), PAGESIZE // 4 + 100
    os.ftruncate(fd, PAGESIZE)
    memory = mmap.mmap(fd, PAGESIZE)
    for number in range(records):
        place = number * size
        if place + size > len(memory):
            memory.resize(len(memory) + PAGESIZE)       # the file grows too
        memory[place:place + size] = bytes([ord("A") + number]) * size
    print(os.fstat(fd).st_size // PAGESIZE, os.pread(fd, 1, place))
