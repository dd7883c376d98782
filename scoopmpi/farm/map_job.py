"""One map on rank 0: its way out and its way back, joined, and what its consumer asks of it.

Out go `map_window` (which tasks next) and `map_tasks` (packed), back come `map_outcomes`. A map
keeps a window of tasks, not a list, and knows nothing of workers, batches under way or MPI.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..constants.sharing import FarmSharing
from ..tasks.arguments import Source
from ..tasks.outcomes import OutcomeRange
from ..tasks.packed import Function
from ..tasks.reorder import ReorderBuffer
from ..tasks.wrapped import Retry
from ..wire.messages import Origin
from .ahead import Ahead
from .map_outcomes import MapOutcomes
from .map_tasks import MapTasks
from .map_window import MapWindow

if TYPE_CHECKING:
    from ..tasks.record import MapRecord
    from ..tasks.unfinished import Unheard


class MapJob:
    """A function over columns of arguments.

    number: of the job on its farm. function: what each task calls, packed.
    iterables: the columns. ahead: how far it may run ahead of its consumer.
    ordered: whether the consumer wants the outcomes in the order of the tasks or as they come.
    record: of the map in a checkpoint. sharing: lends what its tasks have in common.
    go_on: called with this map when tasks are left to hand out, or outcomes to throw away.
    origin: who has made it, for its tasks to know. progress: what readers of events hear of a bar.
    size: how many tasks there will be, where only reading the columns shows it.
    """

    kind = "map"
    packing_runs_code = delivery_runs_code = True
    first = 0

    def __init__(
        self,
        number: int,
        function: Function,
        iterables: Sequence[Iterable[Any]],
        ahead: Ahead,
        ordered: bool,
        record: MapRecord | None,
        sharing: FarmSharing,
        go_on: Callable[[MapJob], None],
        origin: Origin | None = None,
        progress: bool | str | None = None,
        size: int | None = None,
    ) -> None:
        guard = threading.RLock()  # the caller and the progress thread may act at a time
        source = Source(iterables)
        waiting: ReorderBuffer[OutcomeRange] = ReorderBuffer(ordered)
        if record is not None:
            record.begins(source.size)
        outcomes = MapOutcomes(waiting, source, guard, ahead, record, partial(go_on, self))
        tasks = MapTasks(function, source, guard, ahead, record, sharing)
        window = MapWindow(source, guard, ahead, waiting, record, outcomes.add)
        self.number = number
        self.function: Function | None = function
        self.name = function.name
        self.origin, self.progress = origin, progress
        self.context = contextvars.copy_context()
        """In which the user's iterators run, whoever runs them."""
        self.asked = False
        """True where somebody has asked for a value."""
        self.releasing = threading.Lock()
        """Held by who hands out further tasks."""
        self.to_release = False
        """True where somebody is to look whether there are further tasks to hand out."""
        # The farm speaks to each way itself.
        self.next_spans = window.next_spans
        self.limit = tasks.limit
        self.packed, self.words = tasks.packed, tasks.words
        self.delivered, self.failed = outcomes.delivered, outcomes.failed
        self.watch = outcomes.watch
        self.take = outcomes.take
        """Give the consumer the next outcomes, None where they have not arrived."""
        self._source, self._ahead, self._size = source, ahead, size
        self._runs_out = self._held = False
        self._waiting, self._outcomes, self._tasks = waiting, outcomes, tasks

    def closed(self) -> None:
        """Let go of the way back to the farm: no circle shall keep the arguments in memory."""
        self._outcomes.closed()
        self._tasks.closed()

    # The consumer's side.

    def ask(self) -> None:
        """Note that somebody has asked for a value."""
        self.asked = True

    @property
    def ready(self) -> bool:
        """True where `take` has something, or nothing will ever come."""
        return self._waiting.ready or self._outcomes.error is not None

    @property
    def error(self) -> BaseException | None:
        """Return why no outcome comes any more, None as long as they do."""
        return self._outcomes.error

    @property
    def over(self) -> bool:
        """True where all outcomes have been taken, by the consumer or by who keeps them for him."""
        source = self._source
        return source.size is not None and self._waiting.taken >= source.size

    @property
    def exhausted(self) -> bool:
        """True where the consumer has everything; raises what the user's own iterator raised."""
        over = self.over
        if over and self._source.error is not None:
            raise self._source.error
        return over

    @property
    def more(self) -> bool:
        """True where tasks may be left that were not handed out, or are held back."""
        source, ahead = self._source, self._ahead
        some = ahead.narrow or source.size is None or ahead.released < source.size
        return some and not self._runs_out

    @property
    def narrow(self) -> bool:
        """True where tasks that were handed out may have to be held back."""
        return self._ahead.narrow or self._runs_out or self._held

    def gate(self) -> int | None:
        """Return from which task on those are held back, None where none is.

        With the farm's lock: what a consumer has taken meanwhile, he tells when he has that.
        """
        if self._runs_out or self._held:
            return 0
        waiting = self._waiting
        return self._ahead.gate(waiting.taken, waiting.ready, waiting.touched)

    def retry(self, task: int) -> Retry | None:
        """Return how a task that raises is tried again, None where it is not."""
        return None if self._runs_out else self._tasks.retry(task)

    def run_out(self) -> None:
        """Have no task begin any more, but those that workers have; these are not tried again."""
        self._runs_out = True

    def hold(self, held: bool) -> None:
        """Have no task begin until the consumer has decided what follows from what has come."""
        self._held = held

    @property
    def runs_out(self) -> bool:
        """True where no task begins any more."""
        return self._runs_out

    @property
    def outcomes(self) -> int:
        """Return how many tasks have their outcome here, or had it."""
        return self._outcomes.count

    @property
    def light(self) -> bool:
        """True where no outcome has weighed more than a number or two."""
        return self._outcomes.light

    @property
    def unheard(self) -> Unheard | None:
        """Return what tasks have raised of which the values were thrown away."""
        return self._outcomes.unheard

    @property
    def size(self) -> int | None:
        """Return how many tasks there are, as far as that is known."""
        return self._size if self._source.size is None else self._source.size

    @property
    def taken(self) -> int:
        """Return how many outcomes have been taken, or thrown away."""
        return self._waiting.taken

    # Maps that nobody reads, and the end of the program.

    @property
    def left(self) -> bool:
        """True where nobody takes the values, but the tasks shall run."""
        return self._outcomes.left

    def leave(self) -> None:
        """Let the tasks run for nobody: of endless iterables those that were read."""
        self._outcomes.leave()
        if self.endless:
            self.read_no_further()

    def cut(self) -> None:
        """End the map with the program: who still takes values of what is read no further is to
        hear of it."""
        if self._source.size is None:
            self._outcomes.leave()
            self.read_no_further()

    def discard(self) -> bool:
        """Throw away what has come of a map that was left; True where that was all."""
        self._outcomes.discard()
        return self.over

    def read_no_further(self) -> None:
        """End the iterators behind those tasks that were read from them."""
        if self.endless or self._source.size is None:
            self._source.end_at(self.read)

    def reading_failed(self, error: BaseException) -> None:
        """End the iterators where reading them has raised what is no Exception."""
        self._source.fail(error)

    @property
    def streamed(self) -> bool:
        """True where the arguments come from the user's iterators."""
        return self._source.streamed

    @property
    def endless(self) -> bool:
        """True where its iterables are known to have no end."""
        return self._source.endless

    @property
    def read(self) -> int:
        """Return how many tasks are known."""
        return self._source.read if self.streamed else self._ahead.released

    @property
    def problem(self) -> BaseException | None:
        """Return what the user's iterators have raised, in a thread of ours or in their own."""
        return self._source.error or self._source.elsewhere

    @property
    def stuck(self) -> bool:
        """True where its iterators may only work in the thread that has made them."""
        return self._source.size is None and self._source.elsewhere is not None
