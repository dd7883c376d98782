"""Names and keywords of other executors, for programs that were written for those.

`MPIPoolNames` has what `mpi4py.futures.MPIPoolExecutor` has beyond `concurrent.futures`. Nothing
here hands out work, and nothing of theirs is imported.
"""

from __future__ import annotations

import concurrent.futures
import functools
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from ..tasks.executor import Executor
from ..tasks.wrapped import Starred

_Same = TypeVar("_Same", bound="MPIPoolNames")


class Workers(NamedTuple):
    """The answer to what `adaptive` asks of an executor."""

    size: int


class MPIPoolNames(concurrent.futures.Executor):
    """The names of `mpi4py.futures.MPIPoolExecutor`."""

    @property
    @abstractmethod
    def num_workers(self) -> int:
        """How many processes run tasks."""

    @abstractmethod
    def _open(self) -> Executor:
        """Return the executor below; raises RuntimeError where no calls are taken any more."""

    def bootup(self: _Same, wait: bool = True) -> _Same:
        """Return this executor when all workers are there; they start with the program.

        wait: whether to return only when they are; RuntimeError after `shutdown` in any case.
        """
        below = self._open()
        if wait:
            below.wait_for_workers()
        return self

    def starmap(
        self,
        fn: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        unordered: bool = False,
        **keywords: Any,
    ) -> Iterator[Any]:
        """Return an iterator as `map` does; each element of the iterable is a call's arguments.

        timeout, chunksize, buffersize, unordered: as for `map`, which takes `keywords` too.
        """
        keywords |= {"buffersize": buffersize, "unordered": unordered}
        return self.map(Starred(fn), iterable, timeout=timeout, chunksize=chunksize, **keywords)

    @property
    def _pool(self) -> Workers:
        return Workers(self.num_workers)

    @property  # type: ignore[misc] # read only
    def __class__(self) -> type:
        """The class for `isinstance`: also MPIPoolExecutor, where that is loaded: it has its names.

        Libraries ask so before they use an executor (adaptive: for its number of workers).
        """
        ours: Any = type(self)
        theirs = sys.modules.get("mpi4py.futures")
        return ours if theirs is None else _both(ours, theirs.MPIPoolExecutor)


@functools.cache
def _both(ours: type, theirs: type) -> type:
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})
