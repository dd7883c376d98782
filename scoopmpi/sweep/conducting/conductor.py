"""A sweep from its first item to its exit status, on rank 0."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from ... import futures
from ..asked import SweepOptions
from ..command.words import Words
from ..items.ended import Ended
from ..items.identity import Identity
from ..items.item import Item
from ..items.opening import opened
from ..log.known import State
from ..log.sweep_log import SweepLog
from ..running.plan import Plan
from ..running.run import run
from . import choosing


def conduct(options: SweepOptions) -> int:
    """Run all items that are to be run; return the exit status of the sweep."""
    command = Words(options.words)
    source = opened(options.asked)
    identity = Identity(source.columns, command.digest())
    plan = Plan(command, source.columns)
    log = None if options.log is None else SweepLog(options.log, {})
    kept = (lambda ended: None) if log is None else log.ended
    sink = choosing.sink(kept, source.columns, command.name, options.output_dir, options.results)

    def items() -> Iterator[Item]:
        for item in source:
            known = item._replace(digest=identity.of(item.values))
            if log is not None and log.known.state(known) is State.DONE:
                continue
            sink.expected(known)
            yield known

    failures = 0
    ended: Ended
    for ended in futures.map_as_completed(partial(run, plan), items()):
        sink.add(ended)
        failures += not ended.well
    sink.close()
    if log is not None:
        log.close()
    if failures:
        print(f"sweep: {failures} items failed", file=sys.stderr)
    return 1 if failures else 0
