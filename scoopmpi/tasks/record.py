"""What jobs tell of their tasks, and are told, where outcomes are kept for another run.

Two doors of a job, one for each kind of it; whoever keeps outcomes has the classes (`checkpoint`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..wire.payload import Frame
from .outcomes import OutcomeRange


class MapRecord(Protocol):
    """What is kept of one map. Called by one thread at a time."""

    def begins(self, tasks: int | None) -> None:
        """Hear how many tasks the map has; None where nobody knows yet. Called first."""

    def reach(self, start: int, stop: int) -> int:
        """Return up to which task arguments are wanted to say what is known of `start` to `stop`.

        What was kept as one part is compared as a whole, which may end behind `stop`.
        """

    def known(
        self, start: int, stop: int, columns: Sequence[Sequence[Any]]
    ) -> tuple[Sequence[OutcomeRange], int]:
        """Return what is known of the tasks `start` to `stop - 1`, and at once behind, in order;
        and before which task it was looked, `stop` or earlier, where that is much already.

        columns: their arguments, a column for each parameter, from `start` on as far as `reach`
            has said, or to the end of the map.
        """

    def sent(self, start: int, columns: Sequence[Sequence[Any]], frames: Sequence[Frame]) -> None:
        """Look at arguments that are handed out and may change, as they are now.

        start: the index of the first task. frames: the arguments packed, one for each task.
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

    def came_together(self, ended: Sequence[tuple[Any, Any]]) -> None:
        """Keep values that have come in one message, numbers and strings, of several calls.

        ended: records of one checkpoint, of which this is the first, and the values.
        """
