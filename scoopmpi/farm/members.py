"""Which workers have joined, cannot take part, have left, or are lost. Facts, no messages sent.

What workers have said while they imported the program is told when all have: once, where it is
the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from ..wire.messages import ImportFailed, Joined
from .reports import Reports, more_of_the_same

logger = logging.getLogger("scoopmpi")

LONGEST = 4000
"""Characters of what a failed import has printed; the last ones say why."""


class Members:
    """The workers of a farm, `size` of them when all have joined.

    started: how many the launcher has started; `size` counts successors of the last one too.
    show: takes 2, for stderr, and what is to be printed there.
    has_said: whether rank 0 has written a text there itself.
    """

    def __init__(
        self,
        size: int,
        show: Callable[[int, bytes], None],
        has_said: Callable[[str], bool] = lambda text: False,
    ) -> None:
        self.started = self.size = size
        self._has_said = has_said
        self._show = show
        self._refusals, self._said = Reports(), Reports()
        self.names: frozenset[str] | None = None
        """The functions of the program that every worker has; None before the first joined."""
        self._hosts: dict[int, str] = {}
        self.hosts: Final[Mapping[int, str]] = self._hosts
        """The hosts of workers that have joined, whatever has become of them."""
        self._pids: dict[int, int] = {}
        self._addresses: dict[int, tuple[str, ...]] = {}
        self._import_failed: set[int] = set()
        self._left: set[int] = set()
        self._lost: dict[int, str] = {}
        self.lost: Final[Mapping[int, str]] = self._lost
        """Workers that have died, and their hosts."""

    def joined(self, worker: int, message: Joined) -> None:
        """Note that a worker has imported the program."""
        self.names = message.names if self.names is None else self.names & message.names
        self._hosts[worker] = message.host
        self._pids[worker] = message.pid
        self._addresses[worker] = message.addresses
        if message.said:
            self._said.add(message.said.decode(errors="backslashreplace"), worker, message.host)
        self._tell_when_all_have_said()

    def import_failed(self, worker: int, message: ImportFailed) -> str | None:
        """Note that a worker cannot import the program.

        Returns why no worker can, where this one was the last that might.
        """
        text = message.reason.rstrip()
        if message.said:
            said = message.said.decode(errors="backslashreplace").rstrip()
            text = f"{text}\nBefore it has printed:\n{said[-LONGEST:]}"
        self._import_failed.add(worker)
        self._refusals.add(text, worker, message.host)
        if not self.none_left:
            self._tell_when_all_have_said()
            return None
        texts = [
            "\n".join(filter(None, (why, more_of_the_same(why, who))))
            for why, who in self._refusals.taken()
        ]
        return "no worker can import the program: " + "\n\n".join(texts)

    def one_more(self) -> None:
        """Expect a further worker, whose rank is the next one."""
        self.size += 1

    def died(self, worker: int) -> None:
        """Note that a worker is no more."""
        self._lost[worker] = self.host(worker)
        self._tell_when_all_have_said()

    def tell(self) -> None:
        """Say what is known of imports; nothing where nobody has joined, as nobody was needed."""
        for text, who in self._said.taken():
            if self._has_said(text):
                continue
            more = more_of_the_same(text, who)
            self._show(2, (text + (f"scoopmpi: {more}\n" if more else "")).encode())
        for text, who in self._refusals.taken() if self._hosts else ():
            more = more_of_the_same(text, who)
            (worker, host), end = who[0], f"\n{more}" if more else ""
            if text:
                logger.warning("worker %d on %s does not take part: %s%s", worker, host, text, end)
            else:
                logger.warning("not taking part: %s", more)

    def _tell_when_all_have_said(self) -> None:
        if not self.importing:
            self.tell()

    def left(self, worker: int) -> None:
        """Note that a worker has followed Stop."""
        self._left.add(worker)

    def has_joined(self, worker: int) -> bool:
        """Return whether a worker has imported the program, whatever has become of it."""
        return worker in self._hosts

    def host(self, worker: int) -> str:
        """Return the name of a worker's host."""
        return self._hosts.get(worker, "a host that is not known yet")

    def place(self, worker: int) -> tuple[str, int]:
        """Return the host and the process of a worker that has joined."""
        return self._hosts[worker], self._pids[worker]

    @property
    def present(self) -> list[int]:
        """Return the workers that have joined, and neither left nor died."""
        return [worker for worker in self.missing if worker in self._hosts]

    @property
    def addresses(self) -> dict[str, tuple[str, list[int]]]:
        """Return for each address of a host its name, and its workers that are here.

        Any thread may ask.
        """
        found: dict[str, tuple[str, list[int]]] = {}
        for worker, addresses in tuple(self._addresses.items()):
            for address in addresses:
                _, workers = found.setdefault(address, (self._hosts[worker], []))
                if worker not in self.lost and worker not in self._left:
                    workers.append(worker)
        return found

    @property
    def importing(self) -> bool:
        """True where some worker has not said yet if it takes part."""
        return len(self._hosts.keys() | self._import_failed | self.lost.keys()) < self.size

    @property
    def none_left(self) -> bool:
        """True where no worker can take part any more."""
        return len(self._import_failed | self.lost.keys()) == self.size

    @property
    def missing(self) -> list[int]:
        """Return the workers that have neither left nor died."""
        gone = self._left | self.lost.keys()
        return [worker for worker in range(1, self.size + 1) if worker not in gone]
