"""Run the command of a sweep for an item, on a worker: what the farm's tasks call.

Whatever the command does, or cannot do, is in what is returned; nothing is raised for it.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from ...concurrency.periods import ITEM_GRACE_SECONDS
from ...process import identity
from ..command.command import CommandProblem
from ..items.ended import JOB, TIME, Ended
from ..items.item import Item
from .directory import Directory
from .group import Group
from .not_started import NOT_EXECUTABLE, NotStarted
from .plan import Plan
from .script_file import ScriptFile
from .variables import Variables
from .warden import warden
from .written import written


class _Here(NamedTuple):
    """What all items of a plan have in common on this worker."""

    host: str
    variables: Variables
    directory: Directory
    script: ScriptFile


class _End(NamedTuple):
    """How an item ended; see `Ended`."""

    status: int
    why: str = ""
    out: bytes = b""
    err: bytes = b""


class Runner:
    """A function that runs the command for an item, and is called like the command."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._known: _Here | None = None
        # For failure.describe: what shows tasks names what the user knows.
        self.__qualname__, self.__module__ = os.path.basename(plan.command.name), "__main__"

    def __reduce__(self) -> tuple[Callable[..., Runner], tuple[Plan]]:
        return Runner, (self.plan,)

    @staticmethod
    def failed_value(ended: Ended) -> bool:
        """True where a command failed: a checkpoint has it run again then."""
        return not ended.well

    def __call__(self, item: Item) -> Ended:
        here = self._here()
        started, clock = time.time(), time.monotonic()
        try:
            end = self._run(here, item)
        except NotStarted as problem:
            end = _End(problem.status, str(problem))
        except CommandProblem as problem:
            end = _End(NOT_EXECUTABLE, str(problem))
        return Ended(
            item.number, item.digest, identity.this.rank, here.host, end.status, started,
            time.monotonic() - clock, end.why, end.out, end.err,
        )  # fmt: skip

    def _here(self) -> _Here:
        if self._known is None:
            warden()  # it is to be there before an item is
            directory = Directory(self.plan.chdir)
            self._known = _Here(socket.gethostname(), Variables(self.plan), directory, ScriptFile())
        return self._known

    def _run(self, here: _Here, item: Item) -> _End:
        seconds, why = self._limit(time.time())
        if seconds is not None and seconds <= 0:
            return _End(-signal.SIGTERM, why)
        env = here.variables.of(item)
        cwd = here.directory.entered(env)
        words, script = self.plan.command.call(env)
        words = [here.directory.program(words[0], cwd), *words[1:]]
        if script is not None:
            words.append(here.script.named(script))
        with written(self.plan, item.number) as files:
            group = Group(words, here.variables.encoded(env), cwd, files.out, files.err)
            over = warden().waited(group, seconds)
            return _End(group.status, "" if over else why, *files.content())

    def _limit(self, now: float) -> tuple[float | None, str]:
        """Return how long an item may take that starts now, and what ends it then."""
        own, ends = self.plan.timeout, self.plan.ends
        if ends is None:
            return own, TIME
        left = ends - now - ITEM_GRACE_SECONDS
        return (left, JOB) if own is None or left < own else (own, TIME)
