"""Signals that mean something to a rank, and nothing to what it forks.

In a worker those that end a job are not heard, as that is rank 0's business; there they end the
program in good order. What tasks and programs fork obeys them as any other process: the pools of
multiprocessing end theirs by SIGTERM, once, so none may be missed between fork and change back.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""What ends a job in good order: batch systems warn of its end by any of these."""
Handler = Callable[[int, Any], None]
_before = threading.local()
_taken: dict[signal.Signals, Handler] = {}


def take(numbers: Iterable[signal.Signals], handler: Handler) -> None:
    """From now on these call a handler in this process, and nothing in those that it forks."""
    if not _taken:
        os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_obey)
    for number in numbers:
        signal.signal(number, handler)
        _taken[number] = handler


def leave_to_rank_0(numbers: Sequence[signal.Signals]) -> None:
    """From now on these do nothing in this process."""
    take(numbers, _nothing)


def _nothing(*_: object) -> None:
    """A handler, as what is ignored stays so in programs that tasks start."""


def _hold() -> None:
    _before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _taken)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.mask)


def _obey() -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in _taken.items():
            if signal.getsignal(number) == handler:
                usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                signal.signal(number, usual)
    _release()
