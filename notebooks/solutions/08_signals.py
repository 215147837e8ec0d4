"""Solutions of the exercises of 08_signals: one way of several. The tests run the checks on them."""
import os
import signal
import time

from ipclab import name


def read_in_time(delay=1.0, limit=0.1):
    def on_alarm(number, frame):
        raise TimeoutError

    r, w = os.pipe()
    if os.fork() == 0:
        name("writer")
        time.sleep(delay)
        os.write(w, b"hello")
        os._exit(0)
    name("reader")
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        print(os.read(r, 5).decode())
    except TimeoutError:
        print("too late")
    signal.setitimer(signal.ITIMER_REAL, 0)     # in time: nobody is to be woken any more
    time.sleep(0.7)                         # other work, not to be interrupted


def finish_the_job(last=2):
    r, w = os.pipe()
    begun_r, begun_w = os.pipe()
    if (worker := os.fork()) == 0:
        name("worker")
        stopping = []
        signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
        for job in range(1, 6):
            os.write(begun_w, b"x")
            os.read(r, 1)                       # the job takes until the boss says so
            print("job", job, "done")
            if stopping:
                break
        os._exit(0)
    name("boss")
    for job in range(1, last + 1):
        os.read(begun_r, 1)
        if job == last:
            os.kill(worker, signal.SIGTERM)
        os.write(w, b"x")
    os.wait()


def wait_for_the_start(quick=True):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])     # from before fork() on: it stays pending
    if os.fork() == 0:
        name("starter")
        if not quick:
            time.sleep(0.2)
        os.kill(os.getppid(), signal.SIGUSR1)
        os._exit(0)
    name("runner")
    if quick:
        os.wait()                           # the starter has sent it, and has ended
    signal.sigwait([signal.SIGUSR1])
    print("started")
