"""Programs that print what a recorder could change: descriptors, environments, types, texts. test_transparent.py runs
each bare and recorded. They stand alone, since importing pytest changes the environment."""
import gc
import mmap
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
import warnings

import posix_ipc


def descriptors():
    print(sorted(os.listdir("/proc/self/fd")), os.pipe(), open("file", "w").fileno(), socket.socket().fileno())
    os.closerange(3, 4096)
    print(os.pipe(), os.dup(0), mmap.mmap(-1, 10), sorted(os.listdir("/proc/self/fd")))


def program_in_a_child():
    code = "import os, sys; print(sorted(os.environ.items()), sys.path, sorted(os.listdir('/proc/self/fd')), sys.argv)"
    for more in ([], ["-I"], ["-S"]):
        print(subprocess.run([sys.executable, *more, "-c", code, "word"], capture_output=True, text=True))
    os.putenv("PUT", "not in os.environ")
    for env in (None, {"ONLY": "this"}):
        print(subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE).stdout)
    print(subprocess.run([sys.executable, "-c", code], preexec_fn=lambda: os.putenv("PRE", "exec"), stdout=-1).stdout)
    print(sorted(os.environ.items()))


def types_and_texts():
    def handler(number, frame):
        print(number, frame.f_code.co_name)

    print(signal.signal(signal.SIGUSR1, handler), signal.getsignal(signal.SIGUSR1) is handler)
    print(signal.signal(signal.SIGUSR1, signal.SIG_IGN) is handler, signal.getsignal(signal.SIGINT))
    print(type(os.stat(".")), type(os.pipe()), os.read.__name__, open.__name__, mmap.mmap, select.epoll, sys.stdout)
    for call in (lambda: os.read("x", 1), lambda: os.read(), lambda: open("x", "rw"), lambda: open("no", "rb+"),
                 lambda: mmap.mmap(-1, 0), lambda: select.poll().modify(1, 1), lambda: socket.socket().recv(-1),
                 lambda: posix_ipc.Semaphore("/ipclab-no"), lambda: type(select.poll())(), lambda: os.execv("", [""])):
        try:
            call()
        except Exception as error:
            print(type(error), error, error.args)
    print({f for f in (os.stat, os.open) if f in os.supports_dir_fd} == {os.stat, os.open}, os.stat in os.supports_fd)


class Memory(mmap.mmap):
    def __new__(cls, size, more):
        made = super().__new__(cls, -1, size)
        made.more = more
        return made

    def __init__(self, *args):
        self.kept = args


def subclasses():
    memory = Memory(4096, 1)
    memory[:2] = b"ab"
    print(memory.more, memory.kept, memory[:2], isinstance(memory, mmap.mmap), isinstance(3, Memory), type(memory))

    class Socket(socket.socket):
        def send(self, data):
            return super().send(data.upper())

    left, right = socket.socketpair()
    with Socket(fileno=left.detach()) as loud:
        print(loud.send(b"abc"), right.recv(3), isinstance(loud, socket.socket))


def tracebacks_and_warnings():
    def fails():
        os.read(-1, 1)

    try:
        fails()
    except OSError:
        traceback.print_exc()
    thread = threading.Thread(target=fails, name="a thread")
    thread.start()
    thread.join()
    warnings.simplefilter("always")
    wait = threading.Event()
    thread = threading.Thread(target=wait.wait)
    thread.start()
    if os.fork() == 0:  # from 3.12 on Python warns of the thread
        os._exit(0)
    os.wait()
    wait.set()


def lifetimes():
    try:
        socket.socket().setsockopt(1, 2, "wrong")
    except (OSError, TypeError) as error:
        kept = error
    gc.collect()
    print(sorted(os.listdir("/proc/self/fd")), type(kept).__name__)
