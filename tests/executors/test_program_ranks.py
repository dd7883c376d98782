"""The ranks of the user's own mpirun, as rank 0 calls them: with a communicator that is none."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from scoopmpi.executors import program_ranks
from scoopmpi.executors.program_ranks import HERE, WORK, ProgramRanks


class Comm:
    """Two other ranks, which answer once when they are called to work."""

    rank, size = 0, 3

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, int]] = []
        self.here = {1: 0, 2: 0}

    def Send(self, word: bytes, rank: int, tag: int) -> None:
        self.sent.append((word, rank))
        self.here[rank] = 1

    def Iprobe(self, rank: int, tag: int) -> bool:
        return self.here[rank] > 0

    def Recv(self, memory: bytearray, rank: int, tag: int) -> None:
        memory[:] = HERE
        self.here[rank] -= 1


class Block:
    """A block in which the others work."""

    def __init__(self, comm: Comm) -> None:
        pass

    def __enter__(self) -> Block:
        return self

    def __exit__(self, *raised: object) -> None:
        pass


class User:
    """A pool."""


def test_two_threads_need_the_others_for_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_ranks, "MPICommExecutor", Block)
    monkeypatch.setattr(threading, "_register_atexit", lambda function: None)
    comm: Any = Comm()
    ranks = ProgramRanks(comm)
    users = [User(), User()]
    found: list[Any] = []
    call = ranks._call
    other = threading.Thread(target=lambda: found.append(ranks.lead(users[1])), daemon=True)

    def called(word: bytes) -> None:
        if not other.ident:  # the second thread comes when the first one is about to call
            other.start()
            other.join(0.2)
        call(word)

    monkeypatch.setattr(ranks, "_call", called)
    found.append(ranks.lead(users[0]))
    other.join(20)
    assert not other.is_alive()
    assert comm.sent == [(WORK, 1), (WORK, 2)], "each is called once"
    assert len(found) == 2 and found[0] is found[1]
