"""MPI libraries: each module knows the library's own words and its launcher's command line.

`recognises(text)` for what the library says of itself (`MPI_Get_library_version`),
`starts(text, library)` for what a launcher says (`mpirun --version`), and
`command(mpirun, ranks)` for the command line. All pure.
"""

from __future__ import annotations

from types import ModuleType

from . import intelmpi, mpich, openmpi

FLAVOURS: tuple[ModuleType, ...] = (openmpi, intelmpi, mpich)


def of_library(text: str) -> ModuleType | None:
    """The flavour of a library by its own words."""
    return next((module for module in FLAVOURS if module.recognises(text)), None)
