"""Schwimmbad's names of a pool: who is the master, and what the others do.

In a program that a launcher of ours has started, whoever has a pool is its master: workers import
the program and get no further than its guard. Where it has none, the import of a worker ends where
the pool would wait. In a program that the user's own mpirun has started, the ranks are
`ProgramRanks`, and rank 0 is the master.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from ..process import identity
from ..program import running
from . import program_ranks
from .mpi_executor import MPIExecutor


class SchwimmbadNames:
    """The names of schwimmbad's `MPIPool`, for a class that has an executor.

        pool = Pool()
        if not pool.is_master():
            pool.wait()
            sys.exit(0)

    What follows in the program is then the master's alone.
    """

    _executor: MPIExecutor
    _ranks: program_ranks.ProgramRanks | None = None
    """The ranks of the user's own mpirun, once it has been asked who is the master."""
    master = 0

    @property
    @abstractmethod
    def size(self) -> int:
        """How many processes run tasks."""

    @property
    def rank(self) -> int:
        """This process's rank among those of the pool: 0 for the master, above for workers."""
        return 0 if self._ranks is None else self._ranks.rank

    @property
    def workers(self) -> set[int]:
        """The ranks that run tasks, as many as `size`."""
        return set(range(1, self.size + 1))

    @abstractmethod
    def map(self, func: Callable[[Any], Any], iterable: Iterable[Any], /) -> list[Any]:
        """Return a list of the values of `func` over the iterable, in order."""

    def batched_map(
        self, worker: Callable[[Any], Any], tasks: Iterable[Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """Return the values of `worker`, called once for each of `size` batches, as `map` does.

            pool.batched_map(sum_of_squares, range(100))  # with ((0, 50), [0, 1, ...]), ...

        worker: gets a pair, of the first index with that behind the last, and of the tasks there.
        args, kwargs: for `map`.

        Raises ValueError where there are no tasks.
        """
        rows = list(tasks)
        if not rows:
            raise ValueError("there are no tasks: a batch has one at least")
        batches = min(self.size, len(rows))
        length, longer = divmod(len(rows), batches)
        bounds = [place * length + min(place, longer) for place in range(batches + 1)]
        pieces = [(pair, rows[slice(*pair)]) for pair in itertools.pairwise(bounds)]
        return self.map(worker, pieces, *args, **kwargs)

    @staticmethod
    def enabled() -> bool:
        """Return whether there are ranks besides the master."""
        return identity.this.size > 1 or program_ranks.gathered() is not None

    def is_master(self) -> bool:
        """Return whether this process hands out the work.

        Raises RuntimeError where an mpirun has started ranks that cannot see each other.
        """
        if identity.this.importing:
            return False
        self._ranks = self._ranks or program_ranks.gathered()
        return self.rank == 0

    def is_worker(self) -> bool:
        """Return whether this process works for the master."""
        return not self.is_master()

    def wait(self, callback: Callable[[], object] | None = None) -> None:
        """Work for the master until it closes its pool; the master itself goes on at once.

        Where a worker imports the program, this is the end of the import: what is defined so far
        is what tasks find.

        callback: called on workers afterwards.
        """
        if identity.this.importing:
            raise running.Defined
        if self.is_worker() and self._ranks is not None:
            self._ranks.follow()
            if callback is not None:
                callback()

    def _gather(self) -> None:
        """Have the ranks of the user's own mpirun work for this pool, if it leads them."""
        if self._ranks is None:
            return
        if self._ranks.rank:
            raise RuntimeError(f"rank {self._ranks.rank} works for rank 0: it calls pool.wait()")
        self._executor.work_as(self._ranks.lead(self))

    def _dismiss(self, failed: bool) -> None:
        """Let those ranks go on. failed: what has not begun is not to run."""
        if self._ranks is not None and not self._ranks.rank:
            self._ranks.release(self, failed)
