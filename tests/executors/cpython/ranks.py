"""Runs CPython's own tests over `MPIExecutor` or `Pool`: `ranks.py executors|pools [NOT_RUN …]`.

They are imported from `test.`, as the interpreter has them, and made into test cases as CPython
does it: a class of tests, and one that says what is tested. Workers import this program too, so
that they have the classes. Rank 0 prints a line of JSON for each test: its name, what became of
it, and why. Programs that tests start by `python -c` are started as a user starts his.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import ModuleType
from typing import Any

from test import support
from test.support import script_helper

import scoopmpi

SLEEPS = {"LONG_TIMEOUT": 2.0, "SHORT_TIMEOUT": 5.0}
"""Seconds that tasks sleep in tests of pools (test_terminate, test_async_timeout) for a pool that
kills its processes: here they end. In tests of executors the two are limits, and stay as they are.
"""
PREAMBLE = """
import concurrent.futures, multiprocessing, scoopmpi
concurrent.futures.MPIExecutor, multiprocessing.Pool = scoopmpi.MPIExecutor, scoopmpi.Pool
"""


def started(option: str, code: str) -> tuple[int, bytes, bytes]:
    """In place of `assert_python_ok`: run a program by `myscoop` on two workers."""
    assert option == "-c"
    with tempfile.TemporaryDirectory() as place:
        program = Path(place, "program.py")
        program.write_text(PREAMBLE + code)
        answer = subprocess.run(
            [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local", "-n", "2", program],
            env=json.loads(os.environ["ENVIRONMENT_OF_THE_TESTS"]), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
    assert answer.returncode == 0, answer
    return answer.returncode, answer.stdout, answer.stderr


def classes(modules: list[ModuleType], kind: type) -> dict[str, type]:
    """The classes with tests that are no test cases by themselves, without bases of others."""
    found = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and issubclass(value, kind)
        and not issubclass(value, unittest.TestCase)
        and any(each.startswith("test_") for each in dir(value))
    }
    bases = {base for value in found.values() for base in value.__mro__[1:]}
    return {name: value for name, value in found.items() if value not in bases}


def of_executors() -> dict[str, type]:
    package = importlib.import_module("test.test_concurrent_futures")
    modules = [package]
    for _, name, _ in pkgutil.iter_modules(getattr(package, "__path__", [])):
        modules.append(importlib.import_module(f"{package.__name__}.{name}"))
    parts = {name: value for module in modules for name, value in vars(module).items()}

    class Face(parts["ExecutorMixin"]):  # type: ignore[misc]
        executor_type = scoopmpi.MPIExecutor

        def get_context(self) -> Any:
            return multiprocessing.get_context("spawn")

    return {
        name: type(name, (value, Face, parts["BaseTestCase"]), {"__module__": "__main__"})
        for name, value in classes(modules, object).items()
    }


def of_pools() -> dict[str, type]:
    vars(support).update(SLEEPS)
    module: Any = importlib.import_module("test._test_multiprocessing")
    multiprocessing.Pool = scoopmpi.Pool  # type: ignore[assignment, misc]

    class Face(module.ProcessesMixin):  # type: ignore[misc]
        Pool = staticmethod(scoopmpi.Pool)

    return {
        name: type(name, (value, Face, unittest.TestCase), {"__module__": "__main__"})
        for name, value in classes([module], module.BaseTestCase).items()
        if name.startswith("_TestPool")
    }


class Lines(unittest.TestResult):
    """What becomes of each test, as a line on stdout."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        print(name_of(test), file=sys.__stderr__, flush=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        problems = [text for where in (self.errors, self.failures) for _, text in where]
        skipped = [text for _, text in self.skipped]
        result = "failed" if problems else "skipped" if skipped else "passed"
        self.tell(name_of(test), result, "".join(problems or skipped))

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        if not isinstance(test, unittest.TestCase):  # of a whole class
            self.tell(str(test), "failed", self.errors[-1][1])

    def tell(self, name: str, result: str, why: str) -> None:
        print(json.dumps((name, result, why)), file=sys.__stdout__, flush=True)
        for seen in (self.errors, self.failures, self.skipped):
            seen.clear()


def name_of(test: unittest.TestCase) -> str:
    return f"{type(test).__name__}.{test._testMethodName}"


def main(not_run: list[str]) -> None:
    tests = unittest.TestSuite()
    for case in CASES.values():
        for name in unittest.defaultTestLoader.getTestCaseNames(case):
            if f"{case.__name__}.{name}" not in not_run:
                tests.addTest(case(name))
    print(tests.countTestCases(), "tests", flush=True)
    tests.run(Lines())


support.verbose = 0
script_helper.assert_python_ok = started
CASES = of_executors() if sys.argv[1] == "executors" else of_pools()
globals().update(CASES)
if __name__ == "__main__":
    main(sys.argv[2:])
