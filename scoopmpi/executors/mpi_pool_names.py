"""Names and keywords of other executors, for programs that were written for those.

`MPIPoolNames` has what `mpi4py.futures.MPIPoolExecutor` has beyond `concurrent.futures`. Nothing
here hands out work, and nothing of theirs is imported.
"""

from __future__ import annotations

import concurrent.futures
import functools
import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from ..tasks.executor import Executor
from ..tasks.wrapped import Starred

_Same = TypeVar("_Same", bound="MPIPoolNames")

_WITHOUT_EFFECT = frozenset(
    (
        "backoff", "main", "max_tasks_per_child", "mp_context", "mpi_info", "python_args",
        "python_exe", "thread_name_prefix", "use_pkl5",
    )
)  # fmt: skip
"""Keywords about how processes start and talk: those of the farm run already."""
_MISSED = frozenset(("env", "globals", "path", "wdir"))
"""Keywords whose effect tasks would find on the workers that mpi4py.futures starts."""


def check_workers(count: int | None, name: str = "max_workers") -> None:
    """Raise ValueError where nobody can want so many workers. name: the parameter's, to be said."""
    if count is not None and count <= 0:
        raise ValueError(f"{name} is {count}, {name} must be greater than 0, or None")


def accept(keywords: dict[str, Any], tell: bool = True) -> None:
    """Take the constructor keywords of other executors, which change nothing here.

    keywords: all that the constructor does not know.
    tell: whether to warn of those that tasks would miss.

    Raises TypeError for a keyword that no executor has, and for a `max_tasks_per_child` that is no
    integer; ValueError where it is below 1.
    """
    unknown = sorted(keywords.keys() - _WITHOUT_EFFECT - _MISSED)
    if unknown:
        raise TypeError(f"executors have no keyword argument {unknown[0]!r}")
    tasks = keywords.get("max_tasks_per_child")
    if tasks is not None and not isinstance(tasks, int):
        raise TypeError(f"max_tasks_per_child is {tasks!r}, it must be an integer or None")
    if tasks is not None and tasks <= 0:
        raise ValueError(f"max_tasks_per_child must be >= 1, it is {tasks}")
    for name in sorted(_MISSED & keywords.keys()) if tell else ():
        warnings.warn(
            f"{name}= changes nothing: the workers run already. Let an initializer= do it there.",
            RuntimeWarning,
            stacklevel=4,
        )


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
