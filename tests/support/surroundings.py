"""The tests start programs as from a user's shell at home, however they were started themselves.

What a process hands on to those that it starts is settled here, before anything is imported that
looks at it: signals that are ignored or blocked, the mask of new files, variables. What a program
of ours makes of other surroundings is shown by tests that make them.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

PLACES_OF_PYTHON = frozenset(
    ("PYTHONEXECUTABLE", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONPLATLIBDIR",
     "PYTHONUSERBASE")
)  # fmt: skip
"""Without these a program may not find the modules that the tests have found."""
OF_A_JOB = (
    "COBALT_", "FLUX_", "HYDI_", "HYDRA_", "JOB_", "LSB_", "LSF_", "MPIR_", "OAR_", "PALS_",
    "PBS_", "PE_", "PJM_", "PMIX_", "PMI_", "PRTE_", "SCOOP", "SGE_", "SLURM_", "SRUN_",
    "OMPI_COMM_WORLD_", "OMPI_UNIVERSE_", "MPI_LOCAL", "I_MPI_HYDRA_",
)  # fmt: skip
"""Tests may be started in a batch job, or from a rank: these say which."""
RANKS = "--with-mpi"
"""Has pytest itself be a rank (`tests/mpi`), which these variables make it."""
OF_A_TERMINAL = frozenset(
    ("CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE",
     "TTY_INTERACTIVE")
)  # fmt: skip
OF_A_LANGUAGE = ("LANG", "LC_")
NO_CHANGE = frozenset((signal.SIGPIPE, signal.SIGXFSZ, getattr(signal, "SIGXFZ", signal.SIGPIPE)))
"""Python ignores these itself, and gives the programs that it starts the default."""
HARMLESS = frozenset(
    (signal.SIGCHLD, signal.SIGCONT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
     signal.SIGURG, signal.SIGWINCH)
)  # fmt: skip
"""Their default ends nobody. With SIGCHLD ignored no process would learn how its children end."""


def settle() -> None:
    """Give this process the signals, the mask and the variables that its programs are to have."""
    _signals()
    os.umask(0o022)
    of_a_job = () if RANKS in sys.argv else OF_A_JOB
    for name in [*os.environ]:
        if not _kept(name, of_a_job):
            del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"
    sys.dont_write_bytecode = False  # a thousand Pythons would compile all modules again
    _home()


def _signals() -> None:
    """What was ignored starts with the default, and the tests themselves go on ignoring it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals() - NO_CHANGE:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL if number in HARMLESS else _unheard)


def _unheard(number: int, frame: object) -> None:
    """A handler is not handed on to the programs that are started, as being deaf would be."""


def _kept(name: str, of_a_job: tuple[str, ...]) -> bool:
    if name.startswith("PYTHON"):
        return name in PLACES_OF_PYTHON
    return name not in OF_A_TERMINAL and not name.startswith((*of_a_job, *OF_A_LANGUAGE))


def _home() -> None:
    """Programs write below HOME: where there is none, one is made, beside other such files."""
    home = os.environ.get("HOME", "")
    if not (home and os.access(home, os.W_OK | os.X_OK)):
        os.environ["HOME"] = tempfile.mkdtemp(prefix="home-", dir=_directory())


def _directory() -> Path:
    """Where the HOMEs of all runs are, so that a user finds them: the first makes it."""
    place = Path(tempfile.gettempdir()) / f"scoopmpi-tests-{os.geteuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    return place
