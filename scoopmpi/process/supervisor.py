"""A worker's parent process, which outlives it and says what killed it.

An MPI library that loses a rank names a process id at best, and some do not even notice
`os._exit`. So each worker is a child of the process that mpirun started. The parent imports
nothing, sleeps in `waitpid`, and when the worker dies writes one line, with rank, host, cause and
the function that ran, and dies by a signal itself, which every mpirun takes as the end of the job.
It kills a worker whose task has not reacted to the end of its time, or that does not end, and then
what tasks have left running.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from ..concurrency.periods import (
    DEATHS_APART_SECONDS,
    END_SECONDS,
    GRACE_SECONDS,
    ORPHAN_SECONDS,
)
from . import strays, streams
from .deadline import CELLS, Deadline
from .launcher_variables import by_hydra, survivable
from .signals import STOPPING

ORPHANED = 70
"""The exit status of a worker that has lost rank 0."""
TOLD = "\1"
"""Instead of what a worker runs: why it ends has been told."""
STARTED = " "
"""What a worker tells that has started and has not run a task."""
WORKING, ENDING, LEAVING, LEAVING_TASK = range(4)
"""What a worker does. LEAVING is MPI's end, when all work is done and delivered; LEAVING_TASK, the
same while a task still runs whose value nobody wants."""
_LABEL_BYTES = 200
_CELL_BYTES = 8 * CELLS
_PR_SET_PDEATHSIG = 1


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


class _Shared:
    """Holds the memory that a worker and its supervisor share.

    wake: has the supervisor look at the two deadlines at once.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        memory = mmap.mmap(-1, _LABEL_BYTES + 2 * _CELL_BYTES + 16)
        self._label = memory
        cells = memoryview(memory)[_LABEL_BYTES:]
        self.task = Deadline(cells[:_CELL_BYTES], wake)
        self.end = Deadline(cells[_CELL_BYTES : 2 * _CELL_BYTES], wake)
        self._end = cells[2 * _CELL_BYTES :].cast("d")

    # The worker.

    def runs(self, name: str) -> None:
        """Say what the worker runs."""
        text = name.encode(errors="replace")[:_LABEL_BYTES]
        self._label[:_LABEL_BYTES] = text.ljust(_LABEL_BYTES, b"\0")

    def enters(self, phase: int) -> None:
        """Say where the worker is, one of WORKING and so on."""
        if self._end[0] == WORKING:
            self._end[1] = time.monotonic()
        self._end[0] = phase

    # The supervisor.

    @property
    def label(self) -> str:
        """The name of what the worker runs."""
        return self._label[:_LABEL_BYTES].rstrip(b"\0").decode(errors="replace")

    @property
    def phase(self) -> int:
        """Where the worker is, one of WORKING and so on."""
        return int(self._end[0])

    @property
    def ending(self) -> float:
        """Seconds since the worker began to end."""
        return time.monotonic() - self._end[1]


class ToSupervisor:
    """Speaks to a worker's supervisor; does nothing where it has none, as on rank 0.

    deadline: where to say until when the running task has to end; None without a supervisor.
    """

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        self._shared: _Shared | None = None
        self._last = ""

    def begins(self, shared: _Shared) -> None:
        """Take the memory that is shared with the supervisor."""
        self._shared = shared
        self.deadline = shared.task

    def forked(self) -> None:
        """Forget it: this is a child of a task, and its parent's limits are not its own."""
        self._shared = self.deadline = None

    def tell(self, name: str) -> None:
        """Say what runs: the name of a function, or TOLD, or STARTED.

        A death before anything was said is the job's.
        """
        if name is not self._last and self._shared is not None:  # a new name costs a write, no more
            self._shared.runs(name)
            self._last = name

    def ends(self, phase: int, seconds: float | None) -> None:
        """Say that this worker has begun to end, and how far it is.

        phase: ENDING, LEAVING or LEAVING_TASK. seconds: what it gets for it, with `GRACE_SECONDS`
        on top; None for no limit.
        """
        if self._shared is None:
            return
        self._shared.enters(phase)
        if seconds is None:
            self._shared.end.ends()
        else:
            self._shared.end.begins(time.monotonic() + seconds, seconds)


link = ToSupervisor()
"""That of this process."""


def under_supervisor(rank: int, rank_0: int | None = None) -> Callable[[str], None]:
    """Go on in a child process; returns, in the child, the function to tell what it runs.

    The parent stays behind in this call until the child ends, and never returns.
    rank: of this worker, for what is said of its death.
    rank_0: the process that has started this one, where no launcher ends it with rank 0.
    """
    streams.flush()
    parent = os.getpid()
    shared = _Shared(lambda: os.kill(parent, signal.SIGALRM))
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)  # the parent may not be ready for it
    child = os.fork()
    if child:
        _watch(child, rank, shared, rank_0)
    signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
    _die_with(parent)
    link.begins(shared)
    return link.tell


def _watch(child: int, rank: int, shared: _Shared, rank_0: int | None) -> NoReturn:
    """Sleep until the worker has ended or a limit has passed; then end as it has to be."""
    for number in STOPPING:  # rank 0 knows what they mean, and needs the ranks until it has ended
        signal.signal(number, signal.SIG_IGN)
    strays.adopt()
    late: Deadline | None = None
    orphaned = False

    def look(*_: object) -> None:
        nonlocal late, orphaned
        waits = []
        if rank_0 is not None:
            if orphaned:  # and its task keeps the worker from seeing that itself
                _kill(child)
                return
            orphaned = os.getppid() != rank_0
            waits.append(ORPHAN_SECONDS)
        for each in (shared.task, shared.end):
            wait = each.look(time.monotonic())
            if wait:
                waits.append(wait)
            elif wait == 0.0:
                late = each
                _kill(child)
                return
        if waits:
            signal.setitimer(signal.ITIMER_REAL, min(waits))

    signal.signal(signal.SIGALRM, look)
    look()  # for a worker that was faster
    code = _reaped(child)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    _end(rank, ORPHANED if orphaned and code == -signal.SIGKILL else code, shared, late)


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself just now
        os.kill(child, signal.SIGKILL)


def _reaped(child: int) -> int:
    """Wait for the worker's end, and return its exit code; others who end have been adopted."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _end(rank: int, code: int, shared: _Shared, late: Deadline | None) -> NoReturn:
    """After the worker: say what there is to say, leave no process behind, end as it has to be.

    code: the worker's exit code. late: the limit for which it was killed, None for none.
    """
    in_order = code == 0 and shared.phase == LEAVING
    patience = max(0.0, END_SECONDS - shared.ending) if in_order else None
    if code == 0 or late is shared.end or (shared.phase >= LEAVING and code != -signal.SIGKILL):
        if shared.phase == ENDING and late is not None:
            _say(f"worker {rank} on {socket.gethostname()} did not end within seconds: killed")
        _end_strays(rank, patience)
        os._exit(0)
    if code == ORPHANED:
        _end_orphaned(rank, patience)
    if shared.label == TOLD:
        os._exit(code if code > 0 else 1)
    _end_killed(rank, code, shared, late, patience)


def _end_orphaned(rank: int, patience: float | None) -> NoReturn:
    """Rank 0 is lost: one of its workers' supervisors says so."""
    _end_strays(rank, patience)  # before mpirun hears of it, which ends the others then
    if rank > 1:
        time.sleep(DEATHS_APART_SECONDS)  # one says it
    _say("rank 0, which runs the program, is lost; the job ends")
    os._exit(1)  # for mpirun's status, which is not that of the signal that killed rank 0


def _end_killed(
    rank: int, code: int, shared: _Shared, late: Deadline | None, patience: float | None
) -> NoReturn:
    """Say of what the worker has died at work, and die by a signal too."""
    what = shared.label
    goes_on = bool(what) and survivable(os.environ)
    limit = None if late is None else late.seconds
    said = sentence(rank, socket.gethostname(), code, what, goes_on, limit, shared.phase)
    os.write(2, f"{said}\n".encode())
    _end_strays(rank, patience)
    if goes_on:
        time.sleep(DEATHS_APART_SECONDS)
    elif survivable(os.environ) or (not what and by_hydra(os.environ)):
        # Others wait for it in MPI_Init, and neither Open MPI with ulfm nor Intel MPI 2021.18 ends
        # them when a rank dies by then: so the launcher's daemon, our parent, has to.
        os.kill(os.getppid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)  # an exit status alone would leave MPICH waiting
    raise AssertionError("unreachable")


def _end_strays(rank: int, patience: float | None) -> None:
    """End what tasks have left running, after so many seconds, and name it.

    patience: None where the worker was in the middle of its work, which explains what is left.
    """
    left = strays.end(patience or 0.0)
    if left and patience is not None:
        _say(f"worker {rank} on {socket.gethostname()}: {strays.ended(left)}")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"scoopmpi: {text}\n".encode(errors="replace"))


def sentence(
    rank: int,
    host: str,
    code: int,
    what: str,
    goes_on: bool = False,
    limit: float | None = None,
    phase: int = WORKING,
) -> str:
    """Return what to tell the user of a dead worker.

    code: as `os.waitstatus_to_exitcode` has it. what: the name of what it ran.
    goes_on: the job does, without it. limit: of the task for which its supervisor has killed it.
    phase: where the worker was, one of WORKING and so on.
    """
    if limit is not None:
        late = f"{GRACE_SECONDS:g} s after its limit of {limit:g} s"
        cause = f"was killed, as a task had not ended {late},"
    elif code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        cause = f"was killed by {name}"
        if name == "SIGKILL":
            cause += " (by hand, or by the kernel for want of memory)"
    else:
        cause = f"ended with exit status {code}"
    task = f"while running {what}" if what.strip() else "before its first task"
    if phase != WORKING:
        task = "while it ended, after its last task"
    return f"scoopmpi: worker {rank} on {host} {cause} {task}{'' if goes_on else '; the job ends'}"


def _die_with(parent: int) -> None:
    """Have this process end when its parent does; where the kernel cannot help, mpirun has to."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew
        os._exit(1)
