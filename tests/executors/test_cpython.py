"""CPython's own tests of executors and pools pass over `MPIExecutor` and `Pool`, on real ranks.

They are those of the interpreter that runs the suite, imported from `test.`, and skipped where it
has none. What differs is listed here one by one, with the reason; a test that is listed and passes
is a failure too, as the list would say what is not true.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import sys

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(180)

NO_PROCESSES = "looks into `_processes` and at the executor's own thread: the farm has workers"
SURVIVES = "expects a broken pool; here the task alone fails, with a TaskError that says why"
OURS = "expects the standard library's own class as the cause; here it is scoopmpi.RemoteTraceback"

EXECUTORS = {
    "ExecutorDeadlockTest.test_error_at_task_unpickle": SURVIVES,
    "ExecutorDeadlockTest.test_error_during_result_pickle_on_worker": (
        "expects the result's own error; here a TaskError names the function and the remedy, and "
        "has the result's error as its cause"
    ),
    "ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler": SURVIVES,
    "ExecutorDeadlockTest.test_exit_at_task_unpickle": SURVIVES,
    "ExecutorDeadlockTest.test_exit_during_result_pickle_on_worker": (
        "expects SystemExit, which would end the program; here it is the cause of a TaskError"
    ),
    "ExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler": SURVIVES,
    "ExecutorDeadlockTest.test_shutdown_deadlock_pickle": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_idle_process_reuse_multiple": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_idle_process_reuse_one": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_killed_child": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_max_tasks_per_child": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_max_tasks_per_child_defaults_to_spawn_context": (
        "looks into `_mp_context`: workers are not started by multiprocessing"
    ),
    "ProcessPoolExecutorTest.test_python_finalization_error": (
        "lets the executor's second thread fail to start: it has none"
    ),
    "ProcessPoolExecutorTest.test_ressources_gced_in_workers": (
        "sends an object of a multiprocessing.Manager, which is for children of its own process: "
        "a worker does not have the key"
    ),
    "ProcessPoolExecutorTest.test_saturation": NO_PROCESSES,
    "ProcessPoolExecutorTest.test_traceback": OURS,
    "ProcessPoolShutdownTest.test_processes_terminate": NO_PROCESSES,
}
POOLS = {
    "_TestPool.test_imap_handle_iterable_exception": (
        "expects that the values of a chunk are lost with the iterable's failure; here every value "
        "before it comes, as chunks are not used"
    ),
    "_TestPool.test_map_unplicklable": (
        "expects the argument's own error; here a PicklingError names the function and the task"
    ),
    "_TestPool.test_resource_warning": (
        "expects a warning where a pool is dropped that is not closed: it has no processes to lose"
    ),
    "_TestPool.test_traceback": OURS,
    "_TestPoolWorkerErrors.test_unpickleable_result": "a lambda can travel here",
    "_TestPoolWorkerLifetime.test_pool_worker_lifetime": (
        "expects other processes after some tasks: `maxtasksperchild` is accepted, workers stay"
    ),
}
CRASH = "kills workers: tests/farm/test_lost_workers.py says what follows, as MPI lets us"
NOT_RUN = {
    "ExecutorDeadlockTest.test_crash_at_task_unpickle": CRASH,
    "ExecutorDeadlockTest.test_crash_big_data": CRASH,
    "ExecutorDeadlockTest.test_crash_during_func_exec_on_worker": CRASH,
    "ExecutorDeadlockTest.test_crash_during_result_pickle_on_worker": CRASH,
    "ExecutorDeadlockTest.test_shutdown_deadlock": CRASH,
}


def results(library: Library, which: str, workers: int) -> dict[str, tuple[str, str]]:
    """What became of each test, and why."""
    env = {**library.env, "ENVIRONMENT_OF_THE_TESTS": json.dumps(library.env)}
    words = [*MYSCOOP, "-n", str(workers), "tests/executors/cpython/ranks.py", which, *NOT_RUN]
    answer = start(Library(library.name, env), words, timeout=150)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    lines = (json.loads(line) for line in answer.stdout.splitlines() if line.startswith('["'))
    found = {name: (result, why) for name, result, why in lines}
    assert f"{len(found)} tests" in answer.stdout.splitlines(), answer.stdout[-3000:]
    return found


def compare(found: dict[str, tuple[str, str]], differences: dict[str, str]) -> None:
    failed = {name: why for name, (result, why) in found.items() if result == "failed"}
    unexpected = failed.keys() - differences.keys()
    assert not unexpected, "\n".join(f"{name}: {failed[name][-1500:]}" for name in unexpected)
    passed = {name for name, (result, _) in found.items() if result == "passed"}
    stale = passed & differences.keys()
    assert not stale, f"{stale} pass now, and have to leave the list"


def test_the_lists_are_strict() -> None:
    listed = {"A.b": "because"}
    compare({"A.b": ("failed", ""), "A.c": ("passed", ""), "A.d": ("skipped", "")}, listed)
    for found in ({"A.b": ("passed", "")}, {"A.c": ("failed", "")}):
        with pytest.raises(AssertionError):
            compare(found, listed)


@functools.cache
def missing(module: str) -> str | None:
    """Why CPython's tests cannot be run, if they cannot."""
    try:
        if importlib.util.find_spec(module) is not None:
            return None
    except ModuleNotFoundError:
        pass
    return (
        f"Python {sys.version.split()[0]} in {sys.base_prefix} has been installed without {module}"
    )


def test_of_executors(first_library: Library) -> None:
    if reason := missing("test.test_concurrent_futures"):
        pytest.skip(reason)
    found = results(first_library, "executors", 4)
    assert len(found) > 45
    compare(found, EXECUTORS)


def test_of_pools(first_library: Library) -> None:
    if reason := missing("test._test_multiprocessing"):
        pytest.skip(reason)
    found = results(first_library, "pools", 3)
    assert len(found) > 25
    compare(found, POOLS)
