"""Is the recorder transparent? CPython's own tests, bare and recorded, must give the same, the same skips included.

    python tests/conformance.py [--fast] [NAME...]      a NAME is a module, class or test, such as test_os.ForkTests

A test that differs is run again, bare and recorded in turn: where the bare outcome itself is not always the same, or
the recorded one is then the same, it is called unsteady and said so. What differs each time and is not in KNOWN makes
it fail, and so does an entry of KNOWN that no longer differs. Works as root and as an ordinary user.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from ipclab import family, lanes, log  # noqa: E402

WHOLE = ("test_os", "test_posix", "test_mmap", "test_select", "test_poll", "test_epoll", "test_signal", "test_socket",
         "test_fcntl", "test_fileio", "test_io", "test_selectors", "test_subprocess", "test_fork1", "test_wait4",
         "test_threadsignals")
FAST = ("test_mmap", "test_epoll", "test_fcntl", "test_fileio", "test_posix.PosixTester",
        "test_os.FileTests", "test_os.ForkTests", "test_os.PidTests", "test_os.SpawnTests", "test_os.ExecTests",
        "test_os.EnvironTests", "test_os.FDInheritanceTests", "test_os.BlockingTests", "test_os.EventfdTests",
        "test_signal.GenericTests", "test_signal.PosixTests", "test_signal.WakeupFDTests",
        "test_select.SelectTestCase.test_error_conditions",
        "test_socket.BasicTCPTest", "test_socket.BasicSocketPairTest", "test_socket.TestUnixDomain",
        "test_socket.SendRecvFdsTests", "test_socket.NonBlockingTCPTests")
KNOWN = {  # test: why it differs, and why no taught program meets it
}
LEFT_OUT = {  # class: why it is not run at all
    "test.test_socket.ThreadedVSOCKSocketStreamTest": "bare, it waits for ever on machines without vsock's loopback",
}
INSTALL = ("CPython's tests are not installed for this Python ({python}). Debian keeps them apart: "
           "apt install libpython3-testsuite")
PATIENCE = 120  # seconds without news from a test after which it is taken to hang
TRIES = 4  # more runs of a test that differs


def run(names, recorded, without=()):
    """{test: outcomes} of some tests, and how many calls were recorded. One that hangs or crashes is given up, and
    the rest are run without it."""
    results, calls, without = {}, 0, list(without)
    while True:
        found, last, more = _run_once(names, recorded, [*LEFT_OUT, *without])
        calls += more
        results |= found
        if last is None:
            return results, calls
        without += [test for test in found if test.startswith("test.")]


def _run_once(names, recorded, without):
    """({test: outcomes}, the test in which it stopped or None, calls recorded)."""
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        report, fd = os.path.join(folder, "report"), log.create()
        told = {"fd": fd, "path": f"/proc/{os.getpid()}/fd/{fd}", "supervisor": os.getpid(), "folder": folder,
                "tasks": family.tasks() + 1000}
        os.mkdir(os.path.join(folder, "cwd"))
        command = [sys.executable, os.path.join(HERE, "conformance_runner.py"), report,
                   json.dumps(told) if recorded else "bare", json.dumps(without), *names]
        with open(os.path.join(folder, "said"), "w") as said:
            process = subprocess.Popen(command, pass_fds=[fd] if recorded else [], stdin=subprocess.DEVNULL,
                                       stdout=said, stderr=said, cwd=os.path.join(folder, "cwd"),
                                       start_new_session=True)
        ending = _watched(process, report)
        calls = sum(kind == log.BEGIN for entries, _over in lanes.read(fd).values() for kind, _values in entries)
        os.close(fd)
        return *_outcomes(report, ending), calls


def _watched(process, report):
    """Wait for the process, as long as its report grows: how it ended, in words. It does not outlive this."""
    size, since = -1, time.monotonic()
    try:
        while time.monotonic() - since < PATIENCE:
            try:
                return f"ended with {process.wait(1)}"
            except subprocess.TimeoutExpired:
                pass
            grown = os.path.getsize(report) if os.path.exists(report) else 0
            if grown != size:
                size, since = grown, time.monotonic()
        return "hung"
    finally:
        if process.returncode is None:
            for pid in [*family.descendants(process.pid), process.pid]:
                subprocess.run(["kill", "-KILL", str(pid)], stderr=subprocess.DEVNULL)
            process.wait()


def _outcomes(report, ending):
    results, last = {}, "the start"
    with open(report, "a+") as file:
        file.seek(0)
        for line in file:
            test, outcome, reason = json.loads(line)
            if outcome == "started":
                last = test
                results.setdefault(test, [])
            elif outcome == "done":
                return results, None
            else:
                results.setdefault(test, []).append((outcome, reason))
    results.setdefault(last, []).append((ending, ""))
    return results, None if last == "the start" else last


def outcome(results, test):
    """What became of a test, as it is compared: in words, with the reason where it was skipped."""
    told = {f"{what}: {reason}" if what == "skipped" else what for what, reason in results.get(test, [])}
    return ", ".join(sorted(told)) or "not run"


def differences(names):
    """(tests run, calls recorded, {test: (bare, recorded, details)} that differ, those that are unsteady)."""
    bare, _none = run(names, False)
    recorded, calls = run(names, True)
    found, unsteady = {}, []
    for test in sorted({*bare, *recorded}):
        one, other = outcome(bare, test), outcome(recorded, test)
        if one == other:
            continue
        if _steady(test, {one}, {other}):
            found[test] = one, other, "\n".join(reason for _what, reason in recorded.get(test, ()))
        else:
            unsteady.append(test)
    return Counter(outcome(bare, test).partition(":")[0] for test in bare), calls, found, unsteady


def _steady(test, bare, recorded):
    """Whether a test that differed once does so each time."""
    if not test.startswith("test."):
        return True
    for _try in range(TRIES):
        bare.add(outcome(run([test], False)[0], test))
        recorded.add(outcome(run([test], True)[0], test))
        if bare & recorded or len(bare) > 1:
            return False
    return True


def report(names):
    """Compare module by module, say what was found; how many faults there were."""
    faults, seen = 0, set()
    for name in names:
        began = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        counts, calls, found, unsteady = differences([f"test.{name}"])
        said = ", ".join(f"{count} {what}" for what, count in counts.most_common())
        print(f"{said}; {calls} calls recorded; {time.monotonic() - began:.0f} s", flush=True)
        faults += not calls
        for test in unsteady:
            print(f"  unsteady, differed once and then no more: {test}")
        for test, (bare, recorded, details) in found.items():
            seen.add(test)
            faults += test not in KNOWN
            print(f"  {'known' if test in KNOWN else 'DIFFERS'}: {test}\n    bare: {bare}\n    recorded: {recorded}")
            print("    " + (KNOWN.get(test) or details).replace("\n", "\n    "))
        for test in [test for test in KNOWN if test.startswith(f"test.{name}.") and test not in seen]:
            faults += 1
            print(f"  no longer differs, take it off the list: {test}")
    return faults


def missing():
    """Why nothing can be compared here, or None."""
    return None if find_spec("test") and find_spec("test.test_os") else INSTALL.format(python=sys.executable)


def main(words):
    if problem := missing():
        print(problem)
        return 1
    names = FAST if "--fast" in words else [word for word in words if not word.startswith("-")] or WHOLE
    faults = report([name for name in names if find_spec("test." + name.partition(".")[0])])
    print(f"{faults} differences that should not be" if faults else "the recorder changes nothing")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
