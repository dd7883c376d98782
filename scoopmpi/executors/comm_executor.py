"""A farm on the ranks of a communicator, for as long as a `with` block lasts.

For programs that are MPI programs themselves, tests under pytest-mpi, notebooks. Here farm,
worker and transport are joined, as `ranks` does it for programs that a launcher starts; but
the processes are the user's, and stay as they were: output, signals, threads, communicators.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..process import identity
from ..program import naming
from ..tasks import current_executor
from ..tasks.executor import Executor
from ..tasks.initializer import BrokenMPIExecutor as BrokenMPIExecutor
from ..tasks.serial import SerialExecutor
from ..wire import payload
from ..wire.transport import MPITransport, mpi, threads_allowed
from . import asked_of_pools, watching_asked
from .farm_executor import FarmExecutor
from .mpi_executor import MPIExecutor as MPIExecutor

if TYPE_CHECKING:
    from ..watching.observer import Observer
    from ..watching.progress.choice import Choice


class MPICommExecutor:
    """A farm over a communicator: all its ranks enter, the root leads, the others work for it.

        with MPICommExecutor(comm, root=0) as executor:
            if executor is not None:
                values = list(executor.map(function, arguments))

    comm: an intracommunicator; None for COMM_WORLD. Our messages have one of their own.
    root: the rank that gets an `MPIExecutor`. The others get None, after the root has left.
    initializer, initargs, checkpoint, keep_failures: as for `MPIExecutor`; only the root opens the
        file.
    task_log: a file for a table of all tasks, as that of `myscoop --task-log`.
    status, trace, report, progress: who watches until the root leaves, as for `MPIExecutor`.
    max_workers, accepted: as for `MPIExecutor`, they change nothing.

    When the root leaves, everything that was handed in has run, and maps keep their values. An
    exception in its block cancels what has not begun, waits for what runs, and comes out. So do
    exceptions of the other ranks (mpi4py drops them). One rank alone works serially. In a
    program started by `myscoop` it is that farm. `futures` speaks to the same farm meanwhile.

    Raises ValueError for an intercommunicator, COMM_NULL, or a root that is no rank of it, and
    RuntimeError where MPI was initialised without threads.
    """

    __module__ = "scoopmpi"  # users import and see it there

    def __init__(
        self,
        comm: Any = None,
        root: int = 0,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        keep_failures: bool = False,
        task_log: str | os.PathLike[str] | None = None,
        status: str | os.PathLike[str] | None = None,
        trace: str | os.PathLike[str] | None = None,
        report: str | os.PathLike[str] | None = None,
        progress: bool | str | None = None,
        max_workers: int | None = None,
        **accepted: Any,
    ) -> None:
        comm = mpi().COMM_WORLD if comm is None else comm
        if not comm or comm.Is_inter():
            raise ValueError("comm must be an intracommunicator that this rank belongs to")
        if not 0 <= root < comm.size:
            raise ValueError(f"root is {root}, it must be one of the {comm.size} ranks of comm")
        asked_of_pools.check_workers(max_workers)
        asked_of_pools.accept(accepted, tell=comm.rank == root)
        self._comm, self._root = comm, root
        self._make = partial(
            MPIExecutor, initializer=initializer, initargs=tuple(initargs),
            checkpoint=checkpoint, keep_failures=keep_failures,
        )  # fmt: skip
        self._task_log = None if task_log is None else os.fspath(task_log)
        self._watched = watching_asked.asked(status, trace, report, progress)
        self._role: _Lead | _Alone | None = None

    def __enter__(self) -> MPIExecutor | None:
        if self._role is not None:
            raise RuntimeError("this MPICommExecutor is in use; make another for a block inside")
        if self._comm.size == 1 or _started_by_launcher():
            if self._task_log is not None:
                text = "task_log=%r changes nothing in this block: %s"
                why = (
                    "it has one rank" if self._comm.size == 1 else "myscoop --task-log has a table"
                )
                logging.getLogger("scoopmpi").warning(text, self._task_log, why)
            self._role = _Alone(partial(self._make, **self._watched._asdict()))
        elif not threads_allowed():
            raise RuntimeError(
                "MPI was initialised for one thread only. Leave mpi4py.rc.thread_level as it is, "
                "or set it to 'serialized' at least, before mpi4py.MPI is imported."
            )
        elif self._comm.rank != self._root:
            _follow(MPITransport(self._comm, self._root), self._task_log is not None)
            return None
        else:
            transport = MPITransport(self._comm, self._root)
            open_readers = partial(_opened, self._task_log, self._watched)
            make = partial(self._make, progress=self._watched.progress)
            self._role = _Lead(transport, make, open_readers)
        return self._role.executor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        role, self._role = self._role, None
        if role is not None:
            role.end(failed=error is not None)


class _Alone:
    """A root without ranks of its own: it has the program's farm, or none at all.

    make: makes the executor, on a base.
    """

    def __init__(self, make: Callable[..., MPIExecutor]) -> None:
        self._before = _Process()
        self._serial: SerialExecutor | None = None
        if _started_by_launcher():
            base = current_executor.current()
        else:
            base = self._serial = SerialExecutor()
            self._before.serves(base, 0, 1)
        self.executor = make(base=base)

    def end(self, failed: bool) -> None:
        """Have run what was handed in. failed: cancel what has not begun instead."""
        try:
            self.executor.shutdown(cancel_futures=failed)
            if self._serial is not None and not failed:
                self._serial.finish()
        finally:
            self._before.restore()


def _started_by_launcher() -> bool:
    """Return whether this process has a farm, or is in one, that is none of those made here."""
    return identity.this.started and not _leads


_leads: list[_Lead] = []
"""The farms that this process leads, the latest last: communicators may overlap."""


class _Lead:
    """A root with a farm on the other ranks.

    make: makes the executor, on a base. open_readers: opens who reads what happens.
    """

    def __init__(
        self, transport: MPITransport, make: Callable[..., MPIExecutor],
        open_readers: Callable[[], list[Observer]],
    ) -> None:  # fmt: skip
        from ..farm import host_watch  # late: the other ranks need none
        from ..farm.farm import Farm

        self._transport = transport
        self._choice: Choice | None = None
        self._choosing = threading.Lock()  # any thread of the program may be the first to ask
        self._readers, problem = _tried(open_readers)
        self.farm = Farm(transport, readers=self._readers)
        self._host_watch = host_watch.over(self.farm, transport, os.environ)
        base = FarmExecutor(self.farm, show=self._show)
        try:
            if problem is not None:
                raise problem
            self.executor = make(base=base)
        except BaseException:  # of the checkpoint, or the readers
            self._host_watch.stop()
            self.farm.close()
            raise
        self._before = _Process()
        self._before.serves(base, transport.rank, transport.size)
        _leads.append(self)
        payload.names_on_workers(_names_on_workers)

    def _show(self) -> None:
        """Have shown how far maps are whose program asks for it."""
        from ..watching.progress.choice import Choice  # late: few programs ask

        with self._choosing:
            if self._choice is None:
                self._choice = Choice(None, os.environ)
        for reader in self._choice.readers_for_some():
            self.farm.observe(reader)

    def end(self, failed: bool) -> None:
        """Release the workers, when they have done what was handed in.

        failed: cancel what has not begun, and wait for what runs alone.
        """
        try:
            self.executor.shutdown(cancel_futures=failed)
            if failed:
                self.farm.maps.abandon_all()
            else:
                self.farm.finish()
            # Workers are not to be stopped inside a task: their processes live on.
            self.farm.wait_until(lambda: not self.farm.busy)
        finally:
            self._host_watch.stop()
            _leads.remove(self)
            self._before.restore()
            if not _leads:
                payload.names_on_workers(lambda: None)
            for reader in self._readers:
                self.farm.dismiss(reader, int(failed))
            self.farm.close()
            self._transport.free()


def _opened(log: str | None, watched: watching_asked.Asked) -> list[Observer]:
    """Return the readers of a farm. log: the name of a file for a table of all tasks."""
    from ..watching import task_log, verbose  # late: the other ranks need none

    readers = watched.opened()
    try:
        if log is not None:
            readers.append(task_log.begun("task_log", log))
    except ValueError:
        for reader in readers:
            reader.farm_closed(1)
        raise
    told = verbose.reader()
    return readers if told is None else [told, *readers]


def _tried(
    open_readers: Callable[[], list[Observer]],
) -> tuple[list[Observer], ValueError | None]:
    """Open the readers; return them, or why they cannot be: the others must hear the end."""
    try:
        return open_readers(), None
    except ValueError as problem:
        return [], problem


def _follow(transport: MPITransport, logged: bool) -> None:
    """Run tasks until the root leaves: what all other ranks do.

    logged: how each went is told to the root.
    """
    from ..worker.worker import Worker

    # The progress thread hands back what a long task would hold up; the task itself is never left.
    worker = Worker(transport, leave=lambda: None)
    if logged:
        from ..worker import watched  # late: few programs have a log

        watched.watch(worker.batches, watched.Watch(True, None, worker.task_ended))
    before = _Process()
    before.serves(worker.nested, transport.rank, transport.size)
    try:
        worker.join(_names())
        worker.serve()
        worker.farewell()
    except BaseException:  # the root would wait for ever
        traceback.print_exc()
        transport.abort(1)
    finally:
        before.restore()
    transport.free()


class _Process:
    """The facts of this process for `futures` and SCOOP's names, so that they can be put back."""

    def __init__(self) -> None:
        self._place = identity.this.place
        self._executor = current_executor.current()

    def serves(self, current: Executor, rank: int, size: int) -> None:
        """Make this process a rank of a farm, whose `futures` speaks to the executor `current`."""
        identity.this.takes(identity.Place(True, rank, size))
        current_executor.install(current)

    def restore(self) -> None:
        """Make this process what it was before."""
        identity.this.takes(self._place)
        current_executor.install(self._executor)


def _names() -> frozenset[str]:
    """Return the names of functions and classes that this rank's program defines.

    No names where it has no file: what ranks of an interactive session define under the same name
    and line need not be the same.
    """
    main = sys.modules["__main__"]
    return naming.defined_names(main) if _file(main) is not None else frozenset()


def _file(main: Any) -> str | None:
    path = getattr(main, "__file__", None)
    return path if path is not None and os.path.isfile(path) else None


def _names_on_workers() -> frozenset[str] | None:
    """Return what every worker of every farm defines; None while no farm knows."""
    if len(_leads) == 1:
        return _leads[0].farm.members.names
    known = [names for lead in _leads if (names := lead.farm.members.names) is not None]
    return frozenset.intersection(*known) if known else None
