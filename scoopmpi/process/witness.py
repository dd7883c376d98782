"""A worker's parent process, which outlives it and says what killed it.

An MPI library that loses a rank names a process id at best, and some do not even notice
`os._exit`. So each worker is a child of the process that mpirun started. The parent imports
nothing, sleeps in `waitpid`, and when the worker dies writes one line, with rank, host, cause and
the function that ran, and dies by a signal itself, which every mpirun takes as the end of the job.
It kills a worker whose task has not reacted to the end of its time.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

from .deadline import CELLS, GRACE, Deadline

RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PMI_ID", "SLURM_PROCID")
SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS")
_SLURM_SPECIAL_STEPS = 0xFFFF_FFF0
"""Step numbers from here on are no steps of ranks: batch script, interactive shell, extern."""
ORPHANED = 70
"""The exit status of a worker that has lost rank 0."""
TOLD = "\1"
"""Instead of what a worker runs: why it ends has been told."""
STARTED = " "
"""The label of a worker that has started and has not run a task."""
_LABEL_BYTES = 200
deadline: Deadline | None = None
"""On a worker that has a witness: where to say until when the running task has to end."""
_APART_SECONDS = 0.2
"""Between the two deaths where the job goes on: PRRTE 3.0.13 (Open MPI 5.0.11) let MPI_Finalize of
the others wait for ever in 1 of 20 runs where both came at once, in none of 90 with 0.05 s."""
_HYDRA = "MPI_LOCALNRANKS"
"""Set for the ranks that Hydra starts, MPICH's and Intel MPI's."""
_PR_SET_PDEATHSIG = 1


def rank_of(env: Mapping[str, str]) -> int | None:
    """The rank that the launcher gave this process, known before MPI is; else None."""
    for name in RANK_VARIABLES:
        if env.get(name, "").isdecimal() and (name != "SLURM_PROCID" or _in_step_of_ranks(env)):
            return int(env[name])
    return None


def _in_step_of_ranks(env: Mapping[str, str]) -> bool:
    """Slurm calls its batch script and the shell of salloc process 0 too."""
    step = env.get("SLURM_STEP_ID", "")
    return step.isdecimal() and int(step) < _SLURM_SPECIAL_STEPS


def size_of(env: Mapping[str, str]) -> int | None:
    """How many ranks the launcher says that it started; None where it does not say."""
    for name in SIZE_VARIABLES:
        if env.get(name, "").isdecimal():
            return int(env[name])
    return None


def end_with_launcher(rank: int) -> None:
    """Have the kernel end this rank when the launcher's daemon dies (Linux).

    A batch system may kill the daemon and miss the ranks: seen with Intel MPI and `qdel` of Grid
    Engine. Rank 0 gets SIGTERM, as its program may have something to save.
    """
    end_with_parent(signal.SIGKILL if rank else signal.SIGTERM)


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def survivable(env: Mapping[str, str]) -> bool:
    """Whether the other ranks live on when one dies: Open MPI was started `--with-ft ulfm`."""
    return env.get("OMPI_MCA_mpi_ft_enable") == "1"


def under_witness(rank: int) -> Callable[[str], None]:
    """Go on in a child process; returns, in the child, the function to tell what it runs.

    It has to be told something, STARTED, when the rank takes part: a death before is the job's.
    The parent stays behind in this call until the child ends, and never returns.
    """
    global deadline
    label = mmap.mmap(-1, _LABEL_BYTES + 8 * CELLS)
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    deadline = Deadline(memoryview(label)[_LABEL_BYTES:], lambda: os.kill(parent, signal.SIGALRM))
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)  # the parent may not be ready for it
    child = os.fork()
    if child:
        _watch(child, rank, label, deadline)
    signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
    _die_with(parent)
    last = ""

    def tell(name: str) -> None:
        nonlocal last
        if name is not last:  # identity is enough: a new name costs a write, no more
            last = name
            text = name.encode(errors="replace")[:_LABEL_BYTES]
            label[:_LABEL_BYTES] = text.ljust(_LABEL_BYTES, b"\0")

    return tell


def _watch(child: int, rank: int, label: mmap.mmap, deadline: Deadline) -> None:
    # Rank 0 knows what they mean, and needs the ranks until it has ended.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    limit: float | None = None

    def look(*_: object) -> None:
        nonlocal limit
        wait = deadline.look(time.monotonic())
        if wait:
            signal.setitimer(signal.ITIMER_REAL, wait)
        elif wait == 0.0:
            limit = deadline.seconds
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, look)
    look()  # for a worker that was faster
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    if code == 0:
        os._exit(0)
    what = label[:_LABEL_BYTES].rstrip(b"\0").decode(errors="replace")
    if code == ORPHANED:
        if rank > 1:
            time.sleep(_APART_SECONDS)  # one says it, and mpirun ends the others then
        os.write(2, b"scoopmpi: rank 0, which runs the program, is lost; the job ends\n")
        os._exit(1)  # for mpirun's status, which is not that of the signal that killed rank 0
    if what == TOLD:
        os._exit(code if code > 0 else 1)
    goes_on = bool(what) and survivable(os.environ)
    said = sentence(rank, socket.gethostname(), code, what, goes_on, limit)
    os.write(2, f"{said}\n".encode())
    if goes_on:
        time.sleep(_APART_SECONDS)
    elif survivable(os.environ) or (not what and _HYDRA in os.environ):
        # Others wait for it in MPI_Init, and neither Open MPI with ulfm nor Intel MPI 2021.18 ends
        # them when a rank dies by then: so the launcher's daemon, our parent, has to.
        os.kill(os.getppid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)  # an exit status alone would leave MPICH waiting


def sentence(
    rank: int, host: str, code: int, what: str, goes_on: bool = False, limit: float | None = None
) -> str:
    """What to tell the user of a dead worker; `code` as `os.waitstatus_to_exitcode` has it.

    goes_on: the job does, without it. limit: of the task for which its witness has killed it.
    """
    if limit is not None:
        cause = f"was killed, as a task had not ended {GRACE:g} s after its limit of {limit:g} s,"
    elif code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        cause = f"was killed by {name}"
        if name == "SIGKILL":
            cause += " (by hand, or by the kernel for want of memory)"
    else:
        cause = f"ended with exit status {code}"
    task = f"while running {what}" if what.strip() else "before its first task"
    return f"scoopmpi: worker {rank} on {host} {cause} {task}{'' if goes_on else '; the job ends'}"


def _die_with(parent: int) -> None:
    """End when the parent does; where the kernel cannot help, mpirun has to."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew
        os._exit(1)
