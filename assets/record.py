"""Runs the README's program and draws what happened: assets/timeline.svg, a real timeline. `make assets` writes it."""
import os
import pathlib
import time

from ipclab import name, run, timeline


def read_from_pipe(blocking=True, delay=0.2):
    r, w = os.pipe()
    os.set_blocking(r, blocking)
    if os.fork() == 0:                  # the child writes
        name("writer")
        os.close(r)
        time.sleep(delay)
        os.write(w, b"hello")
        os._exit(0)
    name("reader")                      # the parent reads
    os.close(w)                         # or read() would never see the end
    try:
        print(os.read(r, 5))
    except BlockingIOError as error:
        print(error.strerror)
    os.wait()


def main():
    picture = timeline(run(read_from_pipe))
    (pathlib.Path(__file__).parent / "timeline.svg").write_text(picture.svg + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
