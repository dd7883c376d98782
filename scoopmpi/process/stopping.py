"""Rank 0's signals: they end the program in good order, and the user is told what is left of it.

Each becomes an exception in the program, so that its `finally` and `with` clean up; a handler of
the program's own takes the place of ours. How long there is for that is up to the launcher and the
batch system. Which signals these are, and what others do with them, is the table in `signals`. Rank
0 can end its program in the same way by itself.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from ..concurrency.periods import ECHO_SECONDS, SECOND_CTRL_C_SECONDS
from ..concurrency.signal_handlers import set_own
from . import lifeline
from .signals import OWN, STOPPING, take


class Stopping:
    """Takes the signals for a program.

    interrupt: raises an exception in it, when it does no harm.
    """

    def __init__(self, interrupt: Callable[[BaseException], None]) -> None:
        self._interrupt = interrupt
        self._first: int | None = None
        self._latest: tuple[int, float] = (0, 0.0)
        self._taken = [each for each in STOPPING if signal.getsignal(each) is not signal.SIG_IGN]
        take(self._taken, self._came, set_own)

    def take_own(self, error: BaseException) -> None:
        """Have `stop` raise an error in the program."""
        self._taken.append(OWN)
        take([OWN], lambda *_: self._interrupt(error), set_own)

    def stop(self) -> None:
        """End the program from whatever thread, also where it sleeps or waits for a lock."""
        signal.pthread_kill(threading.main_thread().ident or 0, OWN)

    def _came(self, number: int, _: object) -> None:
        lifeline.command.noted(number)
        before, self._latest = self._latest, (number, time.monotonic())
        echo = SECOND_CTRL_C_SECONDS if number == signal.SIGINT else ECHO_SECONDS
        if before[0] == number and self._latest[1] - before[1] < echo:
            return
        self._first = self._first or number
        interrupted = number == signal.SIGINT
        self._interrupt(KeyboardInterrupt() if interrupted else SystemExit(128 + number))

    @property
    def asked(self) -> bool:
        """True where one of them came."""
        return self._first is not None

    def over(self) -> None:
        """Ignore further ones: the program has ended, and they must not tear its end apart."""
        for number in self._taken:
            signal.signal(number, signal.SIG_IGN)

    def said(self, status: int, checkpoint: str | None, kept: int | None) -> str | None:
        """Return what to tell the user; None where the program has not ended of a signal.

        status: the program's. checkpoint: the file. kept: how many tasks are in it, None where that
        is not known.
        """
        if self._first is None or status != 128 + self._first:
            return None
        name = signal.Signals(self._first).name
        if checkpoint is None:
            return (
                f"stopped by {name}; the outcomes of tasks that the program has not saved are lost "
                "(--checkpoint FILE keeps them as they come)"
            )
        tasks = "what is done is" if kept is None else f"{kept} tasks are"
        return f"stopped by {name}; {tasks} in {checkpoint}: run again, and it goes on from there"
