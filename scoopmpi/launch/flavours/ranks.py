"""The question to every flavour, `Ranks`, with what the user asks of the launcher. Data only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...process.launcher_variables import in_step_of_ranks
from ..hosts.allocation import LOCAL, Host
from .exported import MODULES, NAMES, PREFIXES

NEXT_PROGRAM = ":"
"""The word behind which all launchers begin another program."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class LaunchError(Exception):
    """The ranks cannot be started; the message says what to install, to set or to leave out."""


@dataclass(frozen=True, slots=True)
class LauncherOptions:
    """What the user asks of the launcher; each field is an option of `myscoop` and `mympirun`.

    flavour: the MPI library that it must be. agent: the remote shell or Hydra's bootstrap, where it
    is not the launcher's own choice. branches: the width of the launcher's tree of daemons.
    mpirun_options: further words for the launcher. debug_mpi: it shows what it does.
    prefixes: names, or beginnings of names, of further variables to hand over.
    modules: those of environment modules are handed over.
    temporary: the directory for temporary files of launcher and ranks.
    """

    flavour: str | None = None
    agent: str | None = None
    branches: int | None = None
    mpirun_options: tuple[str, ...] = ()
    debug_mpi: bool = False
    prefixes: tuple[str, ...] = ()
    modules: bool = True
    temporary: str | None = None


@dataclass(frozen=True, slots=True)
class Daemons:
    """What the launcher's daemons on other hosts shall do for a farm.

    patience: seconds for which a host may be silent; None: as the library has it.
    deaf: words in front of a daemon that make it deaf to the end of a job; "": none are known.
    agent_is_ours: which remote shell is taken is left to us.
    """

    patience: float | None = None
    deaf: str = ""
    agent_is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Ranks:
    """Ranks to be started: what runs, where, and how.

    hosts: a host's `slots` are the ranks on it, rank 0 is the first of the first host.
    program: the words that each rank executes.
    env: the environment of the caller. variables: what the ranks' shall have besides.
    manager: who gave the hosts. library: what the MPI library says of itself.
    pinning: None: the MPI library binds no rank; else `compact` or `spread`, to `threads` cores.
    root: the caller is root. survive: where a rank dies the others live on, if the library can.
    stale: variables of `env` that are another job's, which the launcher must not see.
    """

    hosts: tuple[Host, ...]
    program: Sequence[str]
    env: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    manager: str = LOCAL
    library: str = ""
    pinning: str | None = None
    threads: int = 1
    root: bool = False
    survive: bool = False
    stale: tuple[str, ...] = ()
    asked: LauncherOptions = LauncherOptions()
    daemons: Daemons = Daemons()

    @property
    def count(self) -> int:
        """Return the number of all ranks."""
        return sum(host.slots for host in self.hosts)

    @property
    def local(self) -> bool:
        """True where all run on this machine, outside of any batch system."""
        return self.manager == LOCAL

    @property
    def crowded(self) -> bool:
        """True where a host has fewer cores than its ranks want."""
        return any(host.slots * self.threads > host.cores for host in self.hosts)

    @property
    def bound(self) -> str | None:
        """Return how ranks are bound; None where that would put two on a core and leave others."""
        return None if self.crowded else self.pinning

    def exporting(self, *own: str) -> tuple[str, ...]:
        """Return the variables of `env` that ranks on other hosts need, by name.

        own: how the names of those begin that are the MPI library's.
        """
        asked = self.asked
        names = NAMES | MODULES if asked.modules else NAMES
        # An empty beginning would be that of all.
        prefixes = (*PREFIXES, *own, *filter(None, asked.prefixes))
        return tuple(
            sorted(
                name for name in self.env
                if (name in names or name.startswith(prefixes))
                and (asked.modules or name not in MODULES)
                and _NAME.fullmatch(name) and name not in self.variables
            )
        )  # fmt: skip

    @property
    def withheld(self) -> tuple[str, ...]:
        """Return what a launcher that hands over everything must not see, not to hand it over."""
        return () if self.asked.modules else tuple(sorted(MODULES & self.env.keys()))

    @property
    def step_of_slurm(self) -> bool:
        """True where the caller is itself in a step that holds its cores: others would wait."""
        return self.manager == "slurm" and in_step_of_ranks(self.env)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the user should know of such a job, whatever its launcher.

        Seen with Slurm 22.05: Open MPI 4 puts all ranks on the first component, others refuse.
        """
        het = self.env.get("SLURM_HET_SIZE", "")
        if self.manager != "slurm" or not het.isdecimal() or int(het) < 2 or self.step_of_slurm:
            return ()
        return (
            f"SLURM_HET_SIZE={het}: mpirun may reach the first component of a heterogeneous job "
            "only. What does: srun --het-group=0-… --mpi=pmi2 python -m scoopmpi PROGRAM",
        )

    def checked_program(self) -> tuple[str, ...]:
        """Return the program's words; LaunchError for the one that no launcher hands on."""
        if NEXT_PROGRAM in self.program:
            raise LaunchError(
                "':' as an argument of the program would end its words: MPI launchers begin "
                "another program there. Put it into a longer word, or into a file"
            )
        return tuple(self.program)
