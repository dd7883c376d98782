"""Schwimmbad's names of a pool: who is the master, and what the others do.

In a program that a launcher of ours has started, whoever has a pool is its master: workers import
the program and get no further than its guard. Where it has none, the import of a worker ends where
the pool would wait. In a program that the user's own mpirun has started the ranks are a `crew`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from ..process import identity
from ..program import running
from . import crew
from .mpi_executor import MPIExecutor


class Leading:
    """The names of schwimmbad's `MPIPool`."""

    _executor: MPIExecutor
    _crew: crew.Crew | None = None
    """The ranks of the user's own mpirun, once it has been asked who is the master."""
    master = 0

    @property
    @abstractmethod
    def size(self) -> int:
        """How many processes run tasks."""

    @property
    def rank(self) -> int:
        """The master's rank, 0; above where this process works for it."""
        return 0 if self._crew is None else self._crew.rank

    @property
    def workers(self) -> set[int]:
        """The ranks that run tasks, as many as `size`."""
        return set(range(1, self.size + 1))

    @staticmethod
    def enabled() -> bool:
        """Whether there are ranks to work."""
        ranks = crew.gathered()
        return identity.this.size > 1 or ranks is not None

    def is_master(self) -> bool:
        """Whether this process hands out the work.

        Raises RuntimeError where an mpirun has started ranks that cannot see each other.
        """
        if identity.this.importing:
            return False
        self._crew = self._crew or crew.gathered()
        return self.rank == 0

    def is_worker(self) -> bool:
        """Whether this process works for the master."""
        return not self.is_master()

    def wait(self, callback: Callable[[], object] | None = None) -> None:
        """Work for the master until it closes its pool; the master itself goes on at once.

        callback: called on workers afterwards. Where a worker imports the program, this is the
            end of the import: what is defined so far is what tasks find.
        """
        if identity.this.importing:
            raise running.Defined
        if self.is_worker() and self._crew is not None:
            self._crew.follow()
            if callback is not None:
                callback()

    def _gather(self) -> None:
        """Have the ranks of the user's own mpirun work for this pool, if it leads them."""
        if self._crew is None:
            return
        if self._crew.rank:
            raise RuntimeError(f"rank {self._crew.rank} works for rank 0: it calls pool.wait()")
        self._executor._base = self._crew.lead(self)._base

    def _dismiss(self, failed: bool) -> None:
        if self._crew is not None and not self._crew.rank:
            self._crew.release(self, failed)
