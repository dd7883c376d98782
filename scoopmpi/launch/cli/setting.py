"""An option that is a variable too, as click is taught it; which ones there are is in `options`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from ...program import words_behind


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
        """Return how an error calls the option: by its variable, unless the command line has it."""
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


def unknown_variables(ctx: click.Context, env: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that looks like an option's and is none.

    env: the environment. Options of the other commands count as known, and so do old ones that mean
    nothing any more.
    """
    params = (param for param in ctx.command.params if isinstance(param, click.Option))
    names = {name for param in params for name in (*param.opts, *param.secondary_opts)}
    known = [variable(name) for name in names | words_behind.NAMES if name.startswith("--")]
    start = variable("")
    for name in sorted(name for name in env if name.startswith(start)):
        if name not in known and env[name]:
            import difflib  # late: few environments have one

            ends = [each.removeprefix(start) for each in known]
            close = difflib.get_close_matches(name.removeprefix(start), ends, n=1)
            meant = f"; did you mean {start}{close[0]}?" if close else " (--help has them)"
            yield f"{name} is the variable of no option{meant}"


def _with_opposite(word: str) -> str:
    """Return `--double` as `--double/--disable-double`; short names and Python's stay."""
    return f"{word}/--disable-{word[2:]}" if word.startswith("--") else word


def variable(name: str) -> str:
    """Return the variable of an option: for `--dry-run` it is `MYMPIRUN_DRY_RUN`."""
    return "MYMPIRUN_" + name.removeprefix("--").replace("-", "_").upper()
