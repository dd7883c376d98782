"""`myscoop results FILE`: what the items of a sweep have printed, and how they ended; by click.

What it does is in `sweep.outputs.results`; here are the words, and which errors come without a
traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from ..sweep.outputs.results.admission import is_results
from ..sweep.outputs.results.reading import ERR, OUT, Reader
from ..sweep.outputs.sink import OutputProblem

_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is a file of results."""
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
    try:
        with Reader(file) as reader:
            if items:
                _known(reader, file, items)
            numbers = items or (row.number for row in reader.rows(failed))
            if stdout or stderr:
                _outputs(reader, numbers, ERR if stderr else OUT)
            elif items:
                _whole(reader, items)
            else:
                _all(reader, failed, as_csv)
    except OutputProblem as problem:
        raise click.ClickException(str(problem)) from None


def _known(reader: Reader, file: str, items: Sequence[int]) -> None:
    for number in items:
        if reader.row(number) is None:
            problem = f"no item {number} has ended; myscoop results {file} shows which have"
            raise OutputProblem(f"results {file}: {problem}")


def _outputs(reader: Reader, numbers: Sequence[int] | Iterator[int], stream: int) -> None:
    from ..sweep.outputs.results import shown  # late: for this command only

    if isinstance(numbers, tuple) and len(numbers) == 1:
        shown.write_exactly(reader, numbers[0], stream, sys.stdout.buffer)
        return
    for number in numbers:
        shown.write_output(reader, number, stream, sys.stdout.buffer)


def _whole(reader: Reader, items: Sequence[int]) -> None:
    from ..sweep.outputs.results import shown

    write = shown.write_exactly if len(items) == 1 else shown.write_output
    for number in items:
        write(reader, number, OUT, sys.stdout.buffer)
        write(reader, number, ERR, sys.stderr.buffer)


def _all(reader: Reader, failed: bool, as_csv: bool) -> None:
    from ..sweep.outputs.results import shown

    if as_csv:
        shown.write_csv(reader, failed, sys.stdout)
        return
    for line in shown.table(reader, failed):
        click.echo(line)
