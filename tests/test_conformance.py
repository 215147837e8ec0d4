"""A fixed part of CPython's own tests gives under the recorder what it gives without; `make conformance` runs all."""
import conformance
import pytest

problem = conformance.missing()


@pytest.mark.skipif(problem is not None, reason=problem or "")
def test_cpythons_own_tests_give_the_same_under_the_recorder():
    counts, calls, found, _unsteady = conformance.differences([f"test.{name}" for name in conformance.FAST])
    assert calls > 1000 and counts["passed"] > 100
    assert not {test: parts for test, parts in found.items() if test not in conformance.KNOWN}
