"""Rank 0 tells of options of ours that its program was given and does not read.

What the words are, and what is said, is in `program.words_behind`; here they are looked at when the
first task is handed out, so that nobody hears it at the end of a long job, and when all is over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..program.scoop_options import Options
from ..watching.observer import Observer


class UnreadWords(Observer):
    """Looks at the words behind a program; without an option of ours among them it does nothing.

    arguments: the words. options: ours.
    """

    def __init__(self, arguments: Sequence[str], options: Options) -> None:
        self._behind: Any = None
        if not options.quiet and any(word.startswith("-") for word in arguments):
            from ..program import words_behind  # late: not all programs have options

            self._behind = words_behind.watched(arguments, _tell)

    @property
    def reader(self) -> Observer | None:
        """Return this, where it has to hear of the first task; else None."""
        return None if self._behind is None else self

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        """Take the first task as the end of reading words."""
        self._behind.task_made()

    def around(self, run: Callable[[], None]) -> Callable[[], None]:
        """Return what runs the program, and looks at how it leaves."""
        return run if self._behind is None else partial(self._noting, run)

    def _noting(self, run: Callable[[], None]) -> None:
        try:
            run()
        except SystemExit as leaving:
            self._behind.program_left(leaving)
            raise

    def program_ended(self, status: int) -> None:
        """Hear how the program has ended."""
        if self._behind is not None:
            self._behind.program_ended(status)


def _tell(text: str) -> None:
    print(f"scoopmpi: {text}", file=sys.stderr, flush=True)
