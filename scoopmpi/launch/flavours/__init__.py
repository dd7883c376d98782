"""MPI libraries: each is one module here that knows its library's words and its launcher's.

To add one: write a module that keeps the convention `Flavour` (in `flavour`), and put it into the
tuple `FLAVOURS`: `mypy` refuses a tuple with a module that does not. What descendants of MPICH have
in common is in `hydra`. A flavour is asked for `Ranks` and answers a `CommandLine`. All pure.
"""

from __future__ import annotations

from . import cray, intelmpi, mpich, mvapich, openmpi, srun
from .flavour import Flavour

FLAVOURS: tuple[Flavour, ...] = (openmpi, mpich, intelmpi, mvapich, cray, srun)
NAMES: tuple[str, ...] = tuple(flavour.NAME for flavour in FLAVOURS)
ALIASES: dict[str, str] = {other: each.NAME for each in FLAVOURS for other in each.ALIASES}


def of_library(text: str) -> Flavour | None:
    """Return the flavour of a library by its own words."""
    return next((flavour for flavour in FLAVOURS if flavour.recognises(text)), None)


def of_launcher(text: str) -> Flavour | None:
    """Return the flavour of a launcher by its own words, where the library is not known."""
    return next((flavour for flavour in FLAVOURS if flavour.starts(text, "")), None)


def named(name: str) -> Flavour | None:
    """Return the flavour that a user calls so."""
    wanted = ALIASES.get(name.lower(), name.lower())
    return next((flavour for flavour in FLAVOURS if wanted == flavour.NAME), None)
