"""The options behind the word `sweep`: one table, read by the launcher and by rank 0.

By click. What options mean is in the rooms that carry them out, what goes together in `checks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..program import scoop_options
from ..program.ready_programs import HELP, Answer
from ..program.scoop_options import UNABLE
from . import checks, other_programs
from .asked import SweepOptions

NAME = "sweep"
FIRST_FAILURE = "soon,fail=1"
"""What --stop-on-failure is in the words of --halt."""
_USAGE = f"Usage: myscoop {NAME} [OPTIONS] COMMAND..."
_EPILOG = """\b
myscoop sweep --data data.csv ./simulate -t '$temperature' -p '$pressure'
myscoop sweep --data data.csv --batch weather.pbs --log run.log
myscoop sweep -t 1-100 --batch test_set.pbs
myscoop sweep --lines files.txt gzip
find . -name '*.dat' | myscoop sweep --lines - gzip

Variables stand for themselves in each word; quote them for your own shell: '$temperature'. Options
of myscoop itself may stand here too: -n 8, --stop-before auto, --progress. Afterwards: myscoop
summarize LOG, myscoop results FILE."""


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else scoop_options.duration(value)
    except scoop_options.UsageError as problem:
        raise click.BadParameter(str(problem), ctx, param) from None


_FILE = click.Path()
PARAMETERS: tuple[click.Option, ...] = (
    click.Option(
        ["--data", "-data"], type=_FILE, multiple=True, metavar="FILE",
        help="A table (CSV): an item for each row; its columns are variables. - is stdin.",
    ),
    click.Option(
        ["--lines"], type=_FILE, metavar="FILE",
        help="An item for each line, appended to the command, or as $ITEM. - is stdin.",
    ),
    click.Option(
        ["--null", "-0"], is_flag=True,
        help="NUL ends a line of --lines, as find -print0 writes them.",
    ),
    click.Option(
        ["--array", "-t"], metavar="RANGE",
        help="An item for each number, as a job array has it: 1-100, 1-10,15, 0-90:10.",
    ),
    click.Option(
        ["--beside"], is_flag=True,
        help="Several tables stand side by side; otherwise one comes behind the other.",
    ),
    click.Option(
        ["--delimiter"], metavar="CHARACTER",
        help="What stands between the values of a row, tab for tabs. Default: it is found.",
    ),
    click.Option(
        ["--comment"], metavar="CHARACTER", help="What rows that are no items begin with."
    ),
    click.Option(
        ["--escape"], metavar="CHARACTER", help="What takes the next character's meaning in rows."
    ),
    click.Option(["--loose-quotes"], is_flag=True, hidden=True, help="Text may follow a quote."),
    click.Option(
        ["--batch", "-batch"], type=_FILE, metavar="FILE",
        help="Run this script for each item, by the interpreter in its first line.",
    ),
    click.Option(
        ["--substitute"], is_flag=True, hidden=True,
        help="Put values into the script's text, as the worker framework does.",
    ),
    click.Option(
        ["--chdir"], metavar="DIR",
        help="Where each item runs; made where it is missing: 'runs/$temperature'.",
    ),
    click.Option(
        ["--prolog", "-prolog"], type=_FILE, metavar="FILE",
        help="Run this script once, before the first item of the first run.",
    ),
    click.Option(
        ["--epilog", "-epilog"], type=_FILE, metavar="FILE",
        help="Run this script once, when all items have ended.",
    ),
    click.Option(
        ["--enable-prolog"], is_flag=True,
        help="Run the prolog again where the log says that it has run.",
    ),
    click.Option(
        ["--log", "-log"], type=_FILE, metavar="FILE",
        help="Note there what is done, and go on from what a former run has noted.",
    ),
    click.Option(["--retry"], is_flag=True, help="Run those again that have failed before."),
    click.Option(
        ["--joblog"], type=_FILE, metavar="FILE",
        help="A table of the items that have ended, with GNU parallel's columns.",
    ),
    click.Option(
        ["--output-dir"], type=_FILE, metavar="DIR",
        help="What items print, in files of their own there. Default: in order, to stdout.",
    ),
    click.Option(
        ["--results"], type=_FILE, metavar="FILE",
        help="What items print, and how they ended, in one file (SQLite).",
    ),
    click.Option(
        ["--reduce"], type=(str, str), metavar="PATTERN FILE",
        help="At the end join files of the items in order: --reduce 'out-$temperature' all.",
    ),
    click.Option(
        ["--reductor"], metavar="PROGRAM",
        help="What joins them: PROGRAM FILE NEXT is called for each. Default: as cat does.",
    ),
    click.Option(
        ["--retries"], type=click.IntRange(min=0), default=0, metavar="N",
        help="How often an item that fails is tried again (0).",
    ),
    click.Option(
        ["--item-timeout"], callback=_seconds, metavar="SECONDS",
        help="How long each item may take; then its processes get SIGTERM, and SIGKILL.",
    ),
    click.Option(
        ["--halt"], metavar="WHEN",
        help="When to end early: soon,fail=1; now,fail=3; soon,success=10; soon,fail=20%.",
    ),
    click.Option(
        ["--stop-on-failure"], is_flag=True,
        help=f"Begin no more items when one has failed: --halt {FIRST_FAILURE}.",
    ),
    click.Option(
        ["--dry-run", "-dryrun", "dry_run"], is_flag=True,
        help="Show the first items as they would run, and run none.",
    ),
    click.Option(["--submitted"], hidden=True),
)  # fmt: skip


class _Command(click.Command):
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how the words stand."""
        formatter.write(f"{_USAGE}\n")


command = _Command(
    NAME,
    params=[*PARAMETERS, click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
    context_settings={
        "allow_interspersed_args": False,
        "help_option_names": list(HELP),
        "max_content_width": 100,
    },
    help="Run COMMAND once for each row of a table, line of a list, or number of a range.",
    epilog=_EPILOG,
)


def parsed(words: Sequence[str]) -> SweepOptions:
    """Return what the words behind `sweep` ask for; click.UsageError says what is wrong."""
    ctx = command.make_context(NAME, list(words))
    found: dict[str, Any] = dict(ctx.params)
    if found.pop("stop_on_failure"):
        if found["halt"] is not None:
            raise click.UsageError(f"--stop-on-failure is --halt {FIRST_FAILURE}: which?", ctx)
        found["halt"] = FIRST_FAILURE
    asked = SweepOptions(**found)
    if (problem := checks.problem(asked)) is not None:
        raise click.UsageError(problem, ctx)
    return asked


def as_words(asked: SweepOptions) -> list[str]:
    """Return words that ask for the same, all options in their long spelling."""
    found: list[str] = []
    for param in PARAMETERS:
        value = getattr(asked, str(param.name), None)
        if value in (None, False, (), param.default):
            continue
        each = value if param.multiple else (value,)
        for one in each:
            found.append(param.opts[0])
            if not param.is_flag:
                found += map(str, one if param.nargs > 1 else (one,))
    end = ["--"] if asked.words and asked.words[0].startswith("-") else []
    return [*found, *end, *asked.words]


def answer(words: Sequence[str]) -> Answer | None:
    """Return what to print instead of a sweep with these words: its help, or what is wrong."""
    if any(word in HELP for word in words[:1]):
        with click.Context(command, max_content_width=100) as ctx:
            return Answer(0, command.get_help(ctx) + "\n")
    try:
        asked = parsed(words)
    except click.NoSuchOption as problem:
        return _refused(_explained(problem))
    except click.UsageError as problem:
        return _refused(problem.format_message())
    return _shown(asked) if asked.dry_run else None


def _shown(asked: SweepOptions) -> Answer:
    from . import dry_run  # late: most sweeps are run

    try:
        text = "\n".join(dry_run.lines(asked)) + "\n"
    except dry_run.PROBLEMS as problem:
        return Answer(UNABLE, f"{NAME}: {problem}\n")
    return Answer(0, text.encode(errors="backslashreplace").decode())


def _explained(problem: click.NoSuchOption) -> str:
    if problem.option_name in scoop_options.NAMES:
        return f"{problem.option_name} is no option of the sweep: put it before the word {NAME}"
    hidden = {name for param in PARAMETERS if param.hidden for name in param.opts}
    meant = [name for name in problem.possibilities or () if name not in hidden]
    told = click.NoSuchOption(problem.option_name, possibilities=meant, ctx=problem.ctx)
    return other_programs.instead(problem.option_name) or told.format_message()


def _refused(text: str) -> Answer:
    return Answer(UNABLE, f"{NAME}: {text}\n{_USAGE} (--help tells more)\n")
