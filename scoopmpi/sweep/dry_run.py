"""`--dry-run`: the first items as they would run, shown before there are ranks. Nothing is started.

A file is read, nothing is written: the log is looked at for what is done, and left as it is.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from itertools import islice

from .asked import SweepOptions
from .command import known_names
from .command.command import Call, Command, CommandProblem
from .command.opening import opened as command_of
from .command.pattern import Pattern
from .former import Former
from .items.array import ARRAY_ID, ARRAY_NAMES
from .items.identity import Identity
from .items.item import Item, ItemsProblem, Source
from .items.opening import opened
from .log.known import Known

SHOWN = 10
"""Items, the first ones."""
PROBLEMS = (ItemsProblem, CommandProblem)
"""What can be wrong with what is asked for; their texts are for the user."""
_OF_WORKERS = ("WORKER_RANK", "WORKER_SIZE", "WORKER_NUM_THREADS", "SCOOP_WORKER_NAME")
"""What only the worker knows that runs an item: it is shown as it was written."""


def lines(options: SweepOptions) -> Iterator[str]:
    """Return what to show, a line each.

    Raises one of `PROBLEMS`, as the sweep would end with it.
    """
    source = opened(options.asked)
    command = command_of(
        options.words, options.batch, options.substitute, source.columns, os.environ
    )
    directory = None if options.chdir is None else Pattern(options.chdir)
    if directory is not None:
        known_names.check([directory], source.columns, os.environ)
    shown = 0
    for item in islice(_to_run(options, source, command), SHOWN):
        shown += 1
        variables = _variables(source, item)
        call = command.call(variables)
        yield f"{item.number}: {_words(call, options.batch)}"
        values = zip(source.columns, item.values, strict=True)
        yield "    " + " ".join(f"{name}={shlex.quote(value)}" for name, value in values)
        if directory is not None:
            yield f"    in {directory.put(variables)}"
        if options.substitute and call.script is not None:
            for line in call.script.decode(errors="backslashreplace").splitlines():
                yield f"    | {line}"
    yield _last(shown, source.size)


def _to_run(options: SweepOptions, source: Source, command: Command) -> Iterator[Item]:
    identity = Identity(source.columns, command.digest())
    former = Former(_known(options.log), options.retry)
    for number, values, _ in source:
        item = Item(number, values, identity.of(values))
        if former.wanted(item):
            yield item


def _known(path: str | None) -> Known | None:
    if path is None or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return Known(file)


def _variables(source: Source, item: Item) -> Mapping[str, str]:
    found = {**os.environ, **{name: f"${name}" for name in _OF_WORKERS}, **source.variables}
    found.update(zip(source.columns, item.values, strict=True))
    found["SCOOP_COUNTER"] = str(item.number)
    if ARRAY_ID in source.columns:
        found.update(dict.fromkeys(ARRAY_NAMES, found[ARRAY_ID]))
    return found


def _words(call: Call, batch: str | None) -> str:
    return shlex.join(call.words if batch is None else [*call.words, batch])


def _last(shown: int, size: int | None) -> str:
    if not shown:
        return "no item is to run"
    return f"{shown} shown, nothing was run" + ("" if size is None else f"; {size} in all")
