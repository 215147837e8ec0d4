"""Solutions of the exercises of 07_semaphore_mutex: one way of several. The tests run the checks on them."""
import errno
import mmap
import os
import signal
import time

import posix_ipc

from ipclab import linux, name


def first_then_second(slow="child"):
    done = posix_ipc.Semaphore(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX, initial_value=0)
    if os.fork() == 0:
        name("child")
        if slow == "child":
            time.sleep(0.1)
        print(1)
        done.release()                  # only now may the other one go on
        os._exit(0)
    name("parent")
    if slow == "parent":
        time.sleep(0.1)
    done.acquire()                      # waits, or takes what is there already
    print(2)
    os.wait()
    done.unlink()


def dine(philosophers=3):
    memory = mmap.mmap(-1, 4096)
    forks = [linux.Mutex(memory, 64 * number) for number in range(philosophers)]
    for number in range(philosophers):
        if os.fork() == 0:
            name(f"philosopher {number}")
            left, right = forks[number], forks[(number + 1) % philosophers]
            # everybody takes the fork with the lower number first; for the last one that is the right one
            first, second = (left, right) if number < philosophers - 1 else (right, left)
            with first:
                time.sleep(0.05)
                with second:
                    print(number)
            os._exit(0)
    for _ in range(philosophers):
        os.wait()


def count_on(killed=1):
    memory = mmap.mmap(-1, 4096)
    mutex = linux.Mutex(memory, robust=True)
    for number in range(4):
        if os.fork() == 0:
            name(f"worker {number}")
            try:
                mutex.lock()
            except OSError as error:
                if error.errno != errno.EOWNERDEAD:
                    raise
                mutex.consistent()      # the counter is right as it stands
            memory[64] += 1
            if number == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            mutex.unlock()
            os._exit(0)
        os.wait()
    print(memory[64])
