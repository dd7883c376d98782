"""What was asked for, a `Request`: the options of `myscoop` and `mympirun` in a few groups.

Each group is a value that travels whole to the place that uses it. Its fields are called as click
knows the options (`cli.options`), so that a new option is a line there and a field in its group.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from ..beside.watch import Silence
from ..flavours.ranks import LauncherOptions
from ..hosts.placement import Binding, Placement
from ..managers.local import HYPERTHREADS
from ..rehearsal.jobs import Job

SILENCE = 3600.0
"""Seconds without output that count as too long where only --output-check-fatal is given."""
_Group = TypeVar("_Group")
_TYPED = click.core.ParameterSource.COMMANDLINE


@dataclass(frozen=True, slots=True)
class Output:
    """Where output and remarks go, and how much is said.

    output: the file for stdout and stderr. silence: how long nothing may be printed, None is no
    limit. log: the file for the command's own remarks.
    """

    output: str | None
    silence: Silence | None
    log: str | None
    verbose: bool
    debug: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Instead:
    """What is printed instead of running the program."""

    dry_run: bool
    explain: bool
    show_managers: bool
    show_flavours: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, by words or variables.

    words: the program and its arguments. manager: the batch system that is believed, None for
    whichever is there. job: the one that is rehearsed, None for where this process is.
    hyperthreads: they count as cores.
    """

    words: tuple[str, ...]
    manager: str | None
    job: Job | None
    hyperthreads: bool
    placement: Placement
    launcher: LauncherOptions
    binding: Binding
    output: Output
    instead: Instead

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which managers look around, made from the caller's."""
        found = {name: value for name, value in env.items() if name != HYPERTHREADS}
        found = found if self.job is None else self.job.environment(found)
        return found | ({HYPERTHREADS: "1"} if self.hyperthreads else {})


def requested(ctx: click.Context) -> Request:
    """Return what click has found, joined where several options mean one thing.

    Raises click.UsageError where they contradict each other.
    """
    found = dict(ctx.params)
    pinned = found.pop("pinned")
    found["silence"] = _silence(found.pop("silence"), found.pop("silence_ends"))
    found["pin_asked"] = bool(pinned or found["pin"])
    found["pin"] = None if pinned is False else found["pin"] or "compact"
    found["times"] = _times(ctx, found.pop("multi"), found.pop("double"))
    found["modules"] = not found.pop("no_modules")
    if found["hybrid"] is not None and found["threads"] is not None:
        both = f"--hybrid {found['hybrid']} or --threads {found['threads']}"
        raise click.UsageError(f"{both}: how many workers on each host?", ctx)
    job = _rehearsed(ctx, found)
    for name in ("mpirun_options", "prefixes"):
        found[name] = tuple(word for words in found[name] for word in words)
    return Request(
        found["words"], found["manager"], job, found["hyperthreads"], group(Placement, found),
        group(LauncherOptions, found), group(Binding, found), group(Output, found),
        group(Instead, found),
    )  # fmt: skip


def group(kind: type[_Group], found: Mapping[str, Any]) -> _Group:
    """Return a group with the options that its fields are called after.

    kind: a dataclass or named tuple. found: options by their names; what the command does not have
    stays as the group has it.
    """
    return kind(**{name: found[name] for name in kind.__annotations__ if name in found})


def _rehearsed(ctx: click.Context, found: dict[str, Any]) -> Job | None:
    """Return the job of --as, with what it means for the other options.

    It is explained, unless its command line is asked for.
    """
    job: Job | None = found["job"]
    if job is None:
        return None
    typed = [ctx.get_parameter_source(name) == _TYPED for name in ("job", "manager")]
    if typed == [True, False]:  # what is typed wins over a variable
        found["manager"] = None
    if found["manager"] not in (None, job.manager):
        problem = f"--as {job.shape.text} or --sched {found['manager']}: in which batch system?"
        raise click.UsageError(problem, ctx)
    found["explain"] = found["explain"] or not found["dry_run"]
    if found["hybrid"] is not None or found["threads"] is not None:
        return replace(job, hybrid=None)
    found["hybrid"] = job.hybrid
    return job


def _silence(seconds: float | None, fatal: bool) -> Silence | None:
    if seconds is None and fatal:
        seconds = SILENCE
    return Silence(seconds, fatal) if seconds is not None and 0 < seconds < math.inf else None


def _times(ctx: click.Context, multi: int | None, double: bool) -> int:
    if not double or multi is None:
        return multi or (2 if double else 1)
    sources = [ctx.get_parameter_source(name) for name in ("multi", "double")]
    if multi != 2 and sources[0] == sources[1]:
        raise click.UsageError(f"--multi {multi} or --double: how many workers on each slot?", ctx)
    return multi if sources[0] == _TYPED else 2
