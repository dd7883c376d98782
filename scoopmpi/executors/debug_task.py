"""One task of a program in the debugger, on rank 0: `--debug-task 17`, `fit:17`, `2:17`, `calls:3`.

The program and its maps run as usual until the one comes that has this task. Of that map nothing
else runs, and the program ends with the task. Loaded only where the option is given.
"""

from __future__ import annotations

import bdb
import pdb
import reprlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Any, NoReturn

from ..tasks import current_executor
from ..tasks.arguments import length, sized
from ..tasks.constants_backend import ConstantsBackend
from ..tasks.executor import Executor, MapOptions
from ..tasks.future import Future
from ..tasks.no_terminal import can_be_asked
from ..tasks.pedigree import Strand, is_map, program, runs_strand, strand_below
from ..tasks.serial import SerialExecutor, SerialValues
from ..wire import failure
from .farm_executor import FarmExecutor
from .farm_results import FarmResults

CALLS = "calls"
"""In the place of a map: the calls of `submit`, from 0 on."""


class DebugTask:
    """The task that is to be debugged.

    asked: INDEX, of the first map that has such a task; MAP:INDEX, where MAP is the name of a
    function or the number of a map, from 1 on; calls:INDEX.
    """

    def __init__(self, asked: str) -> None:
        self._asked = asked
        of, _, index = asked.rpartition(":")
        self._map = CALLS if of == "0" else of  # as tables of tasks number them
        self._index = int(index)
        self._maps = self._calls = 0
        self._over = False

    def call(self, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Take note of a submitted call; if it is the one, it runs here, and the program ends."""
        if strand_below() is not None:
            return  # a task has made it
        if is_map(fn):  # a reduction
            self._maps += 1
            return
        place, self._calls = self._calls, self._calls + 1
        if not self._over and (self._map, self._index) == (CALLS, place):
            self._debug(Strand.of(program.new_call(fn), fn), args, kwargs)

    def map(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]]
    ) -> Sequence[Iterable[Any]]:
        """Take note of a map; if it has the task, that runs here, and the program ends.

        Returns what the map is to read: iterators may have been read to see how long they are.
        """
        if strand_below() is not None:
            return iterables  # a task has made it
        self._maps += 1
        mine = self._map in ("", str(self._maps)) or self._is(fn)
        if self._over or not mine:
            return iterables
        lengths = [length(each) for each in iterables if sized(each)]
        if min(lengths, default=self._index + 1) <= self._index:
            return iterables
        if len(lengths) == len(iterables):
            self._task(fn, tuple(next(islice(each, self._index, None)) for each in iterables))
        rows: list[tuple[Any, ...]] = []
        for row in zip(*iterables, strict=False):
            if len(rows) == self._index:
                self._task(fn, row)
            rows.append(row)
        return [list(column) for column in zip(*rows, strict=True)] or [()]

    def _is(self, fn: Callable[..., Any]) -> bool:
        """Return whether this is the name of the function, with or without that of its module."""
        return f".{failure.describe(fn)}".endswith(f".{self._map}")

    def program_ends(self) -> None:
        """Say that no map had the task, where that is so."""
        if not self._over:
            self._over = True
            seen = f"{_several(self._maps, 'map')} and {_several(self._calls, 'submitted call')}"
            _tell(f"--debug-task {self._asked}: no such task came; the program had {seen}")

    def _task(self, fn: Callable[..., Any], row: Sequence[Any]) -> NoReturn:
        self._debug(Strand.of(program.new_map(), fn, self._index), row, {})

    @runs_strand
    def _debug(self, strand: Strand, args: Sequence[Any], kwargs: Mapping[str, Any]) -> NoReturn:
        """Run the task in the debugger, and end the program; with status 1 where it raises."""
        self._over = True
        asked = can_be_asked()
        how = "s(tep), n(ext), c(ontinue), q(uit)" if asked else "no debugger without a terminal"
        _tell(f"task {self._index} of {failure.describe(strand.function)}: {how}")
        with _in_place():
            self._run(strand.function, args, kwargs, asked)

    def _run(
        self, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], asked: bool
    ) -> NoReturn:
        run = pdb.Pdb(skip=["scoopmpi.*"]).runcall if asked else _call
        try:
            value = run(fn, *args, **kwargs)
        except bdb.BdbQuit:
            self._end("was left", 0)
        except Exception as error:
            trace = _of_user(error)
            traceback.print_exception(type(error), error, trace)
            if asked:
                _tell("this is where it was raised; q(uit) ends")
                pdb.post_mortem(trace)
            self._end(f"has raised {type(error).__name__}", 1)
        self._end(f"has returned {reprlib.repr(value)}", 0)

    def _end(self, how: str, status: int) -> NoReturn:
        _tell(f"task {self._index} {how}. --debug-task runs one task: the program ends here")
        raise SystemExit(status)


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _call(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return fn(*args, **kwargs)


def _of_user(error: BaseException) -> TracebackType | None:
    """Return an error's traceback without our frames, and the debugger's, around the task."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name != "bdb" and not name.startswith("scoopmpi."):
            break
        trace = trace.tb_next
    return trace


def _tell(text: str) -> None:
    if sys.stdout is not None:
        sys.stdout.flush()
    print(f"scoopmpi: {text}", file=sys.stderr, flush=True)


class _InTask(SerialExecutor):
    """Runs what the task makes in place, where its debugger is. around: the program's executor."""

    def __init__(self, around: Executor) -> None:
        super().__init__()
        self._around = around

    @property
    def constants_backend(self) -> ConstantsBackend | None:
        """The constants of the program."""
        return self._around.constants_backend


@contextmanager
def _in_place() -> Iterator[None]:
    around = current_executor.current()
    current_executor.install(_InTask(around))
    try:
        yield
    finally:
        current_executor.install(around)


class DebugFarm(FarmExecutor):
    """Runs all but the task that is to be debugged on the workers of a farm."""

    task: DebugTask

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any, *how: Any) -> Future[Any]:
        """Do as any executor, unless this is the call."""
        self.task.call(fn, args, kwargs)
        return super().call(fn, args, kwargs, *how)

    def results(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> FarmResults:
        """Do as any executor, unless this map has the task."""
        return super().results(fn, self.task.map(fn, iterables), options)

    values = results

    def finish(self, maps: bool = True) -> None:
        """Do as any executor; the program has ended."""
        self.task.program_ends()
        super().finish(maps)


class DebugSerial(SerialExecutor):
    """Runs all but the task that is to be debugged in place."""

    task: DebugTask

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any, *how: Any) -> Future[Any]:
        """Do as any executor, unless this is the call."""
        self.task.call(fn, args, kwargs)
        return super().call(fn, args, kwargs, *how)

    def values(
        self, fn: Callable[..., Any], iterables: Sequence[Iterable[Any]], options: MapOptions
    ) -> SerialValues:
        """Do as any executor, unless this map has the task."""
        return super().values(fn, self.task.map(fn, iterables), options)

    def finish(self, maps: bool = True) -> None:
        """Do as any executor; the program has ended."""
        self.task.program_ends()
        super().finish(maps)
