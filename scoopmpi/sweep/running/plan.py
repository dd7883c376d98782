"""What all items of a sweep have in common where they run: it goes to each worker once."""

from __future__ import annotations

from typing import NamedTuple

from ..command.command import Command


class Plan(NamedTuple):
    """How items run.

    columns: the names of their values. variables: others that all items find, with their values.
    chdir: the directory in which each runs, a pattern with variables; made where it is not there.
    timeout: seconds that each may take. ends: when all have to have ended, as the batch job does
        soon, in seconds since 1970; each that still runs then is told before.
    merged: stderr goes where stdout does, in the order in which it was written.
    output_dir: where a file for each item is written; None: the output is answered.
    workers: how many there are.
    """

    command: Command
    columns: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    chdir: str | None = None
    timeout: float | None = None
    ends: float | None = None
    merged: bool = False
    output_dir: str | None = None
    workers: int = 1
