"""A launcher while it runs: what happens until it has ended, and what follows from each event.

What a signal means is a table in `signals`; how a job ends is in `ending`.
"""

from __future__ import annotations

import errno
import signal
import subprocess
import time
from functools import partial

from ...concurrency.periods import (
    EARLIER_SECONDS,
    LAUNCHER_GRACE_SECONDS,
    NOTICE_SECONDS,
)
from .ending import Ending
from .event_loop import EventLoop
from .front_end import FrontEnd
from .lifeline import Lifeline
from .passing import Passing
from .signals import HANDLINGS, Signals, in_foreground
from .terminal import Terminal
from .watch import Watch

TIMED_OUT = 124
"""The exit status of a job that was ended for its silence: vsc-mympirun's, and timeout(1)'s."""
_LEFT_IN_PIPES = 1 << 20
"""Bytes that are read after the launcher's end: more than a pipe holds must come from another."""


class Job:
    """A launcher that has been started.

    signals: what this process gets. line: that to rank 0, None where there is none.
    passing: the launcher's output on its way to ours, None where it writes there itself.
    user: their terminal, None where there is none.
    """

    def __init__(
        self,
        launcher: subprocess.Popen[bytes],
        watch: Watch,
        signals: Signals,
        line: Lifeline | None,
        passing: Passing | None,
        user: Terminal | None,
    ) -> None:
        self._launcher, self._watch = launcher, watch
        self._signals, self._line, self._passing = signals, line, passing
        self._user = user
        self._over = False  # the launcher has ended
        self._loop = EventLoop()
        self._ending = Ending(launcher, watch, line, self._loop)
        self._loop.register(signals, self._woken)
        if line:
            self._loop.register(line, self._heard)
        for source in passing.sources if passing else ():
            self._loop.register(source, partial(self._pass_on, source))
        self._front_end = FrontEnd(watch.front_end, self._loop, self._front_end_gone)
        if watch.silence:
            self._loop.after(watch.silence.seconds, self._look_for_silence)

    def run(self) -> int:
        """Wait until the launcher has ended, and what it left behind is read.

        Returns the exit status of the job, as a shell would have it, or TIMED_OUT.
        """
        left = _LEFT_IN_PIPES
        while left > 0:
            if not self._over and self._launcher.poll() is not None:
                self._over = True
                self._launcher_ended()
            before = self._passed
            acts = self._loop.turn(at_once=self._all_have_ended)
            if self._over:
                left -= self._passed - before
            waiting = self._passing.waiting if self._passing else ()
            for source in waiting:
                self._pass_on(source)
            if self._all_have_ended and not waiting and all(act == self._woken for act in acts):
                break
        if self._user:
            self._user.close()
        return self._exit_status()

    def close(self) -> None:
        """Leave nothing of it open."""
        self._front_end.close()
        if self._user:
            self._user.close()
        self._loop.close()
        if self._line:
            self._line.close()
        if self._passing:
            self._passing.close()

    @property
    def _passed(self) -> int:
        return self._passing.passed if self._passing else 0

    @property
    def _waits(self) -> bool:
        """True where rank 0 has called and has not ended."""
        line = self._line
        return line is not None and line.pid is not None and line.fileno() >= 0

    @property
    def _all_have_ended(self) -> bool:
        """True where neither launcher nor rank 0 writes any more."""
        return self._over and not self._waits

    # What happens.

    def _woken(self) -> None:
        self._signals.drain()
        while self._signals.came:
            self._signal(self._signals.came.popleft())

    def _heard(self) -> None:
        assert self._line is not None
        self._loop.unregister(self._line)
        ended = self._line.status is not None  # and it is its end that is heard
        before = self._line.pid
        self._line.hear()
        if self._user and before is None and self._line.pid is not None:
            self._user.begin(self._line.pid)
        if self._line.fileno() >= 0:
            self._loop.register(self._line, self._heard)
        if self._line.pid is not None and self._passing:
            self._passing.close_ends()
        if ended:
            return
        if self._line.status is not None:
            if self._user:
                self._user.give_back()
            self._speak_apart()
            self._ending.program_ended()
        elif self._line.fileno() < 0:
            self._ending.line_broke()

    def _pass_on(self, source: int) -> None:
        assert self._passing is not None
        if not self._passing.pass_on(source, self._all_have_ended):
            self._loop.unregister(source)

    def _speak_apart(self) -> None:
        """Send what the launcher still prints to stderr: Open MPI 5 explains lost daemons."""
        if self._passing and self._watch.apart:
            self._passing.apart()

    def _launcher_ended(self) -> None:
        """Give rank 0 its time where somebody has killed the launcher: it may clean up still."""
        if self._passing:
            self._passing.close_ends()
        if self._waits:
            self._loop.after(LAUNCHER_GRACE_SECONDS, self._close_line)

    def _close_line(self) -> None:
        if self._line and self._line.fileno() >= 0:
            self._loop.unregister(self._line)
            self._line.close()

    def _look_for_silence(self) -> None:
        silence = self._watch.silence
        if silence is None or self._passing is None or self._passing.passed:
            return
        text = f"nothing was printed for {silence.seconds:g} s"
        if not silence.fatal:
            self._watch.tell(f"{text}; the job goes on")
            return
        self._watch.tell(f"{text}; the job is ended (--output-check-fatal)")
        self._ending.with_status(TIMED_OUT)

    def _front_end_gone(self) -> None:
        """End the job as a batch system would: nobody is left to do so."""
        self._watch.tell("the front end has ended, and its kernel ends with it")
        self._signal(signal.SIGTERM)

    # Signals.

    def _signal(self, number: int) -> None:
        self._ending.signal_came()
        self._speak_apart()
        if self._passing and self._passing.waiting:  # the job is over, and nobody reads its text
            self._passing.give_up()
            self._ending.at_once(128 + number)
        elif self._line is None:
            self._pass_to_launcher(number)
        elif self._line.ready and HANDLINGS[number].cleans_up:
            since = time.monotonic() - EARLIER_SECONDS
            typed = self._user is not None and number == signal.SIGINT  # that comes to us alone
            wait = 0 if typed else NOTICE_SECONDS
            self._loop.after(wait, partial(self._pass_to_rank_0, number, since))
            if self._watch.patience is not None and number != signal.SIGINT:
                end = partial(self._ending.at_once, 128 + number)
                self._loop.after(self._watch.patience, end)
        else:
            self._ending.at_once(128 + number)

    def _pass_to_launcher(self, number: int) -> None:
        # A second Ctrl-C would cut the launcher's end short.
        if HANDLINGS[number].by_terminal and in_foreground():
            return
        if self._watch.signalled is not None and HANDLINGS[number].warns:
            number = signal.SIGTERM  # a Hydra dies of the second
        self._launcher.send_signal(number)

    def _pass_to_rank_0(self, number: int, since: float) -> None:
        assert self._line is not None
        if not self._line.told_of(number, since):
            self._line.send(number)

    def _exit_status(self) -> int:
        status = self._ending.exit_status()
        problem = self._passing.problem if self._passing else None
        if problem is None or status or problem.errno == errno.EPIPE:
            return status
        self._watch.tell(f"output is lost: {problem.strerror}")
        return 1
