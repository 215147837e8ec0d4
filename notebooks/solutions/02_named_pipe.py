"""Solutions of the exercises of 02_named_pipe: one way of several. The tests run the checks on them."""
import errno
import os

from ipclab import name


def shout(word="hello"):
    os.mkfifo("quiet")
    os.mkfifo("loud")
    if os.fork() == 0:
        name("server")
        quiet = os.open("quiet", os.O_RDONLY)       # first, as the client does
        loud = os.open("loud", os.O_WRONLY)
        os.write(loud, os.read(quiet, 100).upper())
        os._exit(0)
    name("client")
    quiet = os.open("quiet", os.O_WRONLY)
    os.write(quiet, word.encode())
    loud = os.open("loud", os.O_RDONLY)
    print(os.read(loud, 100).decode())


def log_if_somebody_listens(collector=True):
    os.mkfifo("log")
    if collector:
        r = os.open("log", os.O_RDONLY | os.O_NONBLOCK)
    name("program")
    try:
        w = os.open("log", os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:              # something else is wrong
            raise
        print("nobody listens")
        return
    os.write(w, b"hello")
    if collector:
        print(os.read(r, 100).decode())


def tell_everybody(readers=2, news="rain"):
    for number in range(readers):
        os.mkfifo(f"news {number}")                 # one for each: what it reads it takes from nobody
    for number in range(readers):
        if os.fork() == 0:
            name(f"reader {number}")
            r = os.open(f"news {number}", os.O_RDONLY)
            print(os.read(r, 100).decode())
            os._exit(0)
    name("writer")
    for number in range(readers):
        w = os.open(f"news {number}", os.O_WRONLY)
        os.write(w, news.encode())
    for _ in range(readers):
        os.wait()
