"""From the options of a sweep to its parts: what can be wrong is found before anything begins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from ...process import identity
from .. import halting
from ..asked import SweepOptions
from ..command import known_names
from ..command.command import Command, CommandProblem
from ..command.opening import opened as command_of
from ..command.pattern import Pattern
from ..former import Former
from ..halting import Halt
from ..items.ended import Ended
from ..items.identity import Identity
from ..items.item import Item, ItemsProblem, Source
from ..items.opening import opened
from ..log.joblog import Joblog
from ..log.sweep_log import LogProblem, SweepLog
from ..outputs import joining
from ..outputs.sink import OutputProblem, Sink
from ..running.plan import Plan
from . import choosing, telling
from .scripts import Scripts
from .workers import Workers

PROBLEMS = (ItemsProblem, CommandProblem, LogProblem, OutputProblem)
"""What can be wrong with what is asked for; their texts are for the user."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one sweep."""

    options: SweepOptions
    source: Source
    identity: Identity
    plan: Plan
    scripts: Scripts
    halt: Halt | None
    log: SweepLog | None
    joblog: Joblog | None
    sink: Sink
    former: Former

    def items(self) -> Iterator[Item]:
        """Return all items, with their digests."""
        digest = self.identity.of
        for number, values, _ in self.source:
            yield Item(number, values, digest(values))

    @property
    def to_run(self) -> int | None:
        """How many items are to run; None where that is not known before all are read."""
        return self.former.to_run(self.source.size)

    def close(self, hurry: bool = False) -> int:
        """Write what waits; return how much of it could not be kept.

        hurry: the sweep was ended from outside: who does not read its output is not waited for.
        All are closed, also where a signal interrupts it, as stdout may not be read any more.
        """
        unkept: list[int] = []
        with ExitStack() as left:
            for part in (self.log, self.joblog):
                if part is not None:
                    left.callback(_close, part.close, unkept)
            # First of all: what is kept of outputs goes to the log.
            left.callback(_close, partial(self.sink.close, hurry), unkept)
        return sum(unkept)


def _close(close: Callable[[], int], unkept: list[int]) -> None:
    try:
        unkept.append(close())
    except BrokenPipeError:  # whoever has read it has seen enough
        pass
    except OSError as problem:
        telling.say(f"something could not be kept: {problem}")
        unkept.append(1)


def prepared(options: SweepOptions, workers: Workers) -> Parts:
    """Return the parts of a sweep. Raises one of `PROBLEMS`."""
    halt = None if options.halt is None else halting.read(options.halt)
    source = opened(options.asked)
    command = command_of(
        options.words, options.batch, options.substitute, source.columns, os.environ
    )
    scripts = Scripts.of(options)
    _check(options, source)
    identity = Identity(source.columns, command.digest())
    with ExitStack() as undo:
        log = joblog = None
        if options.log is not None:
            log = SweepLog(options.log, {"words": sys.argv[1:]})
            undo.callback(log.close)
        if options.joblog is not None:
            joblog = Joblog(options.joblog)
            undo.callback(joblog.close)
        kept: Callable[[Ended], None] = _nothing if log is None else log.ended
        sink = choosing.sink(
            kept, source.columns, command.name, options.output_dir, options.results
        )
        undo.callback(sink.close)
        plan = _plan(options, source, command, workers)
        former = Former(None if log is None else log.known, options.retry)
        parts = Parts(options, source, identity, plan, scripts, halt, log, joblog, sink, former)
        if source.size is not None:
            former.count(parts.items())
        undo.pop_all()
    return parts


def _check(options: SweepOptions, source: Source) -> None:
    """Look at the names of files that items have, and the one that they are joined into."""
    names = [] if options.chdir is None else [options.chdir]
    if options.reduce is not None:
        joining.checked(options.reduce[1], options.reductor)
        names.append(options.reduce[0])
    known_names.check(map(Pattern, names), source.columns, os.environ)


def _plan(options: SweepOptions, source: Source, command: Command, workers: Workers) -> Plan:
    timeout = identity.this.task_timeout if options.item_timeout is None else options.item_timeout
    return Plan(
        command, source.columns, tuple(source.variables.items()), options.chdir, timeout,
        workers.end_of_items(),
        output_dir=None if options.output_dir is None else os.path.abspath(options.output_dir),
        workers=workers.count,
    )  # fmt: skip


def _nothing(ended: Ended) -> None:
    """Note nothing: there is no log."""
