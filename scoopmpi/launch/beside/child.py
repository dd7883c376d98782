"""Run the launcher as a child: signals, its silence, its end, and what rank 0 says of the program.

With a line to rank 0 (`lifeline`) the launcher hears no signal but SIGHUP: it would kill the
program in the middle of its clean-up. Rank 0 hears them, each once, and its word is the exit
status. Without one all goes to the launcher, and comes from it.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...process import supervisor
from ...process.lifeline import NOT_FOR_LAUNCHERS
from ...process.streams import closed
from . import feeding
from .lifeline import Lifeline
from .passing import Passing
from .signals import WARNINGS, Signals, in_foreground, taken

TIMED_OUT = 124
"""The exit status of a job that was ended for its silence: vsc-mympirun's, and timeout(1)'s."""
GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL: Open MPI 5 and MPICH need up to 7 to end their ranks."""
END_SECONDS = 60.0
"""What the launcher gets to end after the program has: ranks have limits of their own within."""
LOST_SECONDS = 3.0
"""The same where rank 0 has gone without a word: a launcher may wait for a lost host for ever."""
NOTICE_SECONDS = 0.5
"""A batch system signals one process, or all of a job within milliseconds: so long we wait for what
rank 0 has got by itself."""
EARLIER_SECONDS = 3.0
"""So long ago it may have got it, where this process was slow to hear of its own."""
_LEFT_IN_PIPES = 1 << 20
"""What is read after the launcher's end: more than a pipe holds must come from somebody else."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing may be printed from the start on; `fatal` ends the job."""

    seconds: float
    fatal: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """How a launcher is to be run.

    output: a file descriptor in the place of our stdout and stderr.
    here: rank 0 is one of ours, on this host. marked: it is one of ours, elsewhere: its stdin gets
    a mark at the end. opened: it opens our stdin itself. tell: what the user has to know.
    apart: what the launcher prints when the program is over, or a signal has come, goes to stderr.
    signalled: called where a signal asks for the end; SIGUSR1 and SIGUSR2 do so then.
    """

    tell: Callable[[str], None]
    silence: Silence | None = None
    output: int | None = None
    here: bool = False
    marked: bool = False
    opened: bool = False
    apart: bool = False
    signalled: Callable[[], None] | None = None


def run(argv: Sequence[str], env: Mapping[str, str], watch: Watch) -> int:
    """Run a launcher to its end; its exit status, as a shell would have it, or TIMED_OUT."""
    targets = (1, 2) if watch.output is None else (watch.output, watch.output)
    with taken() as signals:
        passing = Passing(targets) if watch.silence or watch.apart else None
        out, err = passing.ends if passing else targets
        own = targets if passing and not watch.silence else (out, err)
        line = Lifeline(_streams(*own)) if watch.here else None
        fed = os.pipe() if watch.marked and not line else None
        launcher = subprocess.Popen(
            argv,
            env={**env, **(line.variables if line else {})},
            stdin=subprocess.DEVNULL if line or watch.opened else fed[0] if fed else None,
            stdout=out, stderr=err,
            preexec_fn=partial(_in_the_launcher, deaf=line is not None, signalled=watch.signalled),
        )  # fmt: skip
        if fed:
            os.close(fed[0])
            feeding.marked(fed[1])
        job = _Job(launcher, watch, signals, line, passing)
        try:
            return job.run()
        finally:
            job.close()


def _streams(out: int, err: int) -> dict[int, int]:
    """What rank 0 shall have as its own, of what is open."""
    given = {1: out, 2: err}
    if 0 not in closed():
        given = {0: feeding.for_rank_0(), **given}
    return {number: fd for number, fd in given.items() if number != fd or fd not in closed()}


def _in_the_launcher(deaf: bool, signalled: object) -> None:
    """It ends when we are killed, as if it stood in our place.

    Deaf, it has a process group of its own, as what a terminal sends is for us, and its ranks let
    signals in again. Deaf to warnings only, it does not see what goes to all processes of a job.
    """
    supervisor.end_with_parent(signal.SIGHUP if deaf else signal.SIGTERM)
    if deaf:
        os.setpgid(0, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # our own word to it, under nohup too
        signal.pthread_sigmask(signal.SIG_BLOCK, NOT_FOR_LAUNCHERS)
    elif signalled is not None:
        for number in WARNINGS:
            signal.signal(number, signal.SIG_IGN)


class _Job:
    """A launcher while it runs."""

    def __init__(
        self,
        launcher: subprocess.Popen[bytes],
        watch: Watch,
        signals: Signals,
        line: Lifeline | None,
        passing: Passing | None,
    ) -> None:
        self._launcher, self._watch = launcher, watch
        self._signals, self._line, self._passing = signals, line, passing
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._status: int | None = None  # where it is neither the launcher's nor rank 0's
        self._ending = self._signalled = False
        self._from = selectors.DefaultSelector()
        self._from.register(signals, selectors.EVENT_READ, self._woken)
        if line:
            self._from.register(line, selectors.EVENT_READ, self._heard)
        for source in passing.sources if passing else ():
            self._from.register(source, selectors.EVENT_READ, partial(self._pass_on, source))
        if watch.silence:
            self._after(watch.silence.seconds, self._look_for_silence)

    # The loop.

    def run(self) -> int:
        """Until the launcher has ended, and what it left behind is read; the exit status."""
        left = _LEFT_IN_PIPES
        over = False
        while left > 0:
            if not over and self._launcher.poll() is not None:
                over = True
                self._launcher_ended()
            ready = self._from.select(self._patience(over))
            before = self._passing.passed if self._passing else 0
            for key, _ in ready:
                key.data()
            if over and self._passing:
                left -= self._passing.passed - before
            self._look_at_the_clock()
            if over and not any(key.data != self._woken for key, _ in ready) and not self._waits:
                break
        return self._exit_status()

    def _patience(self, over: bool) -> float | None:
        if over and not self._waits:
            return 0
        if not self._timers:
            return None
        return max(0.0, min(when for when, _ in self._timers) - time.monotonic())

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._timers.append((time.monotonic() + seconds, act))

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        due = [act for when, act in self._timers if when <= now]
        self._timers = [timer for timer in self._timers if timer[0] > now]
        for act in due:
            act()

    def close(self) -> None:
        """Nothing of it stays open."""
        self._from.close()
        if self._line:
            self._line.close()
        if self._passing:
            self._passing.close()

    # What happens.

    def _woken(self) -> None:
        self._signals.drain()
        while self._signals.came:
            self._signal(self._signals.came.popleft())

    def _heard(self) -> None:
        assert self._line is not None
        self._from.unregister(self._line)
        ended = self._line.status is not None  # and it is its end that is heard
        self._line.hear()
        if self._line.fileno() >= 0:
            self._from.register(self._line, selectors.EVENT_READ, self._heard)
        if self._line.pid is not None and self._passing:
            self._passing.close_ends()
        if ended:
            return
        if self._line.status is not None:
            self._speak_apart()
            self._after(END_SECONDS, self._end_launcher)
        elif self._line.fileno() < 0:
            self._after(LOST_SECONDS, self._end_lost)

    def _pass_on(self, source: int) -> None:
        assert self._passing is not None
        if not self._passing.pass_on(source):
            self._from.unregister(source)

    def _speak_apart(self) -> None:
        """Open MPI 5 explains lost daemons on stdout."""
        if self._passing and self._watch.apart:
            self._passing.apart()

    def _launcher_ended(self) -> None:
        """Rank 0 may be in its clean-up still, where somebody has killed the launcher."""
        if self._passing:
            self._passing.close_ends()
        if self._line and self._line.pid is not None and self._line.fileno() >= 0:
            self._after(GRACE, self._close_line)

    def _close_line(self) -> None:
        if self._line and self._line.fileno() >= 0:
            self._from.unregister(self._line)
            self._line.close()

    @property
    def _waits(self) -> bool:
        """Whether rank 0 has called and has not ended."""
        line = self._line
        return line is not None and line.pid is not None and line.fileno() >= 0

    # Signals.

    def _signal(self, number: int) -> None:
        self._signalled = True
        if self._watch.signalled is not None:
            self._watch.signalled()
        self._speak_apart()
        if self._line is None:
            self._pass_to_launcher(number)
        elif number == signal.SIGQUIT or not self._line.ready:
            self._status = 128 + number  # nothing has begun that could be cleaned up, or should
            self._end_launcher()
            self._end_rank_0()
        else:
            since = time.monotonic() - EARLIER_SECONDS
            self._after(NOTICE_SECONDS, partial(self._pass_to_rank_0, number, since))

    def _pass_to_launcher(self, number: int) -> None:
        # What the terminal sends reaches the launcher too, and a second Ctrl-C would cut its end
        # short.
        if number in (signal.SIGINT, signal.SIGQUIT) and in_foreground():
            return
        if self._watch.signalled is not None and number in WARNINGS:
            number = signal.SIGTERM  # a Hydra dies of the second
        self._launcher.send_signal(number)

    def _pass_to_rank_0(self, number: int, since: float) -> None:
        assert self._line is not None
        if not self._line.told_of(number, since):
            self._line.send(number)

    # The end.

    def _end_launcher(self) -> None:
        """Ask it to end, and kill it where it does not."""
        if not self._ending:
            self._ending = True
            self._after(GRACE, self._launcher.kill)
            self._launcher.send_signal(signal.SIGHUP if self._line else signal.SIGTERM)

    def _end_lost(self) -> None:
        """Rank 0 has gone without a word, and the launcher has not noticed."""
        if self._line is not None and self._line.alive:
            self._after(LOST_SECONDS, self._end_lost)  # its program has closed all descriptors
        elif self._launcher.poll() is None:
            self._watch.tell("rank 0 was killed, or has left by os._exit: the job ends")
            self._end_launcher()

    def _end_rank_0(self) -> None:
        """Nobody waits for it any more."""
        if self._line is not None:
            self._line.send(signal.SIGKILL)

    def _look_for_silence(self) -> None:
        silence = self._watch.silence
        if silence is None or self._passing is None or self._passing.passed:
            return
        text = f"nothing was printed for {silence.seconds:g} s"
        if not silence.fatal:
            self._watch.tell(f"{text}; the job goes on")
            return
        self._watch.tell(f"{text}; the job is ended (--output-check-fatal)")
        self._status = TIMED_OUT
        self._end_launcher()

    def _exit_status(self) -> int:
        status = self._job_status()
        problem = self._passing.problem if self._passing else None
        if problem is None or status or problem.errno == errno.EPIPE:
            return status
        self._watch.tell(f"output is lost: {problem.strerror}")
        return 1

    def _job_status(self) -> int:
        code = self._launcher.wait()
        code = code if code >= 0 else 128 - code
        line = self._line
        if self._status is not None:
            return self._status
        if line is None:
            return code
        if line.ended_by_signal and not self._signalled:
            if code:
                return code  # the launcher has sent it, as another rank has crashed
            if self._watch.signalled is not None:
                self._watch.signalled()
        if line.status is None and not code:
            self._watch.tell(_NOT_SAID)
            return 1
        return code if line.status is None else line.status


_NOT_SAID = (
    "the launcher has ended with status 0, but rank 0 has not said that the program has ended: "
    "a host, a daemon of the launcher, or rank 0 was lost, and results with it"
)
