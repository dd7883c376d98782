"""Lines to workers that are no ranks of MPI: messages over a socket."""

from __future__ import annotations

import fcntl
import os
import random
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi.wire.line import Line, LineTransport
from scoopmpi.wire.messages import Left, Printed

pytestmark = pytest.mark.timeout(20)
Ends = tuple[Line, Line, list[bool]]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends of a line, and whether the process at the second one is said to be gone."""
    ours, theirs = socket.socketpair()
    gone: list[bool] = []
    with ours, theirs:
        yield Line(ours, lambda: bool(gone)), Line(theirs), gone


def test_messages_come_whole_and_in_order_whatever_their_size(ends: Ends) -> None:
    """A send never blocks; what the socket does not take yet goes out with later calls."""
    here, there, _ = ends
    chance = random.Random(3)
    sent = [os.urandom(chance.choice([0, 1, 7, 1000, 3 << 20])) for _ in range(40)]
    found: list[Any] = []
    for data in sent:
        here.send(Printed(1, data))
        if chance.random() < 0.5 and (message := there.receive()) is not None:
            found.append(message)
    while len(found) < len(sent):
        here.take()
        if (message := there.receive()) is not None:
            found.append(message)
    assert [message.data for message in found] == sent
    assert there.receive() is None


def test_a_large_message_comes_at_one_go(ends: Ends) -> None:
    """With a pause of who waits after each piece, 100 MB took seconds."""
    here, there, _ = ends
    other = threading.Thread(target=lambda: (there.put(there.wait()), there.flush()), daemon=True)
    other.start()
    here.put(bytes(50_000_000))
    turns = 1
    while (found := here.take()) is None:
        turns += 1
        time.sleep(0.005)
    other.join()
    assert len(found) == 50_000_000
    assert turns < 100, "it takes 470 in pieces of 208 kB, which a socket of Linux holds"


def test_a_program_may_have_a_thousand_files_open() -> None:
    """`select.select` takes no file with a number above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip("so many files are not allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    ours, theirs = socket.socketpair()
    try:
        number = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 1100)
        with socket.socket(fileno=number) as high, theirs:
            here, there = Line(high), Line(theirs)
            here.put(bytes(1 << 20))
            other = threading.Thread(target=here.flush, daemon=True)
            other.start()
            assert there.wait() == bytes(1 << 20)
            other.join()  # one end is for one thread at a time
            there.send(Left())
            assert here.wait() is not None
    finally:
        ours.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_was_sent_before_the_end_still_comes(ends: Ends) -> None:
    here, there, _ = ends
    there.send(Left())
    there.flush()
    there._end.close()
    assert here.receive() == Left()
    assert not here.ended
    assert here.receive() is None
    assert here.ended
    here.send(Left())  # for nobody
    here.flush()


def test_a_process_that_has_gone_may_have_left_the_line_open(ends: Ends) -> None:
    """A process of a task holds it, say."""
    here, there, gone = ends
    there.send(Left())
    gone.append(True)
    assert here.receive() == Left()
    assert here.receive() is None
    assert here.ended


def test_a_flush_does_not_wait_for_who_has_gone(ends: Ends) -> None:
    here, _, gone = ends
    here.send(Printed(1, bytes(10 << 20)))
    gone.append(True)
    here.flush()
    assert here.ended
    assert here.wait() is None


def test_a_worker_speaks_to_rank_0_alone(ends: Ends) -> None:
    here, there, _ = ends
    worker = LineTransport(there, 3)
    worker.send(0, Left())
    worker.send(2, Left())
    assert here.receive() == Left()
    assert here.receive() is None
    here.send(Left())
    assert worker.receive() == (0, Left())
    assert worker.receive() is None
