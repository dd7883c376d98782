"""Run the launcher as a child, where an exec will not do: to see whether it prints anything.

Its output passes unchanged and at once, signals reach it, its exit status is ours. Where nothing
has to be watched nor fed, nothing stands between the user and the launcher: see `starting`.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import IO, Any

from ..process import witness

TIMED_OUT = 124
"""The exit status of a job that was ended for its silence: vsc-mympirun's, and timeout(1)'s."""
GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL: Open MPI 5 and MPICH need up to 7 to end their ranks."""
_PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
)
_WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)
_AT_ONCE = 1 << 16
_LEFT_IN_PIPES = 1 << 20
"""What is read after the launcher's end: more than a pipe holds must come from somebody else."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing may be printed from the start on, and whom to tell; `fatal` ends the job."""

    seconds: float
    fatal: bool
    tell: Callable[[str], None]


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    silence: Silence | None = None,
    output: int | None = None,
    feed: Callable[[IO[bytes]], None] | None = None,
    signalled: Callable[[], None] | None = None,
) -> int:
    """Run a launcher to its end; its exit status, as a shell would have it, or TIMED_OUT.

    output: a file descriptor in the place of our stdout and stderr.
    feed: writes the launcher's stdin, in a thread.
    signalled: called for each signal that asks the launcher to end; SIGUSR1 and SIGUSR2 do so
        then, by SIGTERM: a Hydra dies of the second.
    """
    targets = (1, 2) if output is None else (output, output)
    joined = os.path.sameopenfile(*targets) if _open(*targets) else False
    with _signals(signalled) as signals:
        launcher = subprocess.Popen(
            argv, env=env,
            stdin=subprocess.PIPE if feed else None,
            stdout=subprocess.PIPE if silence else output,
            stderr=(subprocess.STDOUT if joined else subprocess.PIPE) if silence else output,
            preexec_fn=partial(_in_the_launcher, deaf=signalled is not None),
        )  # fmt: skip
        signals.reach(launcher)
        if feed and launcher.stdin:
            # As a thread, since the launcher may end while the user thinks.
            threading.Thread(target=feed, args=(launcher.stdin,), daemon=True).start()
        ended = False
        if silence:
            ended = _Passing(launcher, silence, targets, signals.woken).run()
        status = launcher.wait()
    if ended:
        return TIMED_OUT
    return status if status >= 0 else 128 - status


def _in_the_launcher(deaf: bool) -> None:
    """It ends when we are killed, as if it stood in our place.

    deaf: to warnings, which a batch system may send to all processes of a job.
    """
    witness.end_with_parent(signal.SIGTERM)
    for number in _WARNINGS if deaf else ():
        signal.signal(number, signal.SIG_IGN)


def _open(*descriptors: int) -> bool:
    try:
        return all(os.fstat(each) for each in descriptors)
    except OSError:
        return False  # closed by who started us


class _Signals:
    """Signals on their way to the launcher; `woken` is readable after one of them, or SIGCHLD."""

    def __init__(self, woken: int, told: Callable[[], None] | None) -> None:
        self.woken, self._told = woken, told
        self._launcher: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def reach(self, launcher: subprocess.Popen[bytes]) -> None:
        self._launcher = launcher
        for number in self._early:
            launcher.send_signal(number)

    def came(self, number: int, frame: FrameType | None) -> None:
        if self._told is not None:
            self._told()
            number = signal.SIGTERM if number in _WARNINGS else number
        # What the terminal sends reaches the launcher too, and a second Ctrl-C would cut its end
        # short.
        if number in (signal.SIGINT, signal.SIGQUIT) and _in_foreground():
            return
        if self._launcher is None:
            self._early.append(number)
        else:
            self._launcher.send_signal(number)


@contextmanager
def _signals(told: Callable[[], None] | None) -> Iterator[_Signals]:
    """Takes the signals for a while; those that are ignored stay so, for the launcher too."""
    woken, waking = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waking, False)
    passing = _Signals(woken, told)
    before: dict[int, Any] = {}
    earlier = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    try:
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, passing.came)
        yield passing
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        os.close(woken)
        os.close(waking)


def _in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


class _Passing:
    """The launcher's output on its way to ours."""

    def __init__(
        self, launcher: subprocess.Popen[bytes], silence: Silence, targets: tuple[int, int],
        woken: int,
    ) -> None:  # fmt: skip
        self._launcher, self._silence, self._woken = launcher, silence, woken
        self._due: float | None = time.monotonic() + silence.seconds
        self._ended = False
        self._from = selectors.DefaultSelector()
        self._from.register(woken, selectors.EVENT_READ)
        for pipe, target in zip((launcher.stdout, launcher.stderr), targets, strict=True):
            if pipe is not None:
                self._from.register(pipe, selectors.EVENT_READ, target)

    def run(self) -> bool:
        """Until the launcher has ended; whether we ended it."""
        left = _LEFT_IN_PIPES
        while left > 0:
            over = self._launcher.poll() is not None
            ready = [key for key, _ in self._from.select(0 if over else self._patience())]
            pipes = [key for key in ready if key.fd != self._woken]
            if len(pipes) < len(ready):
                _drain(self._woken)
            if over and not pipes:
                break
            count = sum(map(self._pass_on, pipes))
            left -= count if over else 0
            self._look_at_the_clock()
        self._from.close()
        return self._ended

    def _patience(self) -> float | None:
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def _pass_on(self, key: selectors.SelectorKey) -> int:
        """What is there now; a pipe that nobody writes or nobody reads is closed."""
        data = os.read(key.fd, _AT_ONCE)
        if data and not self._ended:
            self._due = None
        if not data or not _written(key.data, data):
            self._from.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr] # it is one of Popen's files
        return len(data)

    def _look_at_the_clock(self) -> None:
        if self._due is None or time.monotonic() < self._due:
            return
        self._due = None
        if self._ended:
            self._launcher.kill()
            return
        text = f"nothing was printed for {self._silence.seconds:g} s"
        if not self._silence.fatal:
            self._silence.tell(f"{text}; the job goes on")
            return
        self._silence.tell(f"{text}; the job is ended (--output-check-fatal)")
        self._ended = True
        self._due = time.monotonic() + GRACE
        self._launcher.terminate()


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, _AT_ONCE):
            pass
    except BlockingIOError:
        pass


def _written(target: int, data: bytes) -> bool:
    """Write all of it, as fast as it is taken; whether there is still somebody to take it."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            with selectors.DefaultSelector() as taken:
                taken.register(target, selectors.EVENT_WRITE)
                taken.select()
        except OSError:
            return False
    return True
