"""`myscoop report TRACE.json`: the report of a run, made of its trace; by click.

What it does is in `watching.report`; here are the words, and which errors come without a traceback.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from ..watching.trace.reading import is_trace

_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is a trace."""
    return any(map(is_trace, words))


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("trace", metavar="TRACE.json")
@click.option(
    "-o", "--output", metavar="FILE.html", help="The report; without it TRACE.html beside it."
)
def command(trace: str, output: str | None) -> None:
    """Make a report out of a trace: an HTML file that opens without network.

    TRACE.json is a file that myscoop --trace TRACE.json has written, also one whose job was killed,
    or still runs.

    \b
    myscoop report run.json                 writes run.html
    myscoop report run.json -o run7.html
    """
    from ..watching.report.making import make  # late: for this command only

    target = output or _beside(trace)
    try:
        make(trace, target)
    except OSError as problem:
        raise click.ClickException(f"{problem.filename or target}: {problem.strerror}") from None
    except ValueError as problem:
        raise click.ClickException(str(problem)) from None
    if os.path.isfile(target):
        click.echo(f"report written to {target}")


def _beside(trace: str) -> str:
    name = trace.removesuffix(".gz")
    return (name.removesuffix(".json") or name) + ".html"
