"""The executor of rank 0: callers' words (map, submit, timeout) become jobs of a farm."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency.signal_scopes import uninterrupted
from ..farm.calls import Call, seal
from ..farm.paces import code_of
from ..tasks.executor import Executor, MapOptions
from ..tasks.future import Future
from ..tasks.limit import limited, seconds_of
from ..tasks.outcomes import OutcomeRange, Raised, opened
from ..tasks.pedigree import Program, Strand, program
from ..tasks.unfinished import Unfinished
from ..tasks.wrapped import Retry
from ..wire import failure
from . import watching_asked
from .farm_results import FarmResults

if TYPE_CHECKING:  # workers come by here without a farm
    from ..checkpoint.record import Checkpoint
    from ..farm.constants_backend import FarmConstants
    from ..farm.farm import Farm
    from ..process.job_end import JobEndWatch
    from ..watching.progress.choice import Choice
    from .watching_asked import Asked

T = TypeVar("T")


class FarmExecutor(Executor):
    """Runs calls on the workers of a farm.

    farm: the workers.
    checkpoint: where the outcomes of its maps and calls are kept, and come from.
    show: called where a map asks to be shown (`progress=True`), so that somebody does it.
    """

    def __init__(
        self, farm: Farm, checkpoint: Checkpoint | None = None,
        show: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.farm = farm
        self.checkpoint = checkpoint
        self._show = show
        self.job_end: Callable[[], JobEndWatch] | None = None
        """Returns what knows when the batch job ends, where anybody does."""
        self.progress: Choice | None = None
        """Chooses who is shown how far jobs are, where the command had a say in that."""
        self.tells_what_is_left = False
        """True where the program itself tells what is left of it when it is stopped."""

    @property
    def unfinished(self) -> Unfinished:
        """Executors on this one that have something under way."""
        return self.farm.unfinished

    @property
    def interruption(self) -> BaseException | None:
        """The latest exception that a signal has raised in the program, if one has."""
        return self.farm.interruption

    @property
    def workers(self) -> int:
        """How many processes run tasks."""
        return self.farm.members.started

    any_thread_waits = True

    @property
    def strand(self) -> Strand | Program:
        """The program, which counts its maps and calls."""
        return program

    @cached_property
    def constants_backend(self) -> FarmConstants:
        """The constants of the program, for `shared`."""
        from ..farm.constants_backend import FarmConstants  # late: few programs have constants

        return FarmConstants(self.farm)

    def call(
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_timeout: float | None = None,
        retry: Retry | None = None,
    ) -> Future[T]:
        """Have `fn(*args, **kwargs)` run by a worker, and return its future at once.

        args, kwargs: packed now, as they are.
        task_timeout: seconds that the call may take where it runs; TaskTimeout afterwards.
        retry: how it is tried again where it raises.
        """
        run = limited(fn, task_timeout)
        if retry is not None:
            run = retry.elsewhere(run)
        origin = self.strand.new_call(fn)
        self.farm.wait_for_first_worker()
        future: Future[T] = Future()
        future.driver = self.farm
        record = None
        if self.checkpoint is not None:
            with uninterrupted:
                record = self.checkpoint.call(fn, args, kwargs, origin)
                if record.known is not None:
                    self.farm.recalled_call()
                    return _recalled(future, record.known)
        with uninterrupted:  # what a signal raises is no failure of packing
            try:
                sealed = seal(run, args, kwargs, origin)
                common: tuple[Any, ...] = ()
                if type(sealed) is tuple:
                    sealed, common = self.farm.sealed(sealed)
            except Exception as error:
                future.set_running_or_notify_cancel()
                future.set_exception(failure.call_unpicklable(error, fn))
                return future
        holding_back = self.farm.holding_back
        code = None if holding_back is None else code_of(fn)
        function = None if type(sealed) is list else fn
        limit = seconds_of(run)
        call = Call(future, sealed, record, limit, retry, common, code, function, origin[4])
        self.farm.submit(call)
        return future

    def results(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> FarmResults:
        """Have `fn` run over the iterables, and return the values in lists; the work begins now."""
        held = partial(
            FarmResults, self.farm, deadline=options.deadline(), collect=options.return_exceptions
        )
        run = limited(fn, options.task_timeout)
        origin = self.strand.new_map()
        if options.retry is not None:
            run = options.retry.elsewhere(run)
        self.farm.wait_for_first_worker()
        record = None if self.checkpoint is None else partial(self.checkpoint.map, fn, origin)
        if options.progress and self._show is not None:
            self._show()
        return self.farm.maps.open(
            run, iterables, held, options.ordered, record, origin, options.progress, options.size,
            options.window,
        )  # fmt: skip

    values = results

    def give_up(self, group: int) -> None:
        """Have a group's maps and calls end now; see `Executor.give_up`."""
        from ..tasks.groups import groups  # late: few programs have groups

        self.farm.give_up(groups.all_in(group))

    def wait_for_workers(self) -> None:
        """Return when all workers have joined and imported the program, or the farm has ended."""
        farm = self.farm
        farm.wait_for_first_worker()
        farm.wait_until(lambda: not farm.members.importing or farm.error is not None)

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Drive the farm until `done()`; return False after `timeout` seconds."""
        return self.farm.wait_until(done, timeout)

    def finish(self, maps: bool = True) -> None:
        """Have run what runs although nobody waits for it: the program has ended.

        maps: whether maps and calls count that nobody waits for; executors and pools are finished
            in any case.
        """
        self.farm.finish(maps)

    def checkpointed(
        self, path: str | os.PathLike[str], keep_failures: bool = False
    ) -> CheckpointedExecutor:
        """Return an executor on the same workers that keeps outcomes in a file until its shutdown.

        keep_failures: True to take failures from there as they are, not to try again.
        Raises CheckpointError where the file is something else, or not to be trusted.
        """
        from ..checkpoint.record import opened  # late: few executors have one

        checkpoint = opened(path, self.farm.sharing, "", keep_failures, self.farm.outcomes_kept)
        program.keep_in(checkpoint)
        return CheckpointedExecutor(self.farm, checkpoint, self._show)

    def watched(self, asked: Asked) -> Callable[[], None]:
        """Have readers hear of all that happens on the farm from now on; return what ends them.

        Raises NameProblem, a ValueError, where a file cannot be written.
        """
        return watching_asked.watched(self.farm, asked)


class CheckpointedExecutor(FarmExecutor):
    """Runs calls on the workers of a farm, with a checkpoint that its shutdown closes."""

    def __init__(
        self, farm: Farm, checkpoint: Checkpoint, show: Callable[[], None] | None = None
    ) -> None:  # fmt: skip
        super().__init__(farm, checkpoint, show)
        self._close = checkpoint.close
        atexit.register(self._close, True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the file. wait: False leaves it open until the program's exit, as tasks may run."""
        if wait:
            self._close(ended=True)
            atexit.unregister(self._close)


def _recalled(future: Future[T], saved: OutcomeRange) -> Future[T]:
    """Return the future of a call whose outcome the checkpoint has."""
    future.set_running_or_notify_cancel()
    outcome = opened(saved.outcomes[0], bool(saved.failed), saved.start)
    if isinstance(outcome, Raised):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)
    return future
