"""The experiment that controls are tried on, as the cell of a notebook: n bytes through a pipe, after a delay."""

EXPERIMENT = """
import os, time
from ipclab import explore, name, run, timeline, story

def read_from_pipe(blocking=True, n=3, delay=0.0):
    r, w = os.pipe()
    os.set_blocking(r, blocking)
    if os.fork() == 0:
        name("writer")
        os.close(r)
        time.sleep(delay)
        os.write(w, b"x" * n)
        os._exit(0)
    name("reader")
    os.close(w)
    try:
        print(os.read(r, 99))
    except BlockingIOError as error:
        print(error.strerror)
    os.wait()
"""
