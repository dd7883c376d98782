"""The kinds of values that options take: how each is read from a word, checked and completed.

For click, as a `ParamType` each. A fault is said in the user's words; nothing is looked up here.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from click.shell_completion import CompletionItem

from ...program import scoop_options
from ..hosts import placement
from ..hosts.allocation import Allocation, AllocationError
from ..rehearsal import jobs, shape

PINS = {
    "compact": "compact", "packed": "compact", "bunch": "compact",
    "spread": "spread", "scatter": "spread", "cycle": "spread",
}  # fmt: skip
"""The ways to pin that users know, and the two that there are."""

if TYPE_CHECKING:
    _Kind: TypeAlias = click.ParamType[Any]
    _Choice: TypeAlias = click.Choice[str]
else:  # they are generic from click 8.2 on
    _Kind, _Choice = click.ParamType, click.Choice


class Text(_Kind):
    """One word that stands for several, also where it comes from a variable."""

    name = "text"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [rv]


class ShellWords(Text):
    """Words as a shell would split them."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return tuple(shlex.split(value)) if isinstance(value, str) else value
        except ValueError as problem:
            self.fail(f"{value!r} cannot be split into words: {problem}", param, ctx)


class Count(click.IntRange):
    """A whole number from `min` on."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            if value == "p" and self.min:  # `-np 4` is -n with the value p
                self.fail("-np is -n here, as in: -n 4", param, ctx)
            self.fail(f"{value!r} is no whole number from {self.min} on", param, ctx)


class Names(Text):
    """`A,B`."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(filter(None, map(str.strip, value.split(","))))


class Name(_Kind):
    """One of some names, or another name of one; case, `-`, `_` and blanks do not matter."""

    name = "name"

    def __init__(self, names: Sequence[str], others: Mapping[str, str]) -> None:
        self.names, self._others = tuple(names), others
        self._plain = {_plain(name): meant for name, meant in others.items()}

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        plain = _plain(value)
        found = plain if plain in self.names else self._plain.get(plain)
        if found is None:
            self.fail(f"{value!r} is none of {', '.join(self.names)}", param, ctx)
        return found

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        found = [name for name in self.names if name.startswith(incomplete)]
        others = [name for name in self._others if name.startswith(incomplete)]
        return [CompletionItem(name) for name in found or others]


def _plain(name: str) -> str:
    return name.lower().translate({ord(sign): None for sign in "-_ "})


class Rehearsed(_Kind):
    """The shape of a job, `slurm:3x4x8`, as the job that a batch system would start."""

    name = "job"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return jobs.job(shape.shape(value)) if isinstance(value, str) else value
        except shape.ShapeError as problem:
            self.fail(str(problem), param, ctx)


class Order(_Kind):
    """What `placement.ordered` takes."""

    name = "order"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            placement.ordered(Allocation("", ()), value)
        except AllocationError as problem:
            self.fail(str(problem).replace("--order ", ""), param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        known = ("normal", "sort", "random", "random_")
        return [CompletionItem(word) for word in known if word.startswith(incomplete)]


class Pin(_Choice):
    """A way to pin; vsc-mympirun's `cyclepin` is `cycle`."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        word = super().convert(value.removesuffix("pin"), param, ctx)
        return PINS[word]


class Seconds(_Kind):
    """A number of seconds; below zero there is no limit, as in vsc-mympirun."""

    name = "seconds"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


class Duration(Seconds):
    """A number of seconds above 0."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        seconds = super().convert(value, param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} is no number of seconds above 0", param, ctx)
        return seconds


class OfRanks(_Kind):
    """What each rank reads again, as text; `read` says what it is, or raises UsageError."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return self._read(value) if isinstance(value, str) else value
        except scoop_options.UsageError as problem:
            self.fail(str(problem), param, ctx)


TASK = OfRanks("task", scoop_options.task)
"""One task of a program: an index, or MAP:INDEX."""
MARGIN = OfRanks("seconds", scoop_options.margin)
"""Seconds before the end of the job, or auto."""
JOB_TIME = OfRanks("time", scoop_options.duration)
"""How long a job may run, as batch systems write it."""


class Directory(click.Path):
    """A directory that is there, as an absolute path."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return os.path.abspath(os.fspath(super().convert(value, param, ctx)))
