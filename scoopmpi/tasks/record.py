"""What jobs tell of their tasks, and are told, where outcomes are kept for another run.

Two doors of a job, one for each kind of it; whoever keeps outcomes has the classes (`checkpoint`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .outcomes import OutcomeRange


class MapRecord(Protocol):
    """What is kept of one map. Called by one thread at a time."""

    def next_known(self, task: int) -> range | None:
        """Return the first tasks from `task` on whose outcomes were kept as one part, if any."""

    def recalled(self, columns: Sequence[Sequence[Any]] | None) -> OutcomeRange | None:
        """Return what was kept of the tasks of `next_known`; None where their arguments differ.

        columns: the arguments that they have now, a column for each parameter; None where there
            are not so many tasks any more.
        """

    def sent(self, start: int, columns: Sequence[Sequence[Any]]) -> None:
        """Look at arguments that are handed out, as tasks may change them.

        start: the index of the first task.
        """

    def came(self, part: OutcomeRange, columns: Sequence[Sequence[Any]]) -> None:
        """Keep outcomes that have come, of tasks with these arguments."""


class CallRecord(Protocol):
    """What is kept of one submitted call."""

    def came(self, plain: bool, outcome: Any, failed: bool) -> None:
        """Keep the outcome that has come.

        outcome: the value itself where plain is True, else its frame.
        failed: True where the frame is that of an exception.
        """
