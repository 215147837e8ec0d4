"""Solutions of the exercises of 01_anonymous_pipe: one way of several. The tests run the checks on them."""
import os

from ipclab import name


def sort_unique(words="pear apple pear"):
    open("words", "w").write(words.replace(" ", "\n") + "\n")
    r, w = os.pipe()
    if os.fork() == 0:
        name("sort")
        os.dup2(w, 1)                   # what sort prints goes into the pipe
        os.execvp("sort", ["sort", "words"])
    if os.fork() == 0:
        name("uniq")
        os.dup2(r, 0)                   # what uniq reads comes from the pipe
        os.execvp("uniq", ["uniq"])     # os.pipe() marks r and w to be closed by exec
    name("shell")
    os.close(r)
    os.close(w)                         # or uniq would never see the end
    os.wait()
    os.wait()


def share_work(workers=2):
    ends = []
    for number in range(1, workers + 1):
        r, w = os.pipe()
        if os.fork() == 0:
            name(f"worker {number}")
            for end in [*ends, w]:      # those of the workers before it are inherited too
                os.close(end)
            while os.read(r, 1):
                print(number)
            os._exit(0)
        os.close(r)
        ends.append(w)
    name("parent")
    for w in ends:
        os.write(w, b"x")
        os.close(w)
        os.wait()


def send_and_receive(kilobytes=200):
    there_r, there_w = os.pipe()
    back_r, back_w = os.pipe()
    if os.fork() == 0:
        name("echo")
        os.close(there_w)
        while data := os.read(there_r, 4096):
            os.write(back_w, data)
        os._exit(0)
    name("parent")
    os.close(back_w)
    if os.fork() == 0:                  # a process of its own writes, so that the parent can read meanwhile
        name("sender")
        os.write(there_w, bytes(kilobytes * 1024))
        os._exit(0)
    os.close(there_w)                   # the sender has one
    received = 0
    while data := os.read(back_r, 4096):
        received += len(data)
    print(received)
