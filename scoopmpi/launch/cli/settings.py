"""An option that is a variable too, and the kinds of values that options take.

How click is taught this; which options there are is in `options`.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from click.shell_completion import CompletionItem

from ..hosts import placement
from ..hosts.allocation import Allocation, AllocationError

PINS = {
    "compact": "compact", "packed": "compact", "bunch": "compact",
    "spread": "spread", "scatter": "spread", "cycle": "spread",
}  # fmt: skip
"""The ways to pin that users know, and the two that there are."""


class Setting(click.Option):
    """An option that is also a variable, under every of its long names.

    section: the heading below which the long help has it. usual: the short help has it too.
    """

    def __init__(self, words: Sequence[str], *, section: str, usual: bool = False, **more: Any):
        if more.get("is_flag"):
            words = [_with_opposite(word) for word in words]
        super().__init__(words, **more)
        self.section, self.usual = section, usual
        self.envvar = [variable(name) for name in self.opts if name.startswith("--")]

    def value_from_envvar(self, ctx: click.Context) -> Any:
        if not self.is_flag:
            return super().value_from_envvar(ctx)
        # Not left to click: with 8.2 a flag's variable is true whatever it says.
        for names, meaning in ((self.opts, True), (self.secondary_opts, False)):
            if name := self._first_set(names):
                return meaning is click.BOOL.convert(os.environ[name], self, ctx)
        return None

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.BadParameter as problem:
            problem.param_hint = self.hint(given=self.name in opts)
            raise

    def hint(self, given: bool) -> str:
        """How an error calls it: by its variable, unless it was given on the command line."""
        named = None if given else self._first_set((*self.opts, *self.secondary_opts))
        return f"${named}" if named else next(name for name in self.opts if name[:2] == "--")

    def _first_set(self, names: Sequence[str]) -> str | None:
        return next((name for name in map(variable, names) if os.environ.get(name)), None)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.hidden:
            return None
        names = list(self.opts) if self.name != "pinned" else [*self.opts, *self.secondary_opts]
        names.sort(key=lambda name: name.startswith("--"))
        value = "" if self.is_flag else f" {self.metavar}"
        return ", ".join(names) + value, self.help or ""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if ctx.params.get("words"):  # what looks like an option behind the program is its own
            return [CompletionItem(incomplete, type="file")]
        return super().shell_complete(ctx, incomplete)


def _with_opposite(word: str) -> str:
    """`--double` as `--double/--disable-double`; short names and Python's stay."""
    return f"{word}/--disable-{word[2:]}" if word.startswith("--") else word


def variable(name: str) -> str:
    """`--dry-run` as `MYMPIRUN_DRY_RUN`."""
    return "MYMPIRUN_" + name.removeprefix("--").replace("-", "_").upper()


# Kinds of values.

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


class Directory(click.Path):
    """A directory that is there, as an absolute path."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return os.path.abspath(os.fspath(super().convert(value, param, ctx)))
