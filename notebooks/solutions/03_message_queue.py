"""Solutions of the exercises of 03_message_queue: one way of several. The tests run the checks on them."""
import os

import posix_ipc
import sysv_ipc

from ipclab import name


def send_urgent_first(words="wash dress fire! eat flood!"):
    queue = posix_ipc.MessageQueue(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX)
    for word in words.split():
        queue.send(word, priority=1 if word.endswith("!") else 0)
    for _ in words.split():
        print(queue.receive()[0].decode())
    queue.unlink()


def reply_by_type(clients=2):
    requests = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
    replies = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
    for number in range(1, clients + 1):
        if os.fork() == 0:
            name(f"client {number}")
            requests.send(f"{os.getpid()} {number}")
            answer = replies.receive(type=os.getpid())[0]       # the others' replies stay where they are
            print(f"{number} doubled is {answer.decode()}")
            os._exit(0)
    name("server")
    for _ in range(clients):
        pid, number = requests.receive()[0].split()
        replies.send(str(2 * int(number)), type=int(pid))
    for _ in range(clients):
        os.wait()
    requests.remove()
    replies.remove()


def stop_the_workers(workers=2):
    queue = posix_ipc.MessageQueue(f"/ipclab-{os.getpid()}", posix_ipc.O_CREX)
    for number in range(1, workers + 1):
        if os.fork() == 0:
            name(f"worker {number}")
            while job := queue.receive()[0]:
                print(job.decode())
            os._exit(0)
    name("boss")
    for job in "abcd":
        queue.send(job, priority=1)
    for _ in range(workers):
        queue.send(b"")                 # a message goes to one worker: one for each
    for _ in range(workers):
        os.wait()
    queue.unlink()
