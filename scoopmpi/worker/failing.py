"""What is said of tasks and batches that fail. Loaded where one does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any

from ..process import identity
from ..wire import errors, failure, payload, shown
from ..wire.messages import Finished, Run
from ..wire.payload import Frame
from .nested.depth_first import GIVEN_UP
from .nested.fibers import Ended

_WITHOUT_TERMINAL = ("NoTerminal", "BdbQuit", "EOFError")
"""Names of what debuggers and input() raise in a task, which has no terminal."""
KERNEL = os.path.join("scoopmpi", "programs", "kernel.py")
"""The end of the file of a notebook's program, of which users know the cells alone."""


class WrittenCalls:
    """The calls of one batch as users write them.

    Arguments are unpacked once more for it, as tasks may have changed theirs.

    function: for all tasks, or None where each brings its own.
    """

    def __init__(self, run: Run, function: Callable[..., Any] | None) -> None:
        self._run, self._function = run, function
        self._columns: Sequence[Sequence[Any]] | None = None

    def words(self, place: int) -> str:
        """Return the words of messages for a task, with its arguments where they are known.

        place: of the task in the batch, from 0.
        """
        try:
            call = self._written(place)
        except Ended:  # of the worker, while the user's unpickling waits for tasks
            raise
        except BaseException:  # what could not be pickled, or a hostile object
            if self._function is None:
                return "a submitted call"
            call = failure.describe(self._function)
        index = None if self._function is None else self._run.start + place
        return errors.words(call, index, self._run.attempt)

    def _written(self, place: int) -> str:
        run = self._run
        if run.plain and self._columns is None:
            self._columns = payload.unpack(run.tasks)
        row = (
            payload.unpack(run.tasks[place])
            if self._columns is None
            else [column[place] for column in self._columns]
        )
        if self._function is not None:
            return shown.called(self._function, row)
        call = row if self._columns is None else row[0]
        function, args, kwargs, _ = call
        if type(call) is list:
            function = payload.unpack_named(function)
        return shown.called(function, args, kwargs or {})


def packed(error: BaseException, name: str, number: int, task: str) -> Frame:
    """Return what a task has raised, for its caller.

    name: of its function. number: of the task. task: its words, as `WrittenCalls` has them.
    """
    if type(error).__name__ in _WITHOUT_TERMINAL:
        from ..tasks import no_terminal  # late: few tasks ask anybody

        error = no_terminal.explained(error, name, number)
    errors.add_task(error, name, number, task)
    return failure.pack(error, identity.this.rank, task)


def for_program(error: KeyboardInterrupt) -> BaseException:
    """Return what the program is to hear of a task of its own that was interrupted.

    Who waits for one that was given up has made it since: it is not his program's interrupt.
    """
    return CancelledError(*error.args) if error.args == (GIVEN_UP,) else error


def unsendable(value: object, name: str, error: BaseException) -> errors.TaskError:
    """Return the error of a task whose value cannot be pickled.

    name: of its function. error: what pickling has raised.
    """
    return errors.TaskError(
        f"the result of {name}{_kind(value)} cannot be pickled and sent back: "
        f"{failure.reason(error)}. Return what is made of it: numbers, lists, arrays."
    )


def _kind(value: object) -> str:
    """Return how a value is named behind its function; what only carries others has no name."""
    kind = type(value)
    return "" if kind.__module__.startswith("scoopmpi.") else f", a {kind.__qualname__},"


def unpackable(run: Run, error: BaseException) -> Finished:
    """Return the answer where a batch's function or columns cannot be unpickled: all tasks fail."""
    name = getattr(sys.modules.get("__main__"), "__file__", None) or "the program"
    if name.endswith(KERNEL):
        name = "a cell"
    problem = errors.TaskError(
        f"a function or its arguments cannot be unpickled on worker {identity.this.rank}: "
        f"{failure.reason(error)}.{failure.advice(error, f'{name} or a module')}"
    )
    problem.__cause__ = error
    return _all_failed(run, problem)


def given_up(run: Run) -> Finished:
    """Return the answer for a batch that goes on although it was given up."""
    return _all_failed(run, CancelledError(GIVEN_UP))


def _all_failed(run: Run, problem: BaseException) -> Finished:
    frame = failure.pack(problem, identity.this.rank, "a batch")
    count = run.stop - run.start
    return Finished(
        job=run.job,
        start=run.start,
        stop=run.stop,
        seconds=-1.0,
        unstarted=run.stop,
        end=run.stop,
        plain=False,
        outcomes=(frame,) * count,
        failed=tuple(range(count)),
    )
