"""Bytes that are no message: what the transport makes of them, and what becomes of the farm.

Only ranks of the same job can send any, so pickles are trusted (`transport`); what is broken all
the same is an error at once, never a wait, a crash of the interpreter or the end of the memory.
"""

from __future__ import annotations

import math
import pickle
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.wire import messages
from scoopmpi.wire.messages import KINDS, NUMBERS
from scoopmpi.wire.transport import LARGE, TAG_ALONE, TAG_WITH_BUFFERS, Garbled, MPITransport
from scoopmpi.wire.under_way import UnderWay
from tests.support.libraries import Library
from tests.support.limited import little_memory
from tests.support.starting import start_ranks

__all__ = ["little_memory"]
pytestmark = pytest.mark.timeout(60)


class MPIError(Exception):
    """The error of an MPI library that has nothing to say of dead ranks."""

    def Get_error_class(self) -> int:
        return -1


class Wire:
    """A communicator, its status and the MPI module in one: what is sent is what arrives."""

    Exception = MPIError
    ANY_SOURCE = ANY_TAG = BYTE = source = 0

    def __init__(self) -> None:
        self.buffer = self
        self.sent: deque[tuple[bytes, int]] = deque()
        self.tag = 0

    def allocate(self, size: int) -> bytearray:
        return bytearray(size)

    def Isend(self, data: list[Any], to: int, tag: int) -> Any:
        self.sent.append((bytes(data[0]), tag))
        return self

    def Test(self) -> bool:
        return True

    def Iprobe(self, source: int, tag: int, status: Wire) -> bool:
        self.tag = self.sent[0][1] if self.sent else 0
        return bool(self.sent)

    def Get_count(self, of: int) -> int:
        return len(self.sent[0][0])

    def Recv(self, into: list[Any], source: int, tag: int) -> None:
        if not self.sent or self.sent[0][1] != tag or len(self.sent[0][0]) > len(into[0]):
            raise MPIError("truncated, or it never comes")
        data, _ = self.sent.popleft()
        into[0][: len(data)] = data


def transport() -> tuple[MPITransport, Wire]:
    made, wire = MPITransport.__new__(MPITransport), Wire()
    made._lines = {}
    made._mpi, made._comm, made._status = wire, wire, wire
    made.rank, made.size = 0, 2
    made._under_way = UnderWay(made._note_the_dead)
    made._dead, made._unsaid = set(), deque()
    return made, wire


def arriving(*parts: tuple[bytes, int]) -> Any:
    """What the transport hands out for these bytes, each with its tag."""
    made, wire = transport()
    wire.sent.extend(parts)
    received = made.receive()
    return None if received is None else received[1]


def test_a_library_that_looks_before_it_takes_in_is_asked_twice() -> None:
    """Else each message would wait for two pauses: Open MPI and MPICH do so."""
    made, wire = transport()
    wire.sent.extend(sent(messages.Forget(7)))
    probe, asked = wire.Iprobe, []

    def late(*words: Any) -> bool:
        asked.append(words)
        return len(asked) > 1 and probe(*words)

    wire.Iprobe = late  # type: ignore[method-assign]
    assert made.receive() == (0, messages.Forget(7))


def sent(message: Any) -> list[tuple[bytes, int]]:
    made, wire = transport()
    made.send(1, message)
    return list(wire.sent)


LARGE_FRAME = (b"head", pickle.PickleBuffer(bytes(LARGE + 3)), pickle.PickleBuffer(b"small"))
MESSAGES: tuple[Any, ...] = (
    messages.Run(1, 0, 9, 0.03, 2, 7, b"code", True, b"columns"),
    messages.Run(2, 3, 5, math.inf, 0, 0, None, False, (b"a", LARGE_FRAME), attempt=3),
    messages.Forget(7),
    messages.StealRequest(3),
    messages.Ceased(5),
    messages.Finish(1, True),
    messages.Returned(1, 0, 2, False, (b"x", b"y"), (1,)),
    messages.ConstantsSet(4, 5, "set already"),
    messages.Stop(),
    messages.Observe(),
    messages.GiveUp((3, 5)),
    messages.Reconfigured(1, {"encoding": "latin-1", "errors": None, "newline": "\n"}),
    messages.Joined(
        "n1", 4711, "n1:host", frozenset(("square", "tree")), ("10.1.2.3", "fe80::1"), b"late\n"
    ),
    messages.ImportFailed("n1", "ImportError: no module", b"loading\n"),
    messages.Finished(1, 0, 9, 0.5, 9, 9, True, LARGE_FRAME, ()),
    messages.Finished(1, 0, 2, 0.5, 2, 2, False, (b"x", b"y"), (0, 1), again=(1,)),
    messages.Waiting(1, 3),
    messages.Resumed(1, 3),
    messages.Offered(5, 0, 4, b"code", True, True, b"columns", name="square"),
    messages.Revoked(5),
    messages.Rest(1, False),
    messages.SetConstants(1, {"table": b"frame", "other": LARGE_FRAME}),
    messages.Printed(2, bytes(range(256)), 7),
    messages.Left(),
    messages.BroadcastConstants(3, {"table": b"frame"}, (2, (3, (4,)))),
    messages.BufferRequest(6),
    messages.LentBuffers(4, (b"buffer", b"another"), (2, (3, (4,)))),
    messages.LentRequest(4, True),
    messages.Forgot((4, 5)),
)


def plain(value: Any) -> Any:
    """Buffers as their bytes."""
    if isinstance(value, pickle.PickleBuffer | bytearray | memoryview):
        return bytes(value.raw() if isinstance(value, pickle.PickleBuffer) else value)
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    received = arriving(*sent(message))
    assert type(received) is type(message)
    assert plain(tuple(received)) == plain(tuple(message))


def test_these_are_all_messages() -> None:
    assert {type(message) for message in MESSAGES} == set(KINDS) == set(NUMBERS)


def a_message_or_an_error(*parts: tuple[bytes, int]) -> None:
    """The error ends the rank, see below; any other fails the test that calls this."""
    try:
        received = arriving(*parts)
    except (Garbled, MPIError) as problem:
        assert str(problem)
    else:
        assert type(received) in KINDS


FIRSTS = st.sampled_from([sent(message) for message in MESSAGES])
TAGS = st.sampled_from((TAG_ALONE, TAG_WITH_BUFFERS))


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=200), TAGS)
def test_random_bytes(data: bytes, tag: int) -> None:
    a_message_or_an_error((data, tag))


@settings(deadline=None, max_examples=500)
@given(FIRSTS, st.data())
def test_messages_that_are_cut_off(parts: list[tuple[bytes, int]], data: Any) -> None:
    (head, tag), *buffers = parts
    length = data.draw(st.integers(0, len(head) - 1))
    kept = data.draw(st.integers(0, len(buffers)))
    a_message_or_an_error((head[:length], tag), *buffers[:kept])


@settings(deadline=None, max_examples=1000)
@given(FIRSTS, st.lists(st.tuples(st.integers(0), st.integers(1, 255)), min_size=1, max_size=4))
def test_messages_with_flipped_bits(
    parts: list[tuple[bytes, int]], flips: list[tuple[int, int]]
) -> None:
    head = bytearray(parts[0][0])
    for place, bits in flips:
        head[place % len(head)] ^= bits
    a_message_or_an_error((bytes(head), parts[0][1]), *parts[1:])


PLAIN = st.recursive(
    st.none() | st.integers() | st.floats() | st.binary() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(PLAIN | st.tuples(st.integers(-30, 30), PLAIN) | st.lists(PLAIN), TAGS)
def test_pickles_of_something_else(value: Any, tag: int) -> None:
    a_message_or_an_error((pickle.dumps(value, 5), tag))


# In a real farm.

PROGRAM = """
import gc, sys, time
from scoopmpi import futures
from scoopmpi.wire.transport import MPITransport

def garbage(to):
    link = next(each for each in gc.get_objects() if isinstance(each, MPITransport))
    link._comm.Send([b"garbage", link._mpi.BYTE], to, 1)
    time.sleep(60 if to == 0 else 0)

if __name__ == "__main__":
    if sys.argv[1] == "worker":
        garbage(1)
        list(futures.map(time.sleep, [0.01] * 500))
    elif sys.argv[1] == "rank 0":
        futures.submit(garbage, 0).result()
    else:  # while nobody waits for anything
        futures.submit(garbage, 0)
        time.sleep(0.5)
    print("this was not seen")
"""


@pytest.mark.parametrize("whom", ["rank 0", "worker"])
def test_a_rank_that_gets_garbage_ends_the_job(
    first_library: Library, tmp_path: Path, whom: str
) -> None:
    """Where a lost worker does; under ulfm only the worker that got it ends."""
    (tmp_path / "talks.py").write_text(PROGRAM)
    words = ["-m", "scoopmpi", "talks.py", whom]
    answer = start_ranks(first_library, 3, words, cwd=tmp_path, timeout=20)
    assert answer.returncode != 0 and "this was not seen" not in answer.stdout
    assert "Garbled: what rank " in answer.stderr


def test_garbage_while_nobody_waits_is_told(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "talks.py").write_text(PROGRAM)
    words = ["-m", "scoopmpi", "talks.py", "nobody"]
    answer = start_ranks(first_library, 2, words, cwd=tmp_path, timeout=20)
    assert "Garbled: what rank " in answer.stderr
