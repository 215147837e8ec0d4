"""Whatever an experiment does, run() comes back by its deadline with all that was recorded; nothing of ours is left,
and nothing of others is touched. Each test ends with a look over the machine: the fixture `nothing_left`."""
import ctypes
import gc
import mmap
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import posix_ipc
import pytest
import sysv_ipc
from remains import MARK, wait_for

import ipclab
from ipclab import connection, family, log, proc, run
from ipclab.run import start

pytestmark = pytest.mark.usefixtures("nothing_left")

LATE = 10.0  # seconds after its deadline by which a run is back on a busy machine
ROOT = str(pathlib.Path(ipclab.__file__).parent.parent)


def back(experiment, timeout=0.5, late=LATE, **params):
    """The trace of a run that came back in time."""
    began = time.monotonic()
    trace = run(experiment, timeout=timeout, **params)
    assert time.monotonic() - began < timeout + late
    assert time.monotonic() - began >= timeout or not trace.timed_out
    return trace


# Endings


def test_a_child_that_returns_ends_as_a_script_does():
    def returns():
        if os.fork() == 0:
            return
        os.wait()

    trace = back(returns, timeout=20)
    assert [p.exit_code for p in trace.processes] == [0, 0] and not trace.timed_out


def test_a_child_that_forgets_exit_goes_on_with_its_parents_code():
    def forgets():
        if os.fork() == 0:
            print("child")
        print("both")

    assert sorted(back(forgets, timeout=20).stdout.split()) == [b"both", b"both", b"child"]


def test_a_loop_without_calls():
    def loops():
        while True:
            pass

    [process] = back(loops).processes
    assert process.signal == signal.SIGKILL and process.stuck.state == "R" and str(process.stuck) == "was running"


def test_a_loop_of_calls_keeps_its_first_and_last():
    def loops():
        os.getuid()
        while True:
            os.getpid()

    trace = back(loops, timeout=1.5)
    assert trace.timed_out and trace.events[0].call == "os.getuid" and trace.events[-1].start > 1
    assert [p.signal for p in trace.processes] == [signal.SIGKILL]


def test_a_daemon_is_found():
    def daemonises():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
                os.chdir("/")
                os.closerange(0, 100)
                signal.pause()
            os._exit(0)
        os.wait()

    trace = back(daemonises)
    assert [(p.exit_code, p.signal) for p in trace.processes] == [(0, None), (0, None), (None, signal.SIGKILL)]
    assert trace.processes[2].stuck.call == "signal.pause()" and not trace.processes[0].stuck


def test_a_process_that_stops_itself():
    def stops():
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        os.wait()

    parent, child = back(stops).processes
    assert child.stuck.state == "T" and str(child.stuck) == "is stopped" and child.signal == signal.SIGKILL
    assert parent.stuck.call == "os.wait()"


def test_a_child_that_kills_its_parent():
    def kills():
        supervisor = os.getppid()
        if os.fork() == 0:
            while proc.stat(os.getppid())["state"] != "S":
                pass
            os.kill(os.getppid(), signal.SIGKILL)
            while os.getppid() != supervisor:
                pass
            print("still there")
            os._exit(7)
        time.sleep(60)

    parent, child = (trace := back(kills, timeout=20)).processes
    assert parent.signal == signal.SIGKILL and child.exit_code == 7 and trace.stdout == b"still there\n"
    [sleep] = trace.calls("time.sleep")
    assert sleep.end is None  # killed in mid-call, and yet in the trace


def test_closing_all_descriptors():
    def closes():
        os.closerange(0, 100_000)
        print(os.pipe())
        os.write(1, b"x")
        raise OSError("unheard")

    trace = back(closes, timeout=20)
    assert trace.calls("os.pipe")[0].result == (0, 1) and trace.calls("os.write")[0].result == 1
    assert trace.processes[0].exit_code == 1 and "unheard" in trace.processes[0].traceback


def test_a_crash():
    def crashes():
        if os.fork() == 0:
            ctypes.string_at(0)
        print(os.WTERMSIG(os.wait()[1]))

    trace = back(crashes, timeout=20)
    assert trace.processes[1].signal == signal.SIGSEGV and trace.stdout == b"11\n"


def test_an_exit_without_ado():
    def leaves():
        if os.fork() == 0:
            ctypes.CDLL(None)._exit(3)
        ctypes.CDLL(None).exit(os.waitstatus_to_exitcode(os.wait()[1]))

    assert [p.exit_code for p in back(leaves, timeout=20).processes] == [3, 3]


def test_threads_that_never_end():
    def waits():
        threading.Thread(target=time.sleep, args=(60,)).start()

    trace = back(waits)
    assert trace.timed_out and len(trace.processes) == 1 and trace.processes[0].signal == signal.SIGKILL


def test_programs_that_are_not_recorded():
    def starts():
        r, w = os.pipe()
        if os.fork() == 0:
            os.dup2(r, 0)
            os.execvp("cat", ["cat"])
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "60"])
        os.wait()

    trace = back(starts, timeout=2)
    parent, cat, sleep = trace.processes
    assert (cat.program, sleep.program) == (["cat"], ["sleep", "60"]) and not cat.recorded and parent.recorded
    assert cat.stuck.state == "S" and cat.stuck.object.startswith("pipe:") and cat.stuck.fd == 0
    assert ("parent", 4) in cat.stuck.holders and sleep.stuck.call == "clock_nanosleep()"
    assert [p.signal for p in trace.processes] == [signal.SIGKILL] * 3


def test_those_that_ended_before_the_deadline_keep_their_ends():
    def mixed():
        for code in (1, 2):
            if os.fork() == 0:
                os._exit(code)
        while len([pid for pid in os.listdir("/proc") if pid.isdigit() and zombie(pid)]) < 2:
            pass
        if os.fork() == 0:
            time.sleep(60)
        os.waitpid(-1, 0)
        time.sleep(60)

    def zombie(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return False
        return fields[0] == "Z" and int(fields[1]) == os.getpid()

    trace = back(mixed, timeout=1.5)
    parent, one, two, last = trace.processes
    assert (one.exit_code, two.exit_code) == (1, 2) and not one.stuck and not two.stuck
    assert parent.stuck.call == last.stuck.call == "time.sleep(60)"


# Forks without end


def test_forks_are_bounded():
    def bomb():
        while True:
            try:
                os.fork()
            except BlockingIOError:
                pass

    trace = back(bomb)
    assert 20 < len(trace.processes) <= 200 and trace.timed_out
    assert all(p.signal == signal.SIGKILL for p in trace.processes)


def test_forks_behind_the_recorders_back_are_ended():
    def bomb():
        fork = ctypes.CDLL(None).fork
        while True:
            fork()

    trace = back(bomb, timeout=5)
    assert trace.timed_out or "processes" in trace.notes[0]


def test_forks_of_a_shell_are_ended():
    def bomb():
        os.execvp("sh", ["sh", "-c", "bomb() { bomb | bomb & }; bomb; wait"])

    trace = back(bomb, timeout=3)
    assert trace.processes[0].program


def test_forks_that_flee_into_sessions_of_their_own():
    def bomb():
        while True:
            try:
                if os.fork() == 0:
                    os.setsid()
            except BlockingIOError:
                pass

    assert back(bomb).timed_out


def test_a_deadline_in_the_middle_of_many_processes():
    def many():
        r, w = os.pipe()
        for _ in range(100):
            if os.fork() == 0:
                while True:
                    os.write(w, b"x")
        while True:
            os.read(r, 1)

    trace = back(many, timeout=1.5)
    assert 5 < len(trace.processes) <= 101 and {p.signal for p in trace.processes} == {signal.SIGKILL}
    assert trace.events and all(p.stuck for p in trace.processes)


def test_those_that_are_born_while_the_others_are_looked_at():
    def goes_on():
        while True:
            if os.fork() == 0:
                signal.pause()

    trace = back(goes_on, timeout=0.2)
    assert trace.timed_out and len(trace.processes) > 5
    assert all(p.signal == signal.SIGKILL and p.stuck for p in trace.processes)


def test_processes_that_come_and_go():
    def passing(count=400):
        for number in range(count):
            if os.fork() == 0:
                os._exit(number % 256)
            os.wait()

    trace = back(passing, timeout=60)
    assert [p.exit_code for p in trace.processes[1:]] == [number % 256 for number in range(400)]


# Those who watch


def test_signals_to_others_are_refused():
    def kills():
        supervisor = os.getppid()
        for target in (supervisor, 1, -1):
            try:
                os.kill(target, signal.SIGKILL)
            except PermissionError as error:
                print("ipclab" in str(error))

    assert back(kills, timeout=20).stdout == b"True\nTrue\nTrue\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTSTP])
def test_a_supervisor_takes_no_notice_of_signals(number):
    def kills(number):
        ctypes.CDLL(None).kill(os.getppid(), number)
        print("on")

    assert back(kills, timeout=20, number=int(number)).stdout == b"on\n"


def test_a_killed_supervisor():
    def kills():
        os.mkfifo("left")
        sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100)
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
        ctypes.CDLL(None).kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)

    trace = back(kills, timeout=20, late=0)
    assert not trace.timed_out and "supervisor was killed by signal 9" in trace.notes[0]
    assert [p.signal for p in trace.processes] == [signal.SIGKILL] * 2 and trace.calls("os.mkfifo")
    assert {left.kind for left in trace.leftovers} == {"FIFO", "System V shared memory"}


def test_a_stopped_supervisor():
    def stops():
        ctypes.CDLL(None).kill(os.getppid(), signal.SIGSTOP)
        time.sleep(60)

    trace = back(stops)
    assert "supervisor was killed" in trace.notes[0] and trace.processes[0].signal == signal.SIGKILL


def test_a_killed_stage_does_not_end_a_run():
    def kills():
        ctypes.CDLL(None).kill(proc.stat(os.getppid())["parent"], signal.SIGKILL)
        print("on")

    before = connection.current().pid
    for _ in range(3):
        assert back(kills, timeout=20).stdout == b"on\n"
    assert connection.current().pid != before


def test_a_stopped_stage_is_replaced():
    def waits():
        time.sleep(0.3)
        print("on")

    stage = connection.current().pid
    going = start(waits, timeout=20)
    wait_for(lambda: going.trace().processes, "the run's begin")
    os.kill(stage, signal.SIGSTOP)
    assert going.wait().stdout == b"on\n"  # whatever the stage does
    assert back(waits, timeout=20, late=20).stdout == b"on\n" and connection.current().pid != stage


def test_a_stage_that_was_killed_meanwhile_is_started_again():
    stage = connection.current()
    os.kill(stage.pid, signal.SIGKILL)
    assert back(lambda: print("on"), timeout=20).stdout == b"on\n"


def test_a_run_that_somebody_keeps_lets_go_of_a_stage_that_was_killed():
    kept = start(lambda: print("before"), timeout=20)
    assert kept.wait().stdout == b"before\n"
    stage = weakref.ref(connection.current())
    stage().kill()
    assert back(lambda: print("on"), timeout=20).stdout == b"on\n"
    assert stage() is None and kept.done()


# Those who call


def test_runs_from_threads():
    def speaks(word):
        if os.fork() == 0:
            time.sleep(0.05)
            print(word)
            os._exit(0)
        os.wait()

    found = {}
    threads = [threading.Thread(target=lambda word=word: found.update({word: run(speaks, word=word).stdout}))
               for word in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {word: f"{word}\n".encode() for word in "abcdef"}


def test_a_run_outlives_the_thread_that_began_it():
    def slow():
        time.sleep(0.3)
        print("whole")

    begun = []
    connection.close()
    thread = threading.Thread(target=lambda: begun.append(start(slow, timeout=20)))
    thread.start()
    thread.join()
    assert begun.pop().wait().stdout == b"whole\n"


def python(script, *words, wrapper=(), **how):
    """A Python process of its own that runs the script, with ipclab and this Python's packages; a Popen."""
    path = os.pathsep.join([ROOT, *(folder for folder in sys.path if folder.endswith("-packages"))])
    return subprocess.Popen([*wrapper, sys.executable, "-c", _COMMON + textwrap.dedent(script), *words], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env={**os.environ, "PYTHONPATH": path} | how.pop("env", {}), **how)


_COMMON = """
import os, signal, sys, threading, time
from ipclab import run
from ipclab.run import start

def sleeps():
    os.mkfifo("left")
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    time.sleep(60)

def begin():
    going = start(sleeps, timeout=60)
    while len(going.trace().calls("time.sleep")) < 2:
        pass
    return going

"""


def said(process, patience=60):
    """What the process printed till its end."""
    return process.communicate(timeout=patience)[0]


def test_ctrl_c_cancels_a_run():
    process = python("""
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        going = begin()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            going.wait()
        except KeyboardInterrupt:
            print("interrupted")
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            run(sleeps, timeout=60)
        except KeyboardInterrupt:
            print("cancelled")
        def prints(): print("on")
        going.cancel()
        print(run(prints).output, len(os.listdir("/proc/self/fd")))
        """)
    assert said(process).split() == ["interrupted", "cancelled", "on", "6"]  # 0 1 2, the stage's two, and the listing's


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kernel_that_is_ended_takes_its_runs_along(number):
    process = python("""
        goings = [begin(), begin()]
        print("begun", flush=True)
        signal.pause()
        """)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (-number, 130)


def test_a_kernel_that_leaves_takes_its_runs_along():
    assert said(python("going = begin()")) == ""


def test_a_kernel_that_is_replaced_takes_its_runs_along():
    assert said(python("going = begin(); os.execvp('true', ['true'])")) == ""


def test_a_kernels_fork_has_a_stage_of_its_own_and_ends_no_run():
    process = python("""
        def prints(): print("on")
        going = start(sleeps, timeout=60)
        run(prints)
        if os.fork() == 0:
            print(run(prints).output, end="", flush=True)
            sys.exit()  # with all that Python does then
        print(os.wait()[1], going.done(), run(prints).output, end="")
        going.cancel()
        """)
    assert said(process) == "on\n0 False on\n"


def test_a_fork_that_outlives_the_kernel_holds_no_run_back():
    process = python("""
        going = begin()
        if os.fork() == 0:
            print(os.getpid(), flush=True)
            time.sleep(60)
        else:
            signal.pause()
        """)
    forked = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        wait_for(lambda: not [pid for pid in family.parents() if pid != forked and _marked_by(process, pid)],
                 "the end of all but the fork")
    finally:
        os.kill(forked, signal.SIGKILL)
        process.communicate()


def _marked_by(process, pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"\0{process.pid}\0".encode() in file.read()  # the stage's last word is its kernel
    except OSError:
        return False


def test_two_kernels_at_once():
    script = """
        def prints(number):
            for _ in range(3):
                if os.fork() == 0:
                    os.write(1, b"%d" % number)
                    os._exit(0)
                os.wait()
        print({run(prints, number=int(sys.argv[1])).stdout for _ in range(10)})
        """
    assert [said(process) for process in [python(script, "1"), python(script, "2")]] == ["{b'111'}\n", "{b'222'}\n"]


def test_no_warning_of_forks_in_threads():
    process = python("""
        import warnings
        warnings.simplefilter("error")
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        def forks():
            if os.fork() == 0: os._exit(0)
            os.wait()
            print("on")
        print(run(forks).stdout)
        stop.set()
        """, env={"PYTHONWARNINGS": "error"})
    assert said(process) == "b'on\\n'\n"


def test_400_megabytes_in_the_caller():
    process = python("""
        held = bytearray(os.urandom(1 << 20)) * 400
        def forks():
            if os.fork() == 0: os._exit(0)
            os.wait()
            with open("/proc/self/statm") as file: print(int(file.read().split()[1]) * 4096 < 100 << 20)
        print(run(forks).stdout)
        """)
    assert said(process) == "b'True\\n'\n"


@pytest.fixture
def kernel():
    """A real ipykernel: (manager, client)."""
    manager_of = pytest.importorskip("jupyter_client.manager")
    manager = manager_of.KernelManager()
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(env={**os.environ, "PYTHONPATH": ROOT}, cwd="/")
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    client.context.destroy(linger=0)
    manager.context.destroy(linger=0)


def cell(client, code, patience=60):
    """Run a cell: (what it printed, the name of its error or None)."""
    printed = []

    def hook(message):
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(textwrap.dedent(code), timeout=patience, output_hook=hook)
    return "".join(printed), reply["content"].get("ename")


def test_a_real_kernel_interrupted_restarted_and_killed(kernel):
    manager, client = kernel
    assert cell(client, "import os, time\nfrom ipclab import run\nfrom ipclab.run import start") == ("", None)
    cell(client, """
        def hello():
            if os.fork() == 0:
                print("child")
                os._exit(0)
            os.wait()
            {}["line 7"]
        def sleeps():
            if os.fork() == 0: time.sleep(60)
            time.sleep(60)
        def begin():
            going = start(sleeps, timeout=60)
            while len(going.trace().calls("time.sleep")) < 2: pass
            return going
        """)
    printed, error = cell(client, """
        t = run(hello)
        print(t.output, t.processes[0].traceback, t.calls('os.fork')[0].line)
        """)
    assert error is None and printed.startswith("child\n") and '{}["line 7"]' in printed and printed.endswith(" 2\n")
    interrupter = threading.Thread(target=lambda: (_begun(client), manager.interrupt_kernel()))
    interrupter.start()
    assert cell(client, "going = begin()\nprint('begun', flush=True)\ngoing.wait()")[1] == "KeyboardInterrupt"
    interrupter.join()
    assert cell(client, "print(run(hello).output)") == ("child\n\n", None)
    cell(client, "going = begin()")
    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=60)
    assert cell(client, "1/0")[1] == "ZeroDivisionError"


def _begun(client):
    """Wait until a stage of the kernel's has two sleepers under it."""
    def sleepers():
        found = [pid for pid in family.descendants(os.getpid()) if _comm_is(pid, "clock_nanosleep")]
        return len(found) >= 2

    wait_for(sleepers, "the experiment's processes")


def _comm_is(pid, call):
    from ipclab import kernel as look

    return look.process(pid).get("call") == call


def test_a_killed_real_kernel(kernel):
    manager, client = kernel
    cell(client, """
        import os, time
        from ipclab.run import start
        def sleeps():
            if os.fork() == 0: time.sleep(60)
            time.sleep(60)
        going = start(sleeps, timeout=60)
        while len(going.trace().calls("time.sleep")) < 2: pass
        """)
    children = family.descendants(manager.provisioner.pid)
    assert len(children) >= 4  # stage, supervisor and two
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    wait_for(lambda: not set(children) & set(family.parents()), "the end of all that was under the kernel")
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)


# Objects


def test_objects_of_all_kinds_are_reported_and_removed():
    def leaves(tag):
        posix_ipc.MessageQueue(f"/{tag}-q", posix_ipc.O_CREAT)
        posix_ipc.Semaphore(f"/{tag}-s", posix_ipc.O_CREX)
        posix_ipc.SharedMemory(f"/{tag}-m", posix_ipc.O_CREX, size=10)
        sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100)
        sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
        sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX)
        os.mkfifo("fifo")
        os.mkdir("folder", 0)
        with open("file", "w") as file:
            file.write("text")
        os.symlink("/etc/passwd", "link")
        os.symlink("/", "root")
        here = socket.socket(socket.AF_UNIX)
        here.bind("socket")
        os.chmod(".", 0)

    trace = back(leaves, timeout=20, tag=f"ipclab-test-{os.getpid()}")
    assert sorted(left.kind for left in trace.leftovers) == sorted([
        "POSIX message queue", "POSIX semaphore", "POSIX shared memory", "System V shared memory",
        "System V message queue", "System V semaphore", "FIFO", "file", "socket", "symbolic link", "symbolic link"])
    assert all(left.removed for left in trace.leftovers) and os.path.exists("/etc/passwd")


def test_objects_that_the_run_removes_are_not_left():
    def tidy(tag):
        queue = posix_ipc.MessageQueue(f"/{tag}", posix_ipc.O_CREX)
        queue.close()
        queue.unlink()
        sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100).remove()
        os.mkfifo("fifo")
        os.unlink("fifo")

    assert back(tidy, timeout=20, tag=f"ipclab-test-{os.getpid()}").leftovers == []


def test_objects_of_others_are_not_touched(tmp_path):
    tag = f"ipclab-test-{os.getpid()}"
    queue = posix_ipc.MessageQueue(f"/{tag}", posix_ipc.O_CREX)
    memory = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100)
    semaphore = sysv_ipc.Semaphore(None, sysv_ipc.IPC_CREX)
    shared = posix_ipc.SharedMemory(f"/{tag}-m", posix_ipc.O_CREX, size=10)
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)

    def opens(tag, fifo, key):
        posix_ipc.MessageQueue(f"/{tag}", posix_ipc.O_CREAT)
        posix_ipc.SharedMemory(f"/{tag}-m", posix_ipc.O_CREAT, size=10)
        sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREAT, size=100)
        try:
            os.mkfifo(fifo)
        except FileExistsError:
            print("there")
        time.sleep(60)

    try:
        trace = back(opens, timeout=1.5, tag=tag, fifo=fifo, key=memory.key)
        assert trace.leftovers == [] and trace.stdout == b"there\n" and os.path.exists(fifo)
        posix_ipc.MessageQueue(f"/{tag}").close()
        sysv_ipc.Semaphore(semaphore.key)
        sysv_ipc.SharedMemory(memory.key).detach()
    finally:
        memory.detach()
        for thing in (memory, semaphore):
            thing.remove()
        queue.close()
        queue.unlink()
        shared.close_fd()
        shared.unlink()


def test_segments_made_meanwhile_by_others_are_not_touched():
    def waits():
        ctypes.CDLL(None).shmget(0, 100, 0o1600)  # unrecorded, and yet ours by its creator
        time.sleep(60)

    going = start(waits, timeout=1)
    wait_for(lambda: going.trace().calls("time.sleep"), "the experiment")
    memory = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=100)
    try:
        assert [(left.kind, left.removed) for left in going.wait().leftovers] == [("System V shared memory", True)]
        sysv_ipc.SharedMemory(memory.key).detach()
    finally:
        memory.detach()
        memory.remove()


def test_a_kill_between_making_and_noting_loses_nothing():
    def kills(tag):
        if os.fork() == 0:
            semaphore = posix_ipc.Semaphore(f"/{tag}", posix_ipc.O_CREX)
            os.kill(os.getpid(), signal.SIGKILL)
            semaphore.unlink()
        os.wait()

    [left] = back(kills, timeout=20, tag=f"ipclab-test-{os.getpid()}").leftovers
    assert left.kind == "POSIX semaphore" and left.removed


# Too much


@pytest.mark.parametrize("how", ["print", "write", "program"])
def test_endless_printing_is_ended_and_its_memory_given_back(how):
    def prints(how):
        if how == "program":
            os.execvp("yes", ["yes"])
        while True:
            print("x" * 10_000) if how == "print" else os.write(2, b"y" * 1_000_000)

    before = _shared_memory()
    trace = back(prints, timeout=20, how=how)
    assert "MiB" in trace.notes[0] and not trace.timed_out and len(trace.stdout) < 3 << 20
    assert b" bytes ...\n" in trace.stdout
    del trace
    wait_for(lambda: _shared_memory() < before + (40 << 20), "the memory given back")


def _shared_memory():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Shmem:"))


def test_a_deep_folder_and_many_files():
    def litters():
        for number in range(1000):
            with open(f"file {number}", "w"):
                pass
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")

    trace = back(litters, timeout=60)
    assert len(trace.leftovers) == 100


# Where a run cannot begin


def limited(script, wrapper=(), **limits):
    """What a script printed under the limits (RLIMIT_ names and values)."""
    import resource

    def limit():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return said(python(script, wrapper=wrapper, preexec_fn=limit))


_TRY = """
    def forks():
        if os.fork() == 0: os._exit(0)
        os.wait()
        print("on")
    try:
        print(run(forks).stdout)
    except RuntimeError as error:
        print("RuntimeError:", error)
    """


def test_little_address_space_makes_small_lanes():
    assert limited(_TRY, RLIMIT_AS=40 << 30) == "b'on\\n'\n"


def test_too_little_address_space_is_said():
    answer = limited(_TRY, RLIMIT_AS=300 << 20)
    assert answer.startswith("RuntimeError: the run could not begin") and "ulimit -v" in answer


def test_a_limit_on_files_is_said():
    answer = limited(_TRY, RLIMIT_FSIZE=1000)
    assert answer.startswith("RuntimeError: the run could not begin"), answer


@pytest.mark.parametrize("error, said", [
    ("OSError(errno.ENOSPC, 'No space')", "No space(.|\n)*Free some space"),
    ("OSError(errno.EROFS, 'Read-only')", "Read-only(.|\n)*Set TMPDIR"),
    ("ValueError('a mistake of ours')", "ValueError: a mistake of ours(.|\n)*doctor")])
@pytest.mark.parametrize("call", ["os.mkdir", "os.fork", "os.chdir", "os.setsid", "family.tasks", "moment.below"])
def test_a_run_that_cannot_begin_says_why(monkeypatch, error, said, call):
    """In a stage in which a call fails that a run needs; os.chdir is made by the experiment's first process."""
    connection.close()
    module, _dot, name = call.rpartition(".")
    broken = ("import errno, os; from ipclab import family, moment, twins\n"
              f"def fails(*args): raise {error}\n"
              f"twins.install = lambda: setattr({module}, {name!r}, fails)\n")
    monkeypatch.setattr(connection, "_START", connection._START.replace("from ipclab", broken + "from ipclab", 1))
    with pytest.raises(RuntimeError, match=said):
        run(lambda: time.sleep(60), timeout=0.2)
    connection.close()


def _can_unshare(*flags):
    return subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("flags, before", [
    (["-Ur"], ""), (["-Urpf", "--mount-proc"], ""),
    (["-Urm"], "mount -t tmpfs none /proc/sysvipc"),
    (["-Urm"], "mount -t tmpfs -o size=1m none /dev/shm"),
    (["-Urm"], "mount -t tmpfs none /tmp")])
def test_containers(flags, before):
    if not _can_unshare(*flags):
        pytest.skip(f"this machine gives no such namespaces (unshare {' '.join(flags)})")
    if before.endswith(" /tmp") and sys.prefix.startswith("/tmp/"):
        pytest.skip("this Python stands in /tmp, over which the test would mount another")
    script = f"{before or ':'}; exec \"$@\""
    answer = said(python("""
        def writes():
            os.write(1, b"x" * (8 << 20))  # more than /dev/shm may hold
            os.read(os.pipe()[0], 1)
        trace = run(writes, timeout=0.5)
        print(trace.timed_out, len(trace.stdout) > 2 << 20, trace.processes[0].stuck)
        """, wrapper=["unshare", *flags, "sh", "-c", script, "sh"]))
    assert answer.startswith("True True waits in os.read(3, 1) for pipe:["), answer


def test_two_users_on_one_host():
    if os.geteuid() != 0:
        print("not tried: as an ordinary user no other user's runs can be made; two runs of the same user are")
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    how = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        probe = python("import cloudpickle, posix_ipc, sysv_ipc", **how)
        refusal = said(probe) if probe.wait() else None
    except PermissionError as error:
        refusal = error
    if refusal:
        pytest.skip(f"user {user} may not read this Python or this folder: {refusal}")
    script = """
        import posix_ipc, sysv_ipc
        def leaves():
            posix_ipc.Semaphore(f"/ipclab-test-of-{os.getuid()}", posix_ipc.O_CREX)
            sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, size=10)
            os.mkfifo("fifo")
            if os.fork() == 0:
                os.setsid()
                time.sleep(60)
            time.sleep(60)
        traces = [run(leaves, timeout=0.5) for _ in range(2)]
        for trace in traces:
            print(sorted(left.kind for left in trace.leftovers), all(left.removed for left in trace.leftovers),
                  [p.signal for p in trace.processes], os.getuid())
        """
    theirs, mine = python(script, **how), python(script) if how else None
    expected = "['FIFO', 'POSIX semaphore', 'System V shared memory'] True [9, 9] "
    assert said(theirs) == f"{expected}{user}\n" * 2
    assert mine is None or said(mine) == f"{expected}0\n" * 2


# The log


@pytest.mark.parametrize("threads, size", [(32768, 1 << 24), (4194304, 1 << 24)])
def test_the_log_is_as_large_as_there_can_be_threads(monkeypatch, threads, size):
    monkeypatch.setattr(log, "_threads", lambda: threads)
    fd = log.create()
    mapped, words, lane = log.attach(fd)
    assert lane == size and len(mapped) == (threads + 1) * size and os.fstat(fd).st_blocks <= 8
    assert log.head(fd)[:2] == (size, len(mapped))
    os.close(fd)
    words.release()
    log._immortal.remove(mapped)
    if sys.version_info >= (3, 13):
        mapped.close()
    else:
        mapped.madvise(mmap.MADV_DONTNEED)  # closing it would close whatever has its number


def test_small_lanes_keep_head_and_tail_too(monkeypatch):
    from ipclab import lanes

    monkeypatch.setattr(log, "SIZES", (1 << 16,))
    monkeypatch.setattr(log, "_threads", lambda: 1 << 16 if threading.get_native_id() < 1 << 16 else 1 << 22)
    fd = log.create()
    writer = log.Writer(fd)
    for number in range(5000):
        stamp = writer.begin("call", (number,), None, None, 1, None, None)
        writer.returned(stamp, stamp, stamp, "result")
    writer.begin("long", ([b"x" * 4000] * 100,), None, None, 1, None, None)
    entries, overwritten = lanes.read(fd)[threading.get_native_id()]
    begun = [values[2] for kind, values in entries if kind == log.BEGIN]
    assert begun[:3] == [(0,), (1,), (2,)] and begun[-2:] == [(4999,), ("…",)]
    assert len(begun) + overwritten == 5001
    os.close(fd)
    assert log._immortal.pop() is not None
    gc.collect()


def test_nothing_waits_on_a_descriptor_of_ours():
    """A run's socket is readable at its end and not before."""
    going = start(lambda: time.sleep(0.5), timeout=20)
    assert select.select([going], [], [], 0)[0] == [] and not going.done()
    assert select.select([going], [], [], 30)[0] == [going] and going.done()
    assert going.wait().calls("time.sleep") and MARK in os.environ
