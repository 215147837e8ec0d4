"""Programs that put messages and bytes in queues, pipes and sockets, and take them out again."""
import os
import socket

import posix_ipc
import sysv_ipc

from ipclab import name


def by_priority(first=0):
    queue = posix_ipc.MessageQueue(f"/ipclab-test-{os.getpid()}", posix_ipc.O_CREX)
    if os.fork() == 0:
        name("sender")
        for letter, priority in zip("abcde", (first, 5, 0, 5, 9)):
            queue.send(letter, priority=priority)
        os._exit(0)
    os.wait()
    name("receiver")
    for _message in range(5):
        queue.receive()
    queue.unlink()


def by_type():
    queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
    for letter, kind in zip("abcde", (3, 1, 2, 1, 3)):
        queue.send(letter, type=kind)
    for kind in (3, -2, -2, -2, 0):
        queue.receive(type=kind)
    queue.remove()


def both_sides_wait(messages=6):
    queue = posix_ipc.MessageQueue(f"/ipclab-test-{os.getpid()}", posix_ipc.O_CREX, max_messages=1)
    if os.fork() == 0:
        for number in range(messages):
            queue.send(str(number))
        os._exit(0)
    for _message in range(messages):
        queue.receive()
    os.wait()
    queue.unlink()


def share_jobs(writers=2, readers=2, jobs=4):
    queue = posix_ipc.MessageQueue(f"/ipclab-test-{os.getpid()}", posix_ipc.O_CREX, max_messages=2)
    for letter in "ABCD"[:writers]:
        if os.fork() == 0:
            for job in range(jobs):
                queue.send(f"{letter}{job}")
            os._exit(0)
    for _reader in range(readers):
        if os.fork() == 0:
            for _job in range(writers * jobs // readers):
                queue.receive()
            os._exit(0)
    for _child in range(writers + readers):
        os.wait()
    queue.unlink()


def stream_and_datagrams():
    r, w = os.pipe()
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for piece in (b"aaaa", b"bb", b"cccccc"):
        os.write(w, piece)
        one.send(piece)
    while (data := os.read(r, 5)) and len(data) == 5:
        other.recv(3)
    os.close(w)
    os.read(r, 5)
