"""`myscoop trace FILE`: what is in a trace, and the same as another file; by click.

What it does is in `watching.trace`; here are the words, and which errors come without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..watching.trace.reading import is_trace

_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is a trace."""
    return any(map(is_trace, words))


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", metavar="OUT.json[.gz]",
    help="Write it whole, where a job was killed; compressed, where it ends in .gz.",
)  # fmt: skip
@click.option("--csv", "table", metavar="OUT.csv", help="Write a table with a row for each span.")
def command(file: str, output: str | None, table: str | None) -> None:
    """Say what is in FILE, which myscoop --trace FILE has written, or write it as another file.

    \b
    myscoop trace run.json                   what is in it, also while the job runs
    myscoop trace run.json -o whole.json     what a killed job has left, closed
    myscoop trace run.json -o run.json.gz    smaller; ui.perfetto.dev opens it as well
    myscoop trace run.json --csv run.csv     for a spreadsheet or pandas

    FILE itself is never changed, unless -o names it.
    """
    from ..watching.trace import converting, summary  # late: for this command only
    from ..watching.trace.reading import Trace

    try:
        trace = Trace(file)
        if output is not None:
            click.echo(f"{converting.closed(trace, output)} events written to {output}")
        if table is not None:
            click.echo(f"{converting.table(trace, table)} spans written to {table}")
        if output is None and table is None:
            click.echo(summary.described(trace))
    except OSError as problem:
        raise click.ClickException(_said(file, problem)) from None
    except ValueError as problem:
        raise click.ClickException(str(problem)) from None


def _said(file: str, problem: OSError) -> str:
    return f"{file}: {problem.strerror}" if problem.filename == file else str(problem)
