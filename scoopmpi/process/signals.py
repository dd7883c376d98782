"""Signals: the meaning of each to each process of a job, and handlers that no child inherits.

A signal comes to the command, which stands beside the launcher, or to ranks themselves: terminals
signal a group of processes, batch systems one process or all of a job. Rank 0 alone knows what it
means for the program. How rank 0 ends then is in `stopping`, how the command hands signals on in
`launch.beside`, the alarm of a task in `tasks.limit`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from signal import SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2
from typing import Any, NamedTuple


class Meaning(Enum):
    """Says what a process does with a signal."""

    ENDS_IN_ORDER = "raises an exception in the program, whose clean-up runs"
    HANDED_ON = "goes to rank 0, unless it has got it by itself; without a line, to the launcher"
    UNHEARD = "has a handler that does nothing; programs that tasks start hear it again"
    IGNORED = "is ignored, also by what is started from here"
    BLOCKED = "is blocked until a rank lets it in: a launcher would kill the ranks at once"
    LOOKS = "has the process look at a time limit"
    USUAL = "does what it does to any process"
    AT_ONCE = "ends the job without a clean-up, launcher and rank 0 with it"


class Row(NamedTuple):
    """Gives a signal's meaning for each kind of process.

    command: what the user has started, beside the launcher (`myscoop`, `python -m scoopmpi`).
    launcher: mpirun and its like, where the command has a line to rank 0.
    rank_0: runs the program. worker: runs tasks. supervisor: the worker's parent.
    child: what a task or the program forks.
    """

    command: Meaning
    launcher: Meaning
    rank_0: Meaning
    worker: Meaning
    supervisor: Meaning
    child: Meaning


_M = Meaning
_ASKS = Row(
    command=_M.HANDED_ON,  # once: rank 0 may have got it by itself
    launcher=_M.BLOCKED,
    rank_0=_M.ENDS_IN_ORDER,
    worker=_M.UNHEARD,  # rank 0 decides, and a Hydra passes on all; pools in tasks need theirs
    supervisor=_M.IGNORED,  # rank 0 needs its worker until it has ended
    child=_M.USUAL,  # the pools of multiprocessing end theirs by SIGTERM, once
)
TABLE: dict[signal.Signals, Row] = {
    # Ctrl-C reaches all that a task has started, which shall leave it to rank 0 too.
    SIGINT: _ASKS._replace(worker=_M.IGNORED),
    SIGTERM: _ASKS,
    # The command's own word to a launcher that is to end.
    SIGHUP: _ASKS._replace(launcher=_M.USUAL),
    # Batch systems warn of the end of a job by these.
    SIGUSR1: _ASKS,
    SIGUSR2: _ASKS,
    SIGQUIT: Row(_M.AT_ONCE, _M.BLOCKED, _M.USUAL, _M.USUAL, _M.USUAL, _M.USUAL),
    # For limits: the worker's of a task, the supervisor's of a task and of the worker's end.
    SIGALRM: Row(_M.USUAL, _M.USUAL, _M.USUAL, _M.LOOKS, _M.LOOKS, _M.USUAL),
}

STOPPING = tuple(number for number, row in TABLE.items() if row.rank_0 is _M.ENDS_IN_ORDER)
"""What ends a job in good order."""
UNHEARD = tuple(number for number, row in TABLE.items() if row.worker is _M.UNHEARD)
"""What a worker leaves to rank 0."""
TAKEN = tuple(number for number, row in TABLE.items() if row.command is not _M.USUAL)
"""What the command takes instead of being ended by it."""
NOT_FOR_LAUNCHERS = frozenset(n for n, row in TABLE.items() if row.launcher is _M.BLOCKED)
"""What a launcher with a line to rank 0 does not hear, nor what it starts until a rank wants to."""
OWN = signal.SIGURG
"""A rank's word to its own main thread, of whom no launcher knows: whoever has no handler for it
does not notice it. Rank 0 ends its program by it, a worker a task that nobody wants any more."""
WARNINGS = (SIGUSR1, SIGUSR2)
"""What batch systems send ahead of the end of a job."""

Handler = Callable[[int, Any], None]
_before = threading.local()
_taken: dict[signal.Signals, Handler] = {}


def take(
    numbers: Iterable[signal.Signals], handler: Handler,
    put: Callable[[signal.Signals, Handler], object] = signal.signal,
) -> None:  # fmt: skip
    """Have these signals call a handler in this process, and do the usual in those that it forks.

    None is missed between a fork and the change back. put: has Python call it.
    """
    if not _taken:
        os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_obey)
    for number in numbers:
        put(number, handler)
        _taken[number] = handler


def leave_to_rank_0() -> None:
    """Have a worker take no notice of what ends a job."""
    signal.signal(SIGINT, signal.SIG_IGN)
    take(UNHEARD, _nothing)


def _nothing(*_: object) -> None:
    """Do nothing; a handler, as what is ignored stays so in programs that tasks start."""


def _hold() -> None:
    _before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _taken)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.mask)


def _obey() -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in _taken.items():
            if signal.getsignal(number) == handler:
                usual = signal.default_int_handler if number == SIGINT else signal.SIG_DFL
                signal.signal(number, usual)
    _release()
