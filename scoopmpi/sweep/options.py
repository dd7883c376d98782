"""The options behind the word `sweep`: one table, read by the launcher and by rank 0.

By click. Options of `myscoop` itself may stand among them where the launcher reads them; rank 0
sees only those of the sweep. What they mean is in the rooms that carry them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import click

from ..program.ready_programs import HELP, Answer
from ..program.scoop_options import UNABLE
from .items.opening import Asked

NAME = "sweep"


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """What is asked for. words: the command; empty with --batch."""

    words: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    lines: str | None = None
    array: str | None = None
    beside: bool = False
    delimiter: str | None = None
    comment: str | None = None
    batch: str | None = None
    substitute: bool = False
    chdir: str | None = None
    prolog: str | None = None
    epilog: str | None = None
    enable_prolog: bool = False
    log: str | None = None
    retry: bool = False
    joblog: str | None = None
    output_dir: str | None = None
    results: str | None = None
    retries: int = 0
    item_timeout: float | None = None
    halt: str | None = None
    reduce: tuple[str, str] | None = None
    reductor: str | None = None
    dry_run: bool = False

    @property
    def asked(self) -> Asked:
        """Return which items are asked for."""
        return Asked(self.data, self.lines, self.array, self.beside, self.delimiter, self.comment)


_FILE = click.Path()
PARAMETERS: tuple[click.Option, ...] = (
    click.Option(["--data", "-data"], type=_FILE, multiple=True, metavar="FILE",
                 help="A table (CSV): an item for each row; its columns are variables."),
    click.Option(["--lines"], type=_FILE, metavar="FILE",
                 help="An item for each line, appended to the command or as $ITEM; - is stdin."),
    click.Option(["-t", "--array", "array"], metavar="RANGE",
                 help="An item for each number, as in a job array: 1-100, 1-10,15, 0-90:10."),
    click.Option(["--beside"], is_flag=True, hidden=True,
                 help="Several tables stand side by side, as wsub reads them."),
    click.Option(["--delimiter"], metavar="CHARACTER",
                 help="Between the values of a row; found by itself otherwise."),
    click.Option(["--comment"], metavar="CHARACTER",
                 help="Rows that begin with it are left out."),
    click.Option(["--batch", "-batch"], type=_FILE, metavar="FILE",
                 help="Run this script for each item, instead of a command."),
    click.Option(["--substitute"], is_flag=True, hidden=True,
                 help="Put values into the script's text, as the worker framework does."),
    click.Option(["--chdir"], metavar="DIR",
                 help="Run each item there; variables in it make one for each."),
    click.Option(["--prolog", "-prolog"], type=_FILE, metavar="FILE",
                 help="Run this script once, before all items."),
    click.Option(["--epilog", "-epilog"], type=_FILE, metavar="FILE",
                 help="Run this script once, when all items have ended."),
    click.Option(["--enable-prolog"], is_flag=True,
                 help="Run the prolog also where the log says that it has run."),
    click.Option(["--log", "-log"], type=_FILE, metavar="FILE",
                 help="Note there what is done, and go on from what is noted."),
    click.Option(["--retry"], is_flag=True,
                 help="Run also items that have failed in the run that the log tells of."),
    click.Option(["--joblog"], type=_FILE, metavar="FILE",
                 help="A table of the items that have ended, as GNU parallel's."),
    click.Option(["--output-dir"], type=_FILE, metavar="DIR",
                 help="What items print, in files of their own there."),
    click.Option(["--results"], type=_FILE, metavar="FILE",
                 help="What items print, and how they ended, in one file (SQLite)."),
    click.Option(["--retries"], type=click.IntRange(min=0), default=0, metavar="N",
                 help="How often an item that fails is tried again (0)."),
    click.Option(["--item-timeout"], type=float, metavar="SECONDS",
                 help="How long each item may take: it gets SIGTERM then, and SIGKILL."),
    click.Option(["--halt"], metavar="WHEN",
                 help="now or soon, and what for: soon,fail=1; now,success=3; soon,fail=20%."),
    click.Option(["--stop-on-failure"], is_flag=True,
                 help="Begin no item more after a failure: --halt soon,fail=1."),
    click.Option(["--reduce"], type=(str, str), metavar="PATTERN FILE",
                 help="At the end join the files that items have written, in order: 'out-$a' all."),
    click.Option(["--reductor"], metavar="PROGRAM",
                 help="What joins them: PROGRAM FILE ITEMS-FILE adds one; cat otherwise."),
    click.Option(["--dry-run", "-dryrun", "dry_run"], is_flag=True,
                 help="Show the first items as they would run."),
)  # fmt: skip


class _Sweep(click.Command):
    def __init__(self) -> None:
        super().__init__(
            NAME, params=[*PARAMETERS, click.Argument(["words"], nargs=-1)],
            context_settings={
                "allow_interspersed_args": False, "help_option_names": list(HELP),
            },
        )  # fmt: skip


command = _Sweep()


def parsed(words: Sequence[str]) -> SweepOptions:
    """Return what the words behind `sweep` ask for; click.UsageError says what is wrong."""
    ctx = command.make_context(NAME, list(words), resilient_parsing=False)
    found: dict[str, Any] = dict(ctx.params)
    if found.pop("stop_on_failure"):
        if found["halt"] is not None:
            raise click.UsageError("--stop-on-failure is --halt soon,fail=1: which?", ctx)
        found["halt"] = "soon,fail=1"
    known = {field.name for field in fields(SweepOptions)}
    return SweepOptions(**{name: value for name, value in found.items() if name in known})


def answer(words: Sequence[str]) -> Answer | None:
    """Return what to print instead of a sweep with these words: its help, or what is wrong."""
    if words and words[0] in HELP:
        with click.Context(command, info_name=f"myscoop {NAME}") as ctx:
            return Answer(0, command.get_help(ctx) + "\n")
    try:
        parsed(words)
    except click.UsageError as problem:
        return Answer(UNABLE, f"{NAME}: {problem.format_message()}\n")
    return None
