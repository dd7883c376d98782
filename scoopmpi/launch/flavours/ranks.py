"""What every flavour is asked for, `Ranks`, and what it answers, a `Command`. Data only.

Which of the caller's variables the ranks on other hosts need is decided here, for those launchers
that hand over none by themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...process.launcher_variables import in_step_of_ranks
from ..hosts.allocation import LOCAL, Host

# The lists of vsc-mympirun, SCOOP and their users; whole names, wherever a beginning could fit a
# password too. Not CUDA_VISIBLE_DEVICES and its like: each host has its own.
NAMES = frozenset(
    """
    PATH LD_LIBRARY_PATH LD_PRELOAD LIBRARY_PATH CLASSPATH MPI4PY_LIBMPI
    PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONNOUSERSITE PYTHONUSERBASE PYTHONHASHSEED
    PYTHONWARNINGS PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX PYTHONFAULTHANDLER
    PYTHONOPTIMIZE PYTHONDEVMODE PYTHONUTF8 PYTHONIOENCODING PYTHONCOERCECLOCALE PYTHONSAFEPATH
    PYTHONMALLOC PYTHONTRACEMALLOC PYTHONPROFILEIMPORTTIME PYTHONVERBOSE PYTHONDEBUG
    PYTHONNODEBUGRANGES PYTHONINTMAXSTRDIGITS PYTHONWARNDEFAULTENCODING PYTHONASYNCIODEBUG
    PYTHONPLATLIBDIR PYTHON_GIL PYTHON_CPU_COUNT PYTHON_FROZEN_MODULES
    VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV CUDA_HOME CUDA_DEVICE_ORDER VECLIB_MAXIMUM_THREADS
    """.split()  # noqa: SIM905 (one name a line would bury the rest)
)
MODULES = frozenset(
    """
    MODULEPATH LOADEDMODULES MODULESHOME _LMFILES_ MODULES_CMD LMOD_CMD LMOD_DIR LMOD_PKG
    """.split()  # noqa: SIM905
)
PREFIXES = (
    "SCOOP", "OMP_", "OPENBLAS_", "GOTO_", "MKL_", "KMP_", "BLIS_", "NUMEXPR_", "NUMBA_", "GOMP_",
    "UCX_", "FI_", "PSM_", "PSM2_", "PSM3_", "MPI4PY_RC_",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class LaunchError(Exception):
    """The ranks cannot be started; the message says what to install, to set or to leave out."""


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
    debug: it shall show what it does. root: the caller is root. stale: variables of `env` that are
    another job's, which the launcher must not see.
    survive: where one dies the others shall live on, if the library can.
    patience: seconds for which a host may be silent; None: as the library has it.
    deaf: words in front of a daemon that make it deaf to the end of a job; "": none are known.
    agent_is_ours: whether which remote shell is taken is left to us.
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
    survive: bool = False
    patience: float | None = None
    deaf: str = ""
    agent_is_ours: bool = True
    stale: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """All ranks."""
        return sum(host.slots for host in self.hosts)

    @property
    def local(self) -> bool:
        """Whether all run on this machine, outside of any batch system."""
        return self.manager == LOCAL

    @property
    def crowded(self) -> bool:
        """Whether a host has fewer cores than its ranks want."""
        return any(host.slots * self.threads > host.cores for host in self.hosts)

    @property
    def bound(self) -> str | None:
        """How ranks are bound; not at all where that would put two on a core and leave others."""
        return None if self.crowded else self.pinning

    def exporting(self, *own: str) -> tuple[str, ...]:
        """The variables of `env` that ranks on other hosts need.

        own: how the names of those begin that are the MPI library's.
        """
        names = NAMES | MODULES if self.modules else NAMES
        # An empty beginning would be that of all.
        prefixes = (*PREFIXES, *own, *filter(None, self.prefixes))
        return tuple(
            sorted(
                name for name in self.env
                if (name in names or name.startswith(prefixes))
                and (self.modules or name not in MODULES)
                and _NAME.fullmatch(name) and name not in self.variables
            )
        )  # fmt: skip

    @property
    def withheld(self) -> tuple[str, ...]:
        """What a launcher that hands over everything must not see, not to hand it over."""
        return () if self.modules else tuple(sorted(MODULES & self.env.keys()))

    @property
    def step_of_slurm(self) -> bool:
        """Whether the caller is itself in a step that holds its cores: others would wait for it."""
        return self.manager == "slurm" and in_step_of_ranks(self.env)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of such a job, whatever its launcher.

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
        """The program's words; LaunchError for the one that no launcher hands on."""
        if ":" in self.program:
            raise LaunchError(
                "':' as an argument of the program would end its words: MPI launchers begin "
                "another program there. Put it into a longer word, or into a file"
            )
        return tuple(self.program)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """argv: the words. env: variables that the launcher itself needs, and no option can say.

    unset: variables that it must not see. notes: what to tell the user about it, once.
    first: the host of rank 0. program: how many of the words are the program's, the last ones.
    environs: whether ranks on the launcher's host get its environment. alone: whether all ranks
    are on the host of rank 0. ends_stdin: whether each sees the end of stdin, if it has one.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    first: str = ""
    program: int = 0
    environs: bool = True
    alone: bool = True
    ends_stdin: bool = True


def for_daemons(ranks: Ranks) -> tuple[dict[str, str], tuple[str, ...]]:
    """Variables for a launcher that starts its daemons by srun, to set and to forget.

    Within a step srun would wait for its end (seen with Slurm 22.05). What `sbatch --export=NONE`
    leaves in SLURM_EXPORT_ENV would take PATH from the daemons (vsc-mympirun removes it too).
    """
    needs = {"SLURM_OVERLAP": "1"} if ranks.step_of_slurm else {}
    return needs, ("SLURM_EXPORT_ENV",) if "SLURM_EXPORT_ENV" in ranks.env else ()


def with_own_directory(mpirun: str, env: Mapping[str, str]) -> dict[str, str]:
    """PATH with the launcher's directory in front: Intel's is a script that looks for its parts."""
    own = os.path.dirname(mpirun)
    path = env.get("PATH", os.defpath)
    return {} if own in path.split(os.pathsep) else {"PATH": os.pathsep.join((own, path))}
