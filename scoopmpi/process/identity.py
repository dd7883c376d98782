"""The identity of this process in the job: facts that all may read, in one object, `this`.

What happens to a process is told to `this` by whoever makes it happen, through its methods; nobody
else writes its attributes. No imports of the project: the ground on which all others stand.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Place(NamedTuple):
    """Places a process in a job: whether it has a part in it, its rank, the number of ranks."""

    started: bool = False
    rank: int = 0
    size: int = 1


class Identity:
    """Knows one process of a job.

    rank, size: this rank, from 0, and the number of ranks; 0 and 1 without a launcher.
    started: True where one of our launchers has started the program, or a block lends its ranks.
    importing: True while this worker imports the program.
    ended: True once the program is over, and what it left to executors has run.
    task_timeout: seconds for each task that has no limit of its own; None for no limit.
    debug: True where the program was started with --debug.
    """

    __slots__ = (
        "_told",
        "_warned",
        "debug",
        "ended",
        "importing",
        "rank",
        "size",
        "started",
        "task_timeout",
    )

    def __init__(self) -> None:
        self.started, self.rank, self.size = Place()
        self.importing = False
        self.ended = False
        self.task_timeout: float | None = None
        self.debug = False
        self._warned = False
        self._told: set[str] = set()

    def met(self, rank: int, size: int) -> None:
        """Note what MPI says: the number of this process, and how many there are."""
        self.rank, self.size = rank, size

    def starts(self, task_timeout: float | None, debug: bool) -> None:
        """Note that the program, which has been found, is about to run on all ranks.

        task_timeout: seconds for each task that has no limit of its own. debug: with --debug.
        """
        self.started = True
        self.task_timeout = task_timeout
        self.debug = debug

    @contextmanager
    def imports(self) -> Iterator[None]:
        """Note that this worker imports the program, for as long as the block lasts."""
        self.importing = True
        try:
            yield
        finally:
            self.importing = False

    def program_ended(self) -> None:
        """Note that the program is over: nothing can be handed in any more."""
        self.ended = True

    def warns(self) -> bool:
        """True at the first call: the user is to be told, once, that nothing runs in parallel."""
        first, self._warned = not self._warned, True
        return first

    def tells(self, what: str) -> bool:
        """True at the first call for a thing of which the user is told once."""
        first = what not in self._told
        self._told.add(what)
        return first

    @property
    def place(self) -> Place:
        """The place of this process, to be taken again after a block that has lent its ranks."""
        return Place(self.started, self.rank, self.size)

    def takes(self, place: Place) -> None:
        """Take a place in a job: at the beginning of a block that lends its ranks, and after it."""
        self.started, self.rank, self.size = place


this = Identity()
"""This process. A forked child keeps it: it is a copy of that rank."""


def memory_domain() -> str:
    """Return a text that is the same in two processes that can attach to each other's memory.

    They are of one user and one boot of one host, and see each other's processes: containers on one
    host do not, so the host's name would not do.
    """
    host = socket.gethostname()
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        return f"{host} {boot} {os.readlink('/proc/self/ns/pid')} {os.getuid()}"
    except OSError:
        return host
