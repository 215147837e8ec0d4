"""Solutions of the exercises of 05_shared_memory: one way of several. The tests run the checks on them."""
import mmap
import os
from mmap import PAGESIZE

import posix_ipc

from ipclab import name


def add_up_in_parallel(workers=3):
    memory = mmap.mmap(-1, 8 * workers)
    for worker in range(workers):
        if os.fork() == 0:
            name(f"worker {worker}")
            part = sum(range(worker * 100, worker * 100 + 100))
            memory[8 * worker:8 * worker + 8] = part.to_bytes(8, "little")      # a place of its own
            os._exit(0)
    for _ in range(workers):
        os.wait()
    print(sum(int.from_bytes(memory[place:place + 8], "little") for place in range(0, 8 * workers, 8)))


def walk_the_list(words="one two three"):
    fd = os.memfd_create("list")
    os.ftruncate(fd, PAGESIZE)
    if os.fork() == 0:
        name("writer")
        memory = mmap.mmap(fd, PAGESIZE)
        for place, word in zip(range(0, PAGESIZE, 16), words.split()):
            where = place + 16                  # from the beginning of the map: the same in every process
            memory[place:place + 16] = where.to_bytes(8, "little") + word.ljust(8).encode()
        os._exit(0)
    name("reader")
    os.wait()
    memory, place = mmap.mmap(fd, PAGESIZE), 0
    while word := memory[place + 8:place + 16].strip(b"\0"):
        print(word.decode().strip())
        place = int.from_bytes(memory[place:place + 8], "little")


def lose_no_frame(frames=10, slots=4):
    memory = mmap.mmap(-1, slots)               # a byte is frame enough here
    room = posix_ipc.Semaphore(None, posix_ipc.O_CREX, initial_value=slots)
    filled = posix_ipc.Semaphore(None, posix_ipc.O_CREX, initial_value=0)
    room.unlink(), filled.unlink()              # no name is needed: the child inherits them
    if os.fork() == 0:
        name("camera")
        for number in range(1, frames + 1):
            room.acquire()                      # waits for an empty slot
            memory[number % slots] = number
            filled.release()
        os._exit(0)
    name("viewer")
    for number in range(1, frames + 1):
        filled.acquire()                        # waits for a frame
        print(number, memory[number % slots] == number)
        room.release()
    os.wait()
