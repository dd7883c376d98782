"""Signals in a worker: when a job ends is rank 0's business, so what means that is not heard here.

What a task forks obeys them as any other process: the pools of multiprocessing end theirs by
SIGTERM, once, so none may be missed between the fork and the change back.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""What ends a job in good order: batch systems warn of its end by any of these."""
_before = threading.local()
_unheard: tuple[signal.Signals, ...] = ()


def leave_to_rank_0(numbers: Sequence[signal.Signals]) -> None:
    """From now on these do nothing in this process."""
    global _unheard
    _unheard = tuple(numbers)
    for number in _unheard:
        signal.signal(number, _nothing)
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_obey)


def _nothing(*_: object) -> None:
    """A handler, as what is ignored stays so in programs that tasks start."""


def _hold() -> None:
    _before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _unheard)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.mask)


def _obey() -> None:
    if threading.current_thread() is threading.main_thread():
        for number in _unheard:
            if signal.getsignal(number) is _nothing:
                signal.signal(number, signal.SIG_DFL)
    _release()
