"""Lent buffers on their way to many hosts and back: interleaved by seeds, ranks that die."""

from __future__ import annotations

import gc
import os
import random
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import farm_lending, hostmemory
from scoopmpi.constants.broadcast import Place
from scoopmpi.constants.farm_lending import FarmLending
from scoopmpi.constants.lending import Lending
from scoopmpi.wire import lent
from scoopmpi.wire.constants_messages import Forgot, LentBuffers, LentRequest
from scoopmpi.wire.messages import Forget
from tests.constants.test_hostmemory import missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
HOME = "h0"


class Worker:
    """A worker that knows of batches nothing but the number that they refer to."""

    def __init__(self, network: Network, rank: int, domain: str) -> None:
        self.network, self.rank = network, rank
        self.lending = Lending(lambda to, message: network.send(rank, to, message), domain)
        self.queue: deque[int | Forget] = deque()
        self.stuck = False

    def take(self, sender: int, message: Any) -> None:
        if isinstance(message, LentBuffers):
            self.lending.keep_and_pass_on(sender, message)
        elif isinstance(message, LentRequest):
            self.lending.send_buffers(sender, message)
        else:
            self.queue.append(message)

    def step(self) -> bool:
        """Run what is next; False where there is nothing, or it has to wait."""
        if not self.queue:
            return False
        first = self.queue[0]
        if isinstance(first, Forget):
            self.lending.forget(first.lent, first.oldest)
            self.network.send(self.rank, 0, Forgot(first.lent))
        elif self.lending.want((first,)):
            return False
        else:
            array = np.frombuffer(self.lending.loan((first,)).opened((first, 0, lent.PRIVATE)))
            assert (array == first).all()
            array[:] = -1  # nobody sees it
            self.network.ran.append((self.rank, first))
        self.queue.popleft()
        return True


class Network:
    """Rank 0 and workers on hosts; messages of one rank to another keep their order."""

    def __init__(self, domains: list[str], seed: int) -> None:
        self.chance = random.Random(seed)
        self.places = [Place(rank, domain) for rank, domain in enumerate(domains, 1)]
        self.domains = [HOME, *domains]
        self.retired = deque[int]()
        self.farm = FarmLending(
            lambda to, m: self.send(0, to, m), HOME, lambda: self.places, self.retired
        )
        self.workers = {place.rank: Worker(self, *place) for place in self.places}
        self.channels: dict[tuple[int, int], deque[Any]] = {}
        self.crossed: list[str] = []
        self.ran: list[tuple[int, int]] = []
        self.next = 1

    def send(self, sender: int, to: int, message: Any) -> None:
        if not {sender, to} <= {0, *self.workers}:
            return
        if isinstance(message, LentBuffers) and type(message.buffers) is tuple:
            self.crossed.append(self.domains[to])
            message = message._replace(buffers=tuple(bytes(each) for each in message.buffers))
        elif isinstance(message, LentBuffers) and isinstance(message.buffers, hostmemory.Where):
            assert self.domains[sender] == self.domains[to], "it cannot be opened there"
        self.channels.setdefault((sender, to), deque()).append(message)

    def deliver(self) -> bool:
        waiting = [ways for ways, messages in self.channels.items() if messages]
        if not waiting:
            return False
        sender, to = self.chance.choice(waiting)
        message = self.channels[sender, to].popleft()
        if to:
            self.workers[to].take(sender, message)
        elif isinstance(message, Forgot):
            self.farm.forgot(sender, message.lent)
        else:
            self.farm.send_buffers(sender, message)
        return True

    def lend(self) -> int:
        """Lend an array that is full of its number."""
        number, _ = self.farm.lend([np.full(lent.LENT // 8, float(self.next))])
        assert number == self.next
        self.next += 1
        return number

    def run(self, rank: int, number: int) -> None:
        """Give a worker a batch that refers to a number."""
        self.farm.send_to(rank, (number,))
        self.send(0, rank, number)

    def kill(self, rank: int) -> None:
        del self.workers[rank]
        self.channels = {ways: each for ways, each in self.channels.items() if rank not in ways}
        self.places = [place for place in self.places if place.rank != rank]
        self.farm.lost(rank)

    def join(self, host: str) -> int:
        rank = len(self.domains)
        self.domains.append(host)
        self.places = [*self.places, Place(rank, host)]
        self.workers[rank] = Worker(self, rank, host)
        return rank

    def forget(self, *numbers: int) -> None:
        self.farm.retire(numbers)
        self.farm.forget_retired()

    @property
    def clean(self) -> bool:
        """Nobody has anything any more."""
        nobody = not any(len(worker.lending) for worker in self.workers.values())
        return nobody and not len(self.farm) and not self.retired

    def some_steps(self, most: int) -> None:
        for _ in range(self.chance.randrange(most)):
            self.deliver()
            if self.workers:
                self.chance.choice(list(self.workers.values())).step()

    def settle(self) -> None:
        """Let all arrive and run; who waits although nothing is under way asks rank 0."""
        for _ in range(100_000):
            moved = self.deliver() + sum(worker.step() for worker in self.workers.values())
            if not moved:
                waiting = [worker for worker in self.workers.values() if worker.queue]
                if not waiting:
                    return
                for worker in waiting:
                    number = worker.queue[0]
                    assert isinstance(number, int)
                    worker.lending.ask(0, True, number)
        raise AssertionError("it does not come to rest")


@pytest.fixture(autouse=True)
def all_files_are_closed() -> Iterator[None]:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


HOSTS = [["h0"], ["h0"] * 3, ["h1"], ["h0", "h1", "h1", "h2", "h2", "h2"], ["h1", "h2"] * 4]


def test_a_far_worker_gets_no_copy_of_its_own_while_it_may_still_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Network(["h1", "h1", HOME], 1)
    number = network.lend()
    network.farm.send_to(1, (number,))
    assert network.crossed == ["h1"]
    monkeypatch.setattr(farm_lending, "LINK", 1.0)
    network.farm.send_buffers(2, LentRequest(number, True))
    assert network.crossed == ["h1"]
    network.farm.send_buffers(3, LentRequest(number, True))
    assert network.crossed == ["h1", HOME], "on rank 0's own host nothing is on its way"
    monkeypatch.setattr(farm_lending, "LINK", float("inf"))
    for _ in range(2):
        network.farm.send_buffers(2, LentRequest(number, True))
    assert network.crossed == ["h1", HOME, "h1"], "it is answered once"


@pytest.mark.parametrize("seed", range(20))
def test_all_find_what_they_were_lent_and_nothing_stays(seed: int) -> None:
    network = Network(HOSTS[seed % len(HOSTS)], seed)
    chance, given, alive = network.chance, [], deque[int]()
    for _ in range(30):
        if not alive or chance.random() < 0.3:
            alive.append(network.lend())
        for _ in range(chance.randrange(4)):
            given.append((chance.choice(network.places).rank, chance.choice(alive)))
            network.run(*given[-1])
        if len(alive) > 2:
            network.forget(alive.popleft())
        network.some_steps(8)
    network.forget(*alive)
    network.settle()
    assert sorted(network.ran) == sorted(given)
    assert network.clean


@pytest.mark.parametrize("seed", range(20))
def test_who_waits_for_one_that_dies_asks_rank_0(seed: int) -> None:
    network = Network(HOSTS[3 + seed % 2], seed)
    given = []
    for _ in range(6):
        number = network.lend()
        for place in network.places:
            given.append((place.rank, number))
            network.run(*given[-1])
        network.some_steps(12)
        if len(network.places) > 2:
            network.kill(network.chance.choice(network.places).rank)
        network.forget(number)
    network.settle()
    left = network.workers.keys()
    assert {each for each in network.ran if each[0] in left} == {e for e in given if e[0] in left}
    assert network.clean


@pytest.mark.parametrize("seed", range(10))
def test_who_joins_later_finds_it_too(seed: int) -> None:
    network = Network(["h0", "h1"], seed)
    number = network.lend()
    network.run(1, number), network.run(2, number)
    network.some_steps(10)
    late = [network.join(host) for host in ("h0", "h1", "h2")]
    for rank in late:
        network.run(rank, number)
    network.forget(number)
    network.settle()
    assert {rank for rank, _ in network.ran} == {1, 2, *late}
    assert network.clean


def test_who_joins_a_host_later_gets_it_there() -> None:
    network = Network(["h1", "h2"], 0)
    number = network.lend()
    network.run(1, number)
    network.settle()
    for _ in range(3):
        for host in ("h1", "h2"):
            network.run(network.join(host), number)
    network.settle()
    assert len(network.ran) == 7 and sorted(network.crossed) == ["h1", "h2"]
    network.forget(number)
    network.settle()
    assert network.clean


def test_a_host_gets_it_once_however_many_ranks_it_has() -> None:
    network = Network(["h0", *["h1", "h2"] * 16], 0)
    number = network.lend()
    for place in network.places:
        network.run(place.rank, number)
    network.settle()
    assert sorted(network.crossed) == ["h1", "h2"]
    network.forget(number)
    network.settle()
    assert network.clean


def test_ranks_that_cannot_open_the_memory_of_others_get_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(where: Any) -> int:
        raise hostmemory.NotShared("hidden")

    network = Network(["h0", "h0", "h1", "h1"], 1)
    number = network.lend()
    monkeypatch.setattr(hostmemory, "opened", refuse)
    for rank in (1, 3, 4):
        network.run(rank, number)
    network.settle()
    assert {rank for rank, _ in network.ran} == {1, 3, 4}
    assert sorted(network.crossed) == ["h0", "h1", "h1"], "who needs none has none"
    network.forget(number)
    network.settle()
    assert network.clean


def test_what_a_packed_batch_refers_to_stays_until_it_is_sent() -> None:
    network = Network([HOME], 1)
    number = network.lend()
    network.farm.borrow((number,))
    network.forget(number)
    network.run(1, number)
    network.farm.give_back((number,))
    network.farm.forget_retired()
    network.settle()
    assert network.clean and network.ran == [(1, number)]
