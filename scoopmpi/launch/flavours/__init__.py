"""MPI libraries: each module knows the library's own words and its launcher's command line.

`recognises(text)` for what the library says of itself (`MPI_Get_library_version`),
`starts(text, library)` for what a launcher says (`mpirun --version`), and
`command(mpirun, ranks)` for the command line; LaunchError where it cannot be said. All pure.
`NAME` is for people, `KEY` and `ALIASES` for options, `EXTRA` is ours with that library from PyPI.
"""

from __future__ import annotations

from types import ModuleType

from . import cray, intelmpi, mpich, mvapich, openmpi, srun

FLAVOURS: tuple[ModuleType, ...] = (openmpi, mpich, intelmpi, mvapich, cray, srun)
NAMES: tuple[str, ...] = tuple(module.KEY for module in FLAVOURS)
ALIASES: dict[str, str] = {other: each.KEY for each in FLAVOURS for other in each.ALIASES}


def of_library(text: str) -> ModuleType | None:
    """The flavour of a library by its own words."""
    return next((module for module in FLAVOURS if module.recognises(text)), None)


def of_launcher(text: str) -> ModuleType | None:
    """The flavour of a launcher by its own words, where the library is not known."""
    return next((module for module in FLAVOURS if module.starts(text, "")), None)


def named(name: str) -> ModuleType | None:
    """The flavour that a user calls so."""
    key = ALIASES.get(name.lower(), name.lower())
    return next((module for module in FLAVOURS if key == module.KEY), None)
