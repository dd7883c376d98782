"""How a job ends: who is asked to end, how long that may take, and the exit status of the job.

That of the program counts, as rank 0 has said it on its line; without a line, the launcher's.
"""

from __future__ import annotations

import signal
import subprocess

from ...concurrency.periods import LAUNCHER_END_SECONDS, LAUNCHER_GRACE_SECONDS, LOST_SECONDS
from .event_loop import EventLoop
from .lifeline import Lifeline
from .watch import Watch

_NOT_SAID = (
    "the launcher has ended with status 0, but rank 0 has not said that the program has ended: "
    "a host, a daemon of the launcher, or rank 0 was lost, and results with it"
)


class Ending:
    """Ends a launcher and rank 0 where they do not end by themselves, and knows the exit status.

    line: that to rank 0, None where there is none.
    """

    def __init__(
        self,
        launcher: subprocess.Popen[bytes],
        watch: Watch,
        line: Lifeline | None,
        loop: EventLoop,
    ) -> None:
        self._launcher, self._watch = launcher, watch
        self._line, self._loop = line, loop
        self._status: int | None = None  # where it is neither the launcher's nor rank 0's
        self._begun = self._signalled = False

    def signal_came(self) -> None:
        """Note that a signal has asked for the end."""
        self._signalled = True
        if self._watch.signalled is not None:
            self._watch.signalled()

    def program_ended(self) -> None:
        """Give the launcher its time to end."""
        self._loop.after(LAUNCHER_END_SECONDS, self._end_launcher)

    def line_broke(self) -> None:
        """Look after a while whether rank 0 has gone without a word."""
        patience = self._watch.patience
        self._loop.after(LOST_SECONDS if patience is None else patience, self._end_lost)

    def with_status(self, status: int) -> None:
        """End the job; its exit status is this one."""
        self._status = status
        self._end_launcher()

    def at_once(self, status: int) -> None:
        """End the job without any clean-up; its exit status is this one."""
        self.with_status(status)
        if self._line is not None:
            self._line.send(signal.SIGKILL)

    def _end_launcher(self) -> None:
        """Ask it to end, and kill it where it does not."""
        if not self._begun:
            self._begun = True
            self._loop.after(LAUNCHER_GRACE_SECONDS, self._launcher.kill)
            self._launcher.send_signal(signal.SIGHUP if self._line else signal.SIGTERM)

    def _end_lost(self) -> None:
        """End the job where rank 0 has gone without a word, and the launcher has not noticed."""
        if self._line is not None and self._line.alive:
            self._loop.after(LOST_SECONDS, self._end_lost)  # its program has closed all descriptors
        elif self._launcher.poll() is None:
            self._watch.tell("rank 0 was killed, or has left by os._exit: the job ends")
            self._end_launcher()

    def exit_status(self) -> int:
        """Wait for the launcher and return the exit status of the job, as a shell would have it."""
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
