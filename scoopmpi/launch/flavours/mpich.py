"""MPICH, with its launcher Hydra."""

from __future__ import annotations

from . import hydra
from .command_line import CommandLine
from .ranks import Ranks

NAME = "mpich"
TITLE = "MPICH"
ALIASES = ("hydra",)
EXTRA = "mpich"
LAUNCHERS = (*hydra.LAUNCHERS, "mpirun.mpich", "mpiexec.mpich")
MOST_WORDS = None
MOST_BYTES = None


def recognises(library: str) -> bool:
    """True for "MPICH Version: 5.0.2"; Cray's is no MPICH for its launcher."""
    return "MPICH" in library and not any(name in library for name in ("CRAY", "MVAPICH"))


def starts(version: str, library: str) -> bool:
    """True for "HYDRA build details:", unless the build says MVAPICH and the library does not."""
    return "HYDRA" in version and (bool(library) or "mvapich" not in version.lower())


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return the command line; Hydra hands over the environment by itself."""
    how = (*hydra.binding(ranks), *hydra.bootstrap(ranks), *hydra.debugging(ranks))
    needs, unset = hydra.environment(ranks)
    return CommandLine(
        (mpirun, *how, *hydra.layout(ranks)),
        needs,
        unset,
        without_branches(ranks),
        ends_stdin=False,
    )


def without_branches(ranks: Ranks) -> tuple[str, ...]:
    """Return a note where --branchcount is given: Hydra 5.0 starts all daemons itself."""
    branches = ranks.asked.branches
    if branches is None:
        return ()
    return (f"--branchcount {branches}: the launcher of {TITLE} has no tree of daemons",)
