"""Ranks in one process: a link that pickles every message and delays it by a seed.

Messages of one sender to one receiver keep their order, as MPI's do; between senders everything
is possible. At the end of a test the link must be empty: every message has been accounted for.
"""

from __future__ import annotations

import itertools
import pickle
import random
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.farm.farm import Farm
from scoopmpi.farm.stop_before import StopBefore
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.watching.observer import Observer
from scoopmpi.wire.messages import KINDS, NUMBERS, Lost
from scoopmpi.worker.nested.fibers import Ended
from scoopmpi.worker.worker import Worker

PATIENCE = 5000
"""Turns after which every timeout has passed: time is counted in turns here."""


class Link:
    """The channels between all ranks."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self.chance = random.Random(seed)
        self.guard = threading.Lock()
        self.channels: dict[tuple[int, int], deque[tuple[bytes, list[bytes]]]] = {
            (a, b): deque() for a in range(size) for b in range(size)
        }
        self.aborted: int | None = None
        self.dead: set[int] = set()
        self.unsaid: dict[int, set[int]] = {rank: set() for rank in range(size)}

    def kill(self, rank: int) -> None:
        """A rank is no more: what it sent last may have got out in part, and nothing reaches it."""
        with self.guard:
            self.dead.add(rank)
            for other in range(self.size):
                self.channels[other, rank].clear()
                out = self.channels[rank, other]
                for _ in range(self.chance.randrange(len(out) + 1)):
                    out.pop()
                self.unsaid[other].add(rank)

    def grow(self) -> int:
        """One more rank, which only rank 0 talks to; returns its number."""
        with self.guard:
            rank = self.size
            self.size += 1
            for other in range(self.size):
                self.channels[rank, other], self.channels[other, rank] = deque(), deque()
            self.unsaid[rank] = set()
        return rank

    def transport(self, rank: int) -> MemoryTransport:
        return MemoryTransport(self, rank)

    @property
    def empty(self) -> bool:
        return not any(self.channels.values())


class MemoryTransport:
    """One rank's end of the link."""

    def __init__(self, link: Link, rank: int) -> None:
        self.link, self.rank = link, rank

    @property
    def size(self) -> int:
        return self.link.size

    def send(self, to: int, message: Any) -> None:
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps((NUMBERS[type(message)], *message), 5, buffer_callback=buffers.append)
        with self.link.guard:
            if to in self.link.dead or self.rank in self.link.dead:
                return
            copies = [bytes(buffer.raw()) for buffer in buffers]
            self.link.channels[self.rank, to].append((data, copies))

    def receive(self) -> tuple[int, Any] | None:
        with self.link.guard:
            unsaid = self.link.unsaid[self.rank]
            if unsaid and self.link.chance.random() < 0.2:
                lost = unsaid.pop()
                self.link.channels[lost, self.rank].clear()
                return lost, Lost()
            waiting = [a for a in range(self.size) if self.link.channels[a, self.rank]]
            if not waiting or self.link.chance.random() < 0.3:  # it has not arrived yet
                return None
            sender = self.link.chance.choice(waiting)
            data, copies = self.link.channels[sender, self.rank].popleft()
        number, *fields = pickle.loads(data, buffers=map(bytearray, copies))
        return sender, KINDS[number]._make(fields)

    def flush(self, to: int | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def rest(self) -> float | None:
        return None

    def abort(self, status: int) -> None:
        self.link.aborted = status
        raise SystemExit(status)


class Ranks:
    """A farm and its workers in one thread: the seed decides whose turn it is."""

    def __init__(
        self,
        workers: int,
        seed: int,
        policy: Policy = Policy(),
        retries: int = 2,
        readers: Sequence[Observer] = (),
        successors: bool = False,
        stop_before: StopBefore | None = None,
    ) -> None:
        self.link = self.new_link(workers + 1, seed)
        last_resort = self.one_more if successors else None
        self.farm = Farm(
            self.link.transport(0), policy, False, retries, readers, last_resort, stop_before
        )
        self.workers = [Worker(self.link.transport(rank)) for rank in range(1, workers + 1)]
        self.executor = FarmExecutor(self.farm)
        self.acting: Worker | None = None
        self.farm.wait_until = self.wait_until  # type: ignore[method-assign]
        for worker in self.workers:
            worker.join(frozenset())

    def new_link(self, size: int, seed: int) -> Link:
        return Link(size, seed)

    def one_more(self) -> int:
        """A worker in the place of the last one; it joins in its turn."""
        worker = Worker(self.link.transport(self.link.grow()))
        self.workers.append(worker)
        worker.join(frozenset())
        return worker.rank

    def die(self) -> None:
        """The worker whose task calls this is no more, in the middle of it."""
        worker = self.acting
        assert isinstance(worker, Worker)
        self.kill(worker)
        raise Ended

    def kill(self, worker: Worker) -> None:
        """A worker dies."""
        self.workers.remove(worker)
        self.link.kill(worker.rank)

    def turn(self) -> None:
        """One step of somebody."""
        self.step(self.link.chance.choice([self.farm, *self.workers]))

    def step(self, actor: Farm | Worker) -> bool:
        """One step; tasks of a worker find its nest, as in a process of their own."""
        if isinstance(actor, Farm):
            return actor.step()
        outer, before = current_executor.current(), self.acting
        current_executor.install(actor.nested)
        self.acting = actor
        try:
            return actor.step()
        finally:
            self.acting = before
            current_executor.install(outer)

    def wait_until(self, done: Any, timeout: float | None = None) -> bool:
        for turns in itertools.count():
            assert turns < 1_000_000, "a million steps and no result: the farm hangs"
            if done():
                return True
            self.turn()
            if timeout == 0 or (timeout is not None and turns > PATIENCE):
                return bool(done())

    def settle(self) -> None:
        """Let everything that is under way arrive and be answered."""
        for _ in range(100_000):
            resting = sum(self.step(actor) for actor in (self.farm, *self.workers)) == 0
            if resting and self.link.empty and not self.farm._scheduler.busy:
                return
            self.turn()
        raise AssertionError("the farm does not come to rest")
