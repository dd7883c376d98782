"""What every flavour is asked for, `Ranks`, and what it answers, a `Command`. Data only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..allocation import LOCAL, Host

NAMES = frozenset(
    """
    PATH LD_LIBRARY_PATH LD_PRELOAD PYTHONPATH PYTHONHOME PYTHONUNBUFFERED VIRTUAL_ENV CONDA_PREFIX
    CLASSPATH MPI4PY_LIBMPI
    """.split()  # noqa: SIM905 (one name a line would bury the rest)
)
MODULES = frozenset(("MODULEPATH", "LOADEDMODULES", "MODULESHOME", "_LMFILES_", "LMOD_CMD"))
PREFIXES = ("SCOOP", "OMP_", "OPENBLAS_", "MKL_", "KMP_", "UCX_", "FI_", "PSM", "MPI4PY_RC_")


@dataclass(frozen=True, slots=True)
class Ranks:
    """Ranks to be started: what runs, where, and how.

    hosts: a host's `slots` are the ranks on it, rank 0 is the first of the first host.
    program: the words that each rank executes.
    env: the environment of the caller. variables: what the ranks' shall have besides.
    manager: who gave the hosts. library: what the MPI library says of itself.
    pinning: None: the MPI library binds no rank; else `compact` or `spread`, to `threads` cores.
    agent: the remote shell or Hydra's bootstrap, where it is not the launcher's own choice.
    prefixes: names, or beginnings of names, of further variables to hand over.
    modules: whether those of environment modules are handed over.
    words: the user's own for the launcher. branches: the width of its tree of daemons.
    debug: it shall show what it does. root: the caller is root.
    """

    hosts: tuple[Host, ...]
    program: Sequence[str]
    env: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    manager: str = LOCAL
    library: str = ""
    pinning: str | None = None
    threads: int = 1
    agent: str | None = None
    prefixes: tuple[str, ...] = ()
    modules: bool = True
    words: tuple[str, ...] = ()
    branches: int | None = None
    debug: bool = False
    root: bool = False

    @property
    def count(self) -> int:
        """All ranks."""
        return sum(host.slots for host in self.hosts)

    @property
    def exported(self) -> tuple[str, ...]:
        """The variables of `env` that ranks on other hosts need."""
        names = NAMES | MODULES if self.modules else NAMES
        prefixes = PREFIXES + self.prefixes
        return tuple(
            sorted(
                name for name in self.env
                if (name in names or name.startswith(prefixes)) and name not in self.variables
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """argv: the words. env: variables that the launcher itself needs, and no option can say.

    unset: variables that it must not see. notes: what to tell the user about it, once.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def with_own_directory(mpirun: str, env: Mapping[str, str]) -> dict[str, str]:
    """PATH with the launcher's directory in front: Intel's is a script that looks for its parts."""
    own = os.path.dirname(mpirun)
    path = env.get("PATH", os.defpath)
    return {} if own in path.split(os.pathsep) else {"PATH": os.pathsep.join((own, path))}
