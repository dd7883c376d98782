"""MVAPICH2 and MVAPICH 3 and 4, by their launcher Hydra.

Not tried: from their user guides. The library's own binding is switched off by a variable, called
MV2_ENABLE_AFFINITY in MVAPICH2 and MVP_ENABLE_AFFINITY since; Hydra binds instead, as MPICH's.
"""

from __future__ import annotations

from . import hydra, mpich
from .command_line import CommandLine
from .ranks import Ranks

NAME = "mvapich"
TITLE = "MVAPICH"
ALIASES = ("mvapich2", "mvapich3")
EXTRA = ""
LAUNCHERS = hydra.LAUNCHERS
MOST_WORDS = 800
"""An older Hydra than Intel's, not tried."""
MOST_BYTES = None


def recognises(library: str) -> bool:
    """True for "MVAPICH2 Version: 2.3.7", "MVAPICH Version: 4.0"."""
    return "MVAPICH" in library


def starts(version: str, library: str) -> bool:
    """True for Hydra; where no library is known, for one whose build says MVAPICH."""
    return "HYDRA" in version and (bool(library) or "mvapich" in version.lower())


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return the command line, MPICH's but for the library's own binding."""
    old, new = "MVAPICH2" in ranks.library, "MVAPICH " in ranks.library
    names = ["MV2_ENABLE_AFFINITY"] * (not new) + ["MVP_ENABLE_AFFINITY"] * (not old)
    own = tuple(word for name in names for word in ("-genv", name, "0"))
    how = (*hydra.binding(ranks), *own, *hydra.bootstrap(ranks), *hydra.debugging(ranks))
    needs, unset = hydra.environment(ranks)
    notes = mpich.without_branches(ranks)
    return CommandLine((mpirun, *how, *hydra.layout(ranks)), needs, unset, notes)
