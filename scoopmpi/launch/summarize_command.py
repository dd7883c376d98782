"""`myscoop summarize LOG`: how a sweep stands, by its log or one of the worker framework; by click.

What the log says and how it reads is in `sweep.log`; here are the words, the terminal, and the look
whether rank 0 is still there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..program.scoop_options import UNABLE

if TYPE_CHECKING:
    from ..sweep.log.history import History

_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is the log of a sweep."""
    return any(map(_is_ours, words))


def _is_ours(path: str) -> bool:
    from ..sweep.log import reading  # late: for this command only, as below

    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            begin = file.read(reading.LOOKED_AT)
        reading.check(path, begin)
    except (OSError, ValueError):
        return False
    return bool(begin)


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("log", metavar="LOG")
@click.option("--failed", is_flag=True, help="The numbers of items that have failed, one a line.")
@click.option("--json", "as_json", is_flag=True, help="What the log says, for programs.")
def command(log: str, failed: bool, as_json: bool) -> int:
    """Show how a sweep stands, by its log; also while it runs, from any host that sees LOG.

    What is done, has failed and is left; pace and expected end; how long items
    take, which of them run, and the slowest; what each worker has done.

    LOG is what myscoop sweep --log LOG has written, or a log of the worker framework.

    \b
    myscoop summarize run.log
    watch -n 60 myscoop summarize run.log
    myscoop summarize --failed run.log | while read number; do …

    The exit status is 0, or 2 where LOG cannot be shown.
    """
    from ..sweep.log import history, summary

    try:
        told = history.read(log)
    except OSError as problem:
        return _unable(f"{log}: {problem.strerror}")
    except ValueError as problem:
        return _unable(str(problem))
    if failed:
        text = "".join(f"{number}\n" for number in summary.failed(told).tolist())
        click.echo(text, nl=False)
    elif as_json:
        import json

        click.echo(json.dumps(summary.plain(summary.summary(told))))
    else:
        click.echo("\n".join(_lines(log, told)))
    return 0


def _unable(text: str) -> int:
    click.echo(f"Error: {text}", err=True)
    return UNABLE


def _lines(log: str, told: History) -> list[str]:
    from ..sweep.log import about, shown, summary
    from .coloured_lines import coloured

    lives = about.lives(told.runs[-1]) if told.runs else None
    found = summary.summary(told)
    return coloured(shown.lines(os.path.basename(log), told, found, time.time(), lives))
