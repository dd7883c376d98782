"""`myscoop results FILE`: what the items of a sweep have printed, and how they ended; by click.

What it does is in `sweep.outputs.results`; here are the words, and which errors come without a
traceback.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..sweep.outputs.sink import OutputProblem

if TYPE_CHECKING:
    from ..sweep.outputs.results.reading import Reader

_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is a file of results."""
    from ..sweep.outputs.results.admission import is_results  # late: for this command only

    return any(map(is_results, words))


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("file", metavar="FILE")
@click.argument("items", metavar="[ITEM]...", nargs=-1, type=int)
@click.option("--failed", is_flag=True, help="Only items that have failed.")
@click.option("--csv", "as_csv", is_flag=True, help="All that is known of them, for pandas.")
@click.option("--stdout", "stdout", is_flag=True, help="What they have printed, in their order.")
@click.option("--stderr", "stderr", is_flag=True, help="The same of their stderr.")
def command(
    file: str, items: tuple[int, ...], failed: bool, as_csv: bool, stdout: bool, stderr: bool
) -> None:
    """Show what is in FILE, which myscoop sweep --results FILE has written, also while it runs.

    \b
    myscoop results run.db               a table: how each item ended, its columns, its first line
    myscoop results run.db 17            what item 17 has printed: stdout and stderr, byte for byte
    myscoop results run.db --failed      only what has failed
    myscoop results run.db --csv         everything, as CSV
    myscoop results run.db --stdout      what all have printed, one after the other

    Items have the numbers of their rows. FILE is SQLite, other programs find all in `sweep`:
    SELECT * FROM sweep.
    """
    if as_csv + stdout + stderr > 1:
        raise click.UsageError("--csv, --stdout or --stderr: which?")
    if items and (as_csv or failed):
        raise click.UsageError("items by their numbers, or all with --csv or --failed: which?")
    from ..sweep.outputs.results import shown  # late: as the database is
    from ..sweep.outputs.results.reading import ERR, OUT, Reader

    streams = [ERR] if stderr else [OUT] if stdout else [OUT, ERR]
    try:
        with Reader(file) as reader:
            if items:
                _of_items(reader, file, items, streams)
            elif stdout or stderr:
                shown.write_outputs(reader, failed, streams[0], sys.stdout.buffer)
            else:
                _all(reader, failed, as_csv)
    except OutputProblem as problem:
        raise click.ClickException(str(problem)) from None


def _of_items(reader: Reader, file: str, items: Sequence[int], streams: Sequence[int]) -> None:
    """Print their outputs; stderr to stderr, unless that alone is asked for."""
    from ..sweep.outputs.results import shown

    for number in items:
        if reader.row(number) is None:
            problem = f"no item {number} has ended; myscoop results {file} shows which have"
            raise OutputProblem(f"results {file}: {problem}")
    for number in items:
        for stream in streams:
            to = sys.stderr if stream != streams[0] else sys.stdout
            shown.write_output(reader, number, stream, to.buffer)


def _all(reader: Reader, failed: bool, as_csv: bool) -> None:
    from ..sweep.outputs.results import shown

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not have all letters
    if as_csv:
        shown.write_csv(reader, failed, sys.stdout)
        return
    for line in shown.table(reader, failed):
        click.echo(line)
