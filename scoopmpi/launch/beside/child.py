"""Start the launcher as a child of this process, and run it to its end.

With a line to rank 0 (`lifeline`) the launcher hears no signal but SIGHUP: it would kill the
program in the middle of its clean-up. Rank 0 hears them, each once, and its word is the exit
status. Without one all goes to the launcher, and comes from it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...process import supervisor
from ...process.rank_settings import TERMINAL
from ...process.signals import NOT_FOR_LAUNCHERS, WARNINGS
from ...process.streams import closed
from . import feeding, terminal
from .into_cells import IntoCells
from .job import Job
from .lifeline import Lifeline
from .passing import Passing, write
from .signals import taken
from .watch import Watch

if TYPE_CHECKING:
    from ...watching.progress.received import Received

_OF_TERMINAL = -1
"""Stands for the way of what comes through the pseudo-terminal."""


def run(argv: Sequence[str], env: Mapping[str, str], watch: Watch) -> int:
    """Run a launcher to its end and return the exit status of the job, as a shell would have it.

    argv, env: its words and its environment. watch: how it is to be run.
    """
    targets = (1, 2) if watch.output is None else (watch.output, watch.output)
    with taken() as signals:
        user = terminal.of_user(targets) if watch.here and not watch.silence else None
        bar = _bar(watch, user)
        if bar:
            watch = replace(watch, tell=partial(_tell_above, bar, watch.tell))
        put = bar.write if bar else write
        looks = watch.silence or watch.apart or bar or watch.cells
        passing = Passing(targets, put) if looks else None
        if bar and passing:
            passing.sift, passing.put_text = bar.sift, bar.put_text
        out, err = passing.ends if passing else targets
        own = targets if passing and not watch.silence else (out, err)
        line = Lifeline(_streams(*own, user)) if watch.here else None
        cells = IntoCells(line) if line and watch.cells else None
        if cells and passing:
            passing.put = cells.write
        fed = os.pipe() if watch.marked and not line else None
        launcher = subprocess.Popen(
            argv,
            env={**env, **(line.variables if line else {}), **({TERMINAL: "bar"} if bar else {})},
            stdin=subprocess.DEVNULL if line or watch.opened else fed[0] if fed else None,
            stdout=out, stderr=err,
            preexec_fn=partial(_in_the_launcher, deaf=line is not None, signalled=watch.signalled),
        )  # fmt: skip
        if fed:
            os.close(fed[0])
            feeding.marked(fed[1])
        job = Job(launcher, watch, signals, line, passing, user)
        try:
            return job.run()
        finally:
            job.close()
            if cells:
                cells.close()
            if bar:
                bar.leave()


def _bar(watch: Watch, user: terminal.Terminal | None) -> Received | None:
    """Return what draws the bar, where all that the job prints to stderr passes here.

    user: the terminal of rank 0, where that is a pseudo-terminal of ours.
    """
    if not watch.draws or (watch.here and (user is None or not terminal.same_terminal(2))):
        return None
    from ...watching.progress.received import Received  # late: most jobs have no terminal

    if user is None:
        return Received(os.environ, terminal.in_front)
    bar = Received(os.environ, lambda: user.ours)
    user.put, user.before_stop = partial(bar.write, source=_OF_TERMINAL), bar.leave
    return bar


def _tell_above(bar: Received, tell: Callable[[str], None], text: str) -> None:
    bar.leave()
    tell(text)


def _streams(out: int, err: int, user: terminal.Terminal | None) -> dict[int, int]:
    """Return what rank 0 shall have as its own, of what is open. user: their terminal."""
    given = {1: out, 2: err}
    if user:
        given = user.places(err)
    elif 0 not in closed():
        given = {0: feeding.for_rank_0(), **given}
    return {number: fd for number, fd in given.items() if number != fd or fd not in closed()}


def _in_the_launcher(deaf: bool, signalled: object) -> None:
    """Prepare the launcher's process: it ends when we are killed, as if it stood in our place.

    deaf: it hears no signal but SIGHUP. signalled: not None where warnings ask for the end.
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
