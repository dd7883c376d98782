"""The MPI libraries of this machine that tests run over, and the folder that the tests are of.

A library is tested when mpi4py can load it and its mpirun is there: the one of this environment,
those in the prefixes below `.mpi/` (`pip install --prefix .mpi/mpich mpich`, `.mpi/impi impi-rt`),
and Debian's.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple

from scoopmpi.launch.commandline import launcher

ROOT = Path(__file__).resolve().parent.parent.parent
DEBIAN = ("libmpi.so.40", "libmpich.so.12")
SHARED_CORES = {"OMPI_MCA_mpi_yield_when_idle": "1"}
"""Open MPI does so itself where it knows that ranks outnumber cores; the tests' made-up slots hide
that, and ranks that start or end would take a third of their time from each other."""


class Library(NamedTuple):
    """An MPI library: its name for test ids, and the environment that selects it."""

    name: str
    env: dict[str, str]


NO_LIBRARY = Library("no MPI library found", {})


@functools.cache
def libraries() -> tuple[Library, ...]:
    """Return the libraries found, the one of this environment first."""
    found: dict[str, Library] = {}
    for env in _environments():
        try:
            found_here = launcher.find(env)
        except launcher.LaunchError:
            continue
        kind = found_here.flavour.EXTRA
        name = f"{kind}-{_version(found_here.library)}"
        shared = SHARED_CORES if kind == "openmpi" else {}
        found.setdefault(name, Library(name, env | shared))
    return tuple(found.values())


def _environments() -> list[dict[str, str]]:
    """Return what selects each library that may be there."""
    mine = {name: value for name, value in os.environ.items() if name != "MPI4PY_LIBMPI"}
    paths = sorted(ROOT.glob(".mpi/*/lib/libmpi.so.[0-9][0-9]"))
    paths += [path for name in DEBIAN for path in Path("/usr/lib").glob(f"*/{name}")]
    return [mine, *({**mine, "MPI4PY_LIBMPI": str(path)} for path in paths)]


def _version(library: str) -> str:
    words = (word.strip("v,") for word in library.split())
    return next((word for word in words if word[:1].isdigit()), "")


def survives(library: Library) -> bool:
    """True where ranks live on when one dies: Open MPI from 5 on, with ULFM."""
    return library.name.startswith("openmpi-") and int(library.name.split("-")[1].split(".")[0]) > 4
