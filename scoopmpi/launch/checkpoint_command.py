"""`myscoop checkpoint …`: what is in a checkpoint is shown, dropped, or exported; by click.

What each does is in `checkpoint`; here are the words, and which errors come without a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from ..checkpoint.file_checks import CheckpointError

_COMMANDS = ("show", "drop", "export")
_HELP = ("--help", "-h")
_FILE = click.argument("file", metavar="FILE")


def takes(words: Sequence[str]) -> bool:
    """True where words are such as no program of that name is given, as far as one can tell."""
    return bool(words) and words[0] in _COMMANDS


@click.group(context_settings={"help_option_names": list(_HELP)})
def commands() -> None:
    """Look into a checkpoint, take results out of it, or write them for other programs.

    A checkpoint is the file that myscoop --checkpoint FILE has made.
    """


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose errors are lines for the user."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (CheckpointError, ValueError, OSError) as problem:
            raise click.ClickException(str(problem)) from None

    return run


@commands.command()
@_FILE
@click.option("--failed", is_flag=True, help="The tasks that failed, with arguments and errors.")
@click.option(
    "--values", type=click.IntRange(min=0), default=0, metavar="N",
    help="The first N tasks of each map, with arguments and values.",
)  # fmt: skip
@told
def show(file: str, failed: bool, values: int) -> None:
    """Show which maps and calls are in FILE, also while a job writes it.

    Maps have their number in the program, from 1 on; `340 of 500` are done where their number is
    known. What an earlier version of a function has computed is shown as such: it is used again
    where the program goes back to that version.
    """
    from ..checkpoint import show as showing  # late: as the database is

    click.echo(showing.described(file, showing.Wanted(failed, values)))


@commands.command()
@_FILE
@click.argument("tasks", nargs=-1, metavar="[MAP[:TASKS]]...")
@click.option("--failed", is_flag=True, help="Only tasks that failed.")
@click.option("--earlier", is_flag=True, help="Only what earlier versions of functions computed.")
@told
def drop(file: str, tasks: tuple[str, ...], failed: bool, earlier: bool) -> None:
    """Take results out of FILE, so that the next run computes them again: of all versions of a map.

    \b
    myscoop checkpoint drop run.ckpt 3             all of map 3
    myscoop checkpoint drop run.ckpt 3:10-20,25    some of its tasks
    myscoop checkpoint drop run.ckpt calls:7       a submitted call
    myscoop checkpoint drop run.ckpt --failed      all that failed
    myscoop checkpoint drop run.ckpt --earlier     all of earlier versions
    """
    from ..checkpoint import drop as dropping
    from ..checkpoint.selection import chosen

    if not tasks and not failed and not earlier:
        raise click.UsageError("what? For example: myscoop checkpoint drop FILE 3:10-20,25")
    found = dropping.drop(file, [chosen(word) for word in tasks], failed, earlier)
    results = "1 result" if found == 1 else f"{found} results"
    click.echo(f"{results} dropped")


@commands.command()
@_FILE
@click.argument("target", metavar="OUT.csv|OUT.npz|OUT.pkl")
@click.option("--earlier", is_flag=True, help="What earlier versions of functions computed, too.")
@told
def export(file: str, target: str, earlier: bool) -> None:
    """Write the results in FILE into a file for other programs.

    \b
    .csv  a line for each task: map, function, task, arguments, outcome, value
    .npz  for numpy.load: an array of the values of each map (map_1), and one of the
          numbers of its tasks (map_1_tasks), where values are numbers
    .pkl  for pickle.load: a dictionary of the maps, each a list of its tasks
    """
    from ..checkpoint import export as exporting

    found = exporting.export(file, target, earlier)
    click.echo(f"{found.tasks} results written to {target}")
    if found.left_out:
        names = ", ".join(found.left_out)
        click.echo(f"left out, as their values are no numbers or of several shapes: {names}")
