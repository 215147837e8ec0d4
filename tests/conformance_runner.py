"""Run some of CPython's own tests in this process, bare or recorded, and write what became of each, a line of JSON a
test: [id, outcome, reason]. Started by conformance.py: `conformance_runner.py REPORT TOLD WITHOUT NAME...`, TOLD being
what a recorded process is told of its run, as JSON (with the log's descriptor), or "bare", WITHOUT a JSON list of
classes and tests to leave out.
"""
import json
import os
import sys
import unittest


class Result(unittest.TestResult):
    """Writes each test's outcome as soon as it is known, so that a crash loses one test only."""

    def __init__(self, fd):
        super().__init__()
        self.fd, self.failed = fd, False

    def tell(self, test, outcome, reason=""):
        os.write(self.fd, (json.dumps([test if isinstance(test, str) else test.id(), outcome, reason]) + "\n").encode())

    def startTest(self, test):
        super().startTest(test)
        self.failed = False
        self.tell(test, "started")

    def addSuccess(self, test):
        if not self.failed:
            self.tell(test, "passed")

    def addFailure(self, test, error):
        self.fail(test, "failed", test, error)

    def addError(self, test, error):
        self.fail(test, "error", test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.fail(test, "failed", test, error)

    def fail(self, name, outcome, test, error):
        self.failed = True
        self.tell(name, outcome, self._exc_info_to_string(error, test)[-4000:])

    def addSkip(self, test, reason):
        self.failed = True
        self.tell(test, "skipped", reason)

    def addExpectedFailure(self, test, error):
        self.tell(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        self.tell(test, "unexpected success")


def record(told):
    """Make this process a recorded one, as the stage makes an experiment."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.insert(0, here)
    from ipclab import log, record, twins

    sys.path.remove(here)
    fd = told.pop("fd")
    writer = log.Writer(fd)
    os.close(fd)
    twins.install()
    record.start(record.Run(writer, **told))
    record.note("birth", os.getpid(), 0)


def tests(names, without):
    """The tests of those names, but for some."""
    for name in names:
        for test in flat(unittest.defaultTestLoader.loadTestsFromName(name)):
            if test.id() not in without and test.id().rpartition(".")[0] not in without:
                yield test


def flat(suite):
    for test in suite:
        yield from flat(test) if isinstance(test, unittest.TestSuite) else [test]


def main(report, told, without, *names):
    fd = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    os.dup2(fd, 200, inheritable=False)  # out of the way: some tests count on low numbers being free
    os.close(fd)
    del sys.path[0]
    if told != "bare":
        record(json.loads(told))
    from test import support

    support.use_resources = ["cpu", "subprocess", "walltime"]
    result = Result(200)
    try:
        unittest.TestSuite(tests(names, json.loads(without))).run(result)
    except unittest.SkipTest as reason:
        result.tell(names[0], "skipped", str(reason))
    result.tell("all", "done")


if __name__ == "__main__":
    main(*sys.argv[1:])
