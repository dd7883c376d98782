"""Show the options of `myscoop` and `mympirun`, and complete their words in the shell.

The long help has all options below headings, the short one the usual ones. Everything behind the
program is the program's, for the completion in the shell too.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import click
from click.shell_completion import CompletionItem

from ...program import scoop_options
from .completion import files

ALSO = (
    "Each option is also a variable: --dry-run is $MYMPIRUN_DRY_RUN=1; the command line wins. Each "
    "flag also has an opposite: --disable-dry-run."
)
OTHERS = "Others"
Taken: TypeAlias = Callable[[Sequence[str], str, Sequence[click.Parameter]], list[CompletionItem]]


def _none(
    words: Sequence[str], incomplete: str, params: Sequence[click.Parameter]
) -> list[CompletionItem]:
    """Return none: of most programs nobody knows what they take."""
    return []


class WrapperCommand(click.Command):
    """A command whose options stand before a program.

    sections: the headings of the long help, in order.
    ordered: puts the words of a command line in order, before they are read. taken: returns what
    a program takes behind these words, and that begins so.
    """

    def __init__(
        self, name: str | None, sections: Sequence[str],
        ordered: Callable[[list[str], Sequence[click.Parameter]], list[str]] | None = None,
        taken: Taken = _none,
        **more: Any,
    ) -> None:  # fmt: skip
        more["context_settings"] = {
            "allow_interspersed_args": False, "help_option_names": ["--help", "-U"],
        }  # fmt: skip
        super().__init__(name, **more)
        self._sections = sections
        self._order = ordered
        self._taken = taken
        self.params += [
            click.Option(
                ["-u", "--usage", "--shorthelp"], is_flag=True, is_eager=True, expose_value=False,
                callback=self._show_short, help="Show the usual options and exit.",
            ),
            click.Option(
                ["--version"], is_flag=True, is_eager=True, expose_value=False,
                callback=self._show_version, help="Show the version and exit.",
            ),
        ]  # fmt: skip

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options; a mistyped one is answered with those that may be meant."""
        args = args if self._order is None else self._order(args, self.params)
        last = args[-1:]  # click takes them out
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            raise self._no_such(ctx, problem.option_name) from None
        except click.BadOptionUsage:
            if last == ["-h"]:
                text = "-h is --hybrid and needs a number: -h 2. For help: --help, or in short -u"
                raise click.BadOptionUsage("-h", text, ctx) from None
            raise

    def _no_such(self, ctx: click.Context, name: str) -> click.NoSuchOption:
        if name in scoop_options.NAMES:
            it_is = "called --universe here" if name == "-n" else "one of python -m scoopmpi"
            return click.NoSuchOption(name, f"No such option {name!r}: it is {it_is}.", ctx=ctx)
        import difflib  # late: few command lines have one

        shown = [
            word for param in self.params
            if isinstance(param, click.Option) and not param.hidden for word in param.opts
        ]  # fmt: skip
        close = difflib.get_close_matches(name, shown, n=1)
        return click.NoSuchOption(name, possibilities=close, ctx=ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; Ctrl-C before there is a job to pass it to ends it as it would any program."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(128 + signal.SIGINT)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all options below their headings."""
        for section, records in self.by_section(ctx):
            with formatter.section(section):
                formatter.write_dl(records)
        formatter.write_paragraph()
        formatter.write_text(ALSO)

    def by_section(self, ctx: click.Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Return the headings, each with its options: their words, and what they do."""
        for section in (*self._sections, OTHERS):
            if shown := self._records(ctx, [section], usual=False):
                yield section, shown

    def _records(
        self, ctx: click.Context, sections: Sequence[str], usual: bool
    ) -> list[tuple[str, str]]:
        records = [
            param.get_help_record(ctx) for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            and getattr(param, "section", OTHERS) in sections
            and (getattr(param, "usual", False) or not usual)
        ]  # fmt: skip
        return [record for record in records if record]

    def _show_short(self, ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if not value or ctx.resilient_parsing:
            return
        formatter = ctx.make_formatter()
        self.format_usage(ctx, formatter)
        with formatter.section("The usual options"):
            formatter.write_dl(self._records(ctx, self._sections, usual=True))
        formatter.write_paragraph()
        formatter.write_text("All options: --help")
        click.echo(formatter.getvalue(), nl=False)
        ctx.exit()

    def _show_version(self, ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from importlib.metadata import version

            click.echo(f"{ctx.info_name}, of scoopmpi {version('scoopmpi')}")
            ctx.exit()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return names of options; behind the program files, unless it is known what it takes."""
        if words := ctx.params.get("words"):
            return self._taken(words, incomplete, self.params) or files(incomplete)
        return super().shell_complete(ctx, incomplete)


class ProgramWords(click.Argument):
    """The program and its arguments: `programs` completes the first word, files the others."""

    def __init__(self, metavar: str, programs: Callable[[str], list[CompletionItem]]) -> None:
        super().__init__(["words"], nargs=-1, type=click.UNPROCESSED, metavar=metavar)
        self._programs = programs

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if ctx.params.get("words"):
            return ctx.command.shell_complete(ctx, incomplete)
        return self._programs(incomplete)
