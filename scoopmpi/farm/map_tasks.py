"""The tasks of a map as a worker gets them: the arguments of a batch, packed.

The second step of a map's way out. Packing runs the user's code (`__reduce__`), so the farm's lock
is not held meanwhile. Nothing here knows outcomes, workers or messages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..constants.sharing import FarmSharing
from ..tasks.arguments import Source
from ..tasks.packed import Function, Tasks, pack_arguments
from ..tasks.wrapped import Retry
from ..wire import errors, lent, payload
from ..wire.payload import Frame
from .ahead import Ahead

if TYPE_CHECKING:  # workers come by here without a checkpoint
    from ..tasks.record import MapRecord
    from .recurring import Recurring


class MapTasks:
    """The tasks of one map.

    function: what they call. source: their arguments. guard: held while they are looked at.
    ahead: learns what they weigh. record: of the map in a checkpoint.
    sharing: lends what many tasks have in common.
    """

    def __init__(
        self,
        function: Function,
        source: Source,
        guard: threading.RLock,
        ahead: Ahead,
        record: MapRecord | None,
        sharing: FarmSharing,
    ) -> None:
        self._function = function
        self._source, self._guard, self._ahead = source, guard, ahead
        self._record, self._sharing = record, sharing
        self._recurring: Recurring | None = None
        self._large_bytes = False
        """True from when there may be large bytes among them: a frame for each task, then."""

    def limit(self, task: int) -> float | None:
        """Return the seconds that a task may take, None where there is no limit."""
        return self._function.limit

    def retry(self, task: int) -> Retry | None:
        """Return how a task that raises is tried again, None where it is not."""
        return self._function.retry

    def words(self, task: int) -> str:
        """Return a task's function, index and arguments in the words of messages."""
        from ..wire import shown  # late: nothing may fail

        with self._guard:
            row = [column[0] for column in self._source.columns(task, task + 1)]
        return errors.words(shown.called(self._function.target, row), task)

    def packed(self, start: int, stop: int) -> Tasks:
        """Return the tasks `start` to `stop - 1`: one frame for all where they are plain."""
        with self._guard:
            columns = self._source.columns(start, stop)
        beside = self._large_bytes and self._packs_beside(columns)
        frame = None if beside else payload.pack_columns(columns)
        if not (frame is None or type(frame) is bytes or payload.size(frame) < lent.LARGE_BYTES):
            beside = self._large_bytes = self._packs_beside(columns)
        if frame is not None and not beside:
            self._weigh((frame,), stop - start)
            return Tasks(True, frame)
        rows = zip(*columns, strict=True)
        frames = self._packed(start, map(lent.beside, rows) if beside else rows)
        self._large_bytes = self._large_bytes or lent.swollen(frames)
        if self._record is not None and not beside:
            with self._guard:
                self._record.sent(start, columns, frames)
        sent, numbers = self._lent(frames, stop, beside)
        self._weigh(sent, stop - start)
        return Tasks(False, sent, numbers)

    def _weigh(self, frames: Sequence[Frame], tasks: int) -> None:
        with self._guard:
            self._ahead.weigh(frames, tasks)

    def _packed(self, start: int, rows: Iterable[Any]) -> tuple[Frame, ...]:
        name = self._function.name
        return tuple(pack_arguments(name, index, row) for index, row in enumerate(rows, start))

    def _packs_beside(self, columns: Sequence[Sequence[Any]]) -> bool:
        """True where bytes among the arguments travel beside their pickles.

        Not those of which a checkpoint keeps the frames: others than us read these.
        """
        if not any(map(lent.has_large_bytes, columns)):
            return False
        return self._record is None or payload.plain_columns(columns)

    def closed(self) -> None:
        """Have all that was lent be forgotten: no task is packed any more."""
        if self._recurring is not None:
            self._recurring.closed()
        if self._function.lent:
            self._sharing.retire(self._function.lent)

    def _lent(
        self, frames: Sequence[Frame], stop: int, beside: bool
    ) -> tuple[Sequence[Frame], tuple[int, ...]]:
        """Return frames as they are sent: what many tasks have in common is lent to them."""
        large = lent.large_parts(frames)
        if not large:
            return frames, ()
        with self._guard:  # the caller and the progress thread may pack at a time
            if self._recurring is None:
                from .recurring import Recurring  # late: most maps have nothing large

                self._recurring = Recurring(self._sharing.lending)
            recurring = self._recurring
        if len(frames) == 1 and not recurring.begun:
            both = (*frames, *self._next(stop, beside))
            sent, numbers = recurring.lent(both, lent.large_parts(both), 1)
            return sent[:1], numbers
        return recurring.lent(frames, large, len(frames))

    def _next(self, task: int, beside: bool) -> tuple[Frame, ...]:
        """Return the frame of a task that is not to be sent yet, none where it is not known.

        For what the first task has in common with it: that would go with the first else, and once
        more for all others; between hosts that is twice.
        """
        with self._guard:
            columns = self._source.columns(task, task + 1)
        rows = zip(*columns, strict=False)
        return self._packed(task, map(lent.beside, rows) if beside else rows)
