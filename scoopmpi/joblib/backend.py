"""The backend that joblib's Parallel asks: calls in, their outcomes out.

joblib makes one for each block of `parallel_config`, and any number of `Parallel` share it; each of
these gets one of its own here, which knows the calls of that one alone. In a task it says that it
is nested, and its calls become tasks of the task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import partial
from typing import Any

from joblib.parallel import FallbackToBackend, ParallelBackendBase

from ..tasks.current_executor import usable
from ..tasks.executor import Executor
from ..tasks.future import Future
from ..tasks.initializer import Initializer
from ..tasks.limit import NO_LIMIT
from ..tasks.unchanged import unchanged
from .batch import Batch, Call, Ran, Setting
from .calls_at_work import CallsAtWork, Start, Told
from .pace import Pace
from .retrieval import work_while_waiting

LOOKED_AT = 32
"""Calls in a batch from which on nobody looks for large `bytes` in them: such a call is too short
to have any."""


class FarmBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs the calls of a `Parallel` as tasks of the farm.

        with parallel_config(backend="scoopmpi"):
            values = Parallel()(delayed(function)(x) for x in arguments)

    nesting_level: joblib's own: how many `Parallel` are around this one.
    inner_max_num_threads: threads that BLAS and such may use in a call.
    initializer, initargs: a function and its arguments, which each worker calls once before.

    Raises TypeError for any other parameter.
    """

    name = "scoopmpi"
    """By which joblib is asked for it."""
    supports_inner_max_num_threads = True
    supports_retrieve_callback = True
    supports_return_generator = True
    supports_timeout = True
    supports_sharedmem = False
    uses_threads = False
    default_n_jobs = -1

    def __init__(
        self,
        nesting_level: int | None = None,
        inner_max_num_threads: int | None = None,
        initializer: Callable[..., object] | Initializer | None = None,
        initargs: Iterable[Any] = (),
        **others: Any,
    ) -> None:
        if others:
            raise TypeError(
                f"the backend scoopmpi has no parameter {sorted(others)[0]!r}: it takes "
                "inner_max_num_threads, initializer and initargs. Large arrays are sent once to "
                "each host by themselves."
            )
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self._initializer = _once(initializer, initargs)
        self._parallel: Any = None
        self._calls: CallsAtWork | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return FarmBackend, (self.nesting_level, self.inner_max_num_threads, self._initializer)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many calls run at a time: all workers, or fewer where `n_jobs` says so.

        n_jobs: None for all workers, and -1; -2 for all but one, and so on.
        Raises ValueError for 0.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        workers = usable().workers
        if n_jobs is None:
            return max(workers, 1)
        return max(1, workers + 1 + n_jobs if n_jobs < 0 else min(n_jobs, workers))

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        **of_processes: Any,
    ) -> int:
        """Begin to be the backend of a `Parallel`, and return how many calls run at a time.

        initializer, initargs: those that this one was told of in their place.
        of_processes: how other backends start processes and share arrays with them.
        Raises FallbackToBackend with one for it alone, where this one is of several.
        """
        if parallel is not self._parallel or parallel is None:
            own = copy(self)
            own._parallel = parallel
            raise FallbackToBackend(own)
        self._initializer = _once(initializer, initargs) or self._initializer
        self.parallel = parallel
        at_a_time = self.effective_n_jobs(n_jobs)
        self._executor: Executor = usable()
        self._limit = at_a_time if at_a_time < self._executor.workers else None
        self._pace = Pace(at_a_time)
        self._setting = Setting(
            self.get_nested_backend()[0], self._limit is None, self._initializer, self._pace.late
        )
        self._at_a_time = at_a_time
        self._asked = (0.0, 1)
        self._span: object | None = None
        self._calls = CallsAtWork(self._executor, self._limit)
        return at_a_time

    def get_nested_backend(self) -> tuple[FarmBackend, None]:
        """Return what a `Parallel` in a call takes: the farm, by the worker that runs it."""
        level = (self.nesting_level or 0) + 1
        return FarmBackend(level, self.inner_max_num_threads, self._initializer), None

    # One call of a Parallel.

    def start_call(self) -> None:
        """Begin a call of the `Parallel`."""
        if self._calls is None:
            self._calls = CallsAtWork(self._executor, self._limit)
        # The program goes on while it reads a generator, and may change an array between values.
        self._span = None if self.parallel.return_generator else object()
        work_while_waiting(self.parallel, self._calls)

    def compute_batch_size(self) -> int:
        """Return how many calls the next batch should have."""
        size = self._pace.size
        self._asked = time.monotonic(), size * self._at_a_time
        return size

    def submit(self, func: Any, callback: Told | None = None) -> None:
        """Have a batch run, and tell joblib when it has."""
        asked, read = self._asked
        self._pace.read(read, time.monotonic() - asked)
        if self._calls is None:
            self.start_call()
        assert self._calls is not None
        calls = func.items if len(func.items) > LOOKED_AT else tuple(func.items)
        self._calls.add(self._start_of(Batch(calls[0][0], self._setting), calls), callback)

    def _start_of(self, batch: Batch, calls: Sequence[Call]) -> Start:
        if self._executor.fork is not None:
            # As with the threads that joblib itself takes for nested calls nothing is copied here.
            return partial(self._executor.fork, batch, calls)
        return partial(self._call, self._span, batch, calls)

    def _call(self, span: object | None, batch: Batch, calls: Sequence[Call]) -> Future[Any]:
        with unchanged(span):
            return self._executor.call(batch, (calls,), {}, NO_LIMIT)

    apply_async = submit

    def retrieve_result_callback(self, out: Future[Any]) -> list[Any]:
        """Return what the calls of a batch have returned; raises what one has raised."""
        ran: Ran = out.result()
        self._pace.ran(len(ran.values), ran.seconds)
        return ran.values

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Give up all calls of the `Parallel`: nobody waits for them any more."""
        if self._calls is not None:
            self._calls.give_up()
        self._calls = CallsAtWork(self._executor, self._limit) if ensure_ready else None

    def terminate(self) -> None:
        """End being the backend of the `Parallel`, until it is configured again."""
        self._calls = None

    @property
    def _workers(self) -> CallsAtWork | None:
        """What is at work: joblib's own backends have a pool by this name, and tests that ask."""
        return self._calls


def _once(initializer: Callable[..., object] | Initializer | None, args: Any) -> Initializer | None:
    """Return a function as one that each process calls once."""
    if initializer is None or isinstance(initializer, Initializer):
        return initializer
    return Initializer(initializer, args)
