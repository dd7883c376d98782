"""Explanations for jobs whose ranks cannot see each other, or are not as many as were asked for.

Mostly the mpirun belongs to another MPI library than the one that mpi4py loads: then each rank is
alone in a world of its own, or MPI ends it while it starts. Pure: words for the user.
"""

from __future__ import annotations

from collections.abc import Mapping

from .launcher_variables import OPEN_MPI, SRUN, Launcher, launcher_of, size_of

_BY_SRUN = "a way of srun that the library knows (`srun --mpi=list` shows them)"


def before_mpi(env: Mapping[str, str], library: str) -> str | None:
    """Return why MPI must not even be started: there it would end the process without a word.

    library: all that it says of itself. Tried: MPICH 5 dies under the mpirun of Open MPI 4 and 5,
    unless it was built for PMIx. The other way round each rank is alone, as with Intel MPI.
    """
    size = size_of(env) or 1
    if launcher_of(env) is not OPEN_MPI or size == 1:
        return None
    if "MPICH" not in library or "pmix" in library.lower():
        return None
    return _alone(env, library, size)


def in_mpi(env: Mapping[str, str], library: str, size: int, asked: int | None) -> str | None:
    """Return why this job cannot work, of which MPI says that it has `size` ranks; None if it can.

    library: all that the library says of itself. asked: how many ranks `myscoop` asked for.
    """
    launched = size_of(env) or asked or 1
    launcher = _named(launcher_of(env))
    if size == 1 and launched > 1:
        return _alone(env, library, launched)
    if asked is not None and asked != size:
        return (
            f"scoopmpi: {asked} ranks were asked for (SCOOPMPI_RANKS), but {_name(library)} "
            f"has {size}: {launcher} was told otherwise. `myscoop --dry-run` prints what it "
            "is told; look for a number of ranks in --mpirunoptions."
        )
    return None


def _alone(env: Mapping[str, str], library: str, size: int) -> str:
    launcher = launcher_of(env)
    remedy = _BY_SRUN if launcher is SRUN else "the mpirun of that library"
    return (
        f"scoopmpi: this is one of {size} processes that cannot see each other: they were "
        f"started by {_named(launcher)}, but mpi4py has loaded {_name(library)}. "
        f"Use {remedy}; `myscoop PROGRAM` finds it."
    )


def _named(launcher: Launcher | None) -> str:
    return "the launcher of another MPI library" if launcher is None else launcher.name


def _name(library: str) -> str:
    """Return its name as in its first line, without what Open MPI adds about its package."""
    lines = library.splitlines() or ["nothing known"]
    return " ".join(lines[0].strip("\0 ").partition(", package")[0].split())
