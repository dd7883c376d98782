"""What a launcher prints on its way to a reader who has stopped: text waits, nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from scoopmpi.launch.beside.passing import Passing
from scoopmpi.watching.progress.received import Received
from scoopmpi.watching.progress.relayed import Message, packed
from scoopmpi.watching.progress.row import Row

MESSAGE = packed(Message([Row("simulate", 1, 2)], []))


class Stopped:
    """A pipe that is full, and what a launcher has written for it."""

    def __init__(self) -> None:
        self._read, self.target = os.pipe()
        os.set_blocking(self.target, False)
        self._filled = b""
        try:
            while True:
                self._filled += b"." * os.write(self.target, b"." * 4096)
        except BlockingIOError:
            os.set_blocking(self.target, True)
        self.passing = Passing((self.target, self.target))
        (self.source,) = self.passing.sources

    def prints(self, data: bytes) -> None:
        os.write(self.passing.ends[0], data)

    def goes_on(self) -> bytes:
        """Have the reader go on, and return what comes after what was there."""
        while self._filled:
            self._filled = self._filled[len(os.read(self._read, len(self._filled))) :]
        os.set_blocking(self._read, False)
        try:
            return os.read(self._read, 4096)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.passing.close()
        os.close(self._read)
        os.close(self.target)


@pytest.fixture
def stopped() -> Iterator[Stopped]:
    found = Stopped()
    yield found
    found.close()


def test_text_stays_where_it_is_while_the_job_runs(stopped: Stopped) -> None:
    stopped.prints(b"text")
    assert stopped.passing.pass_on(stopped.source) and stopped.passing.passed == 0
    stopped.passing.close_ends()
    assert stopped.goes_on() == b""
    assert stopped.passing.pass_on(stopped.source) and stopped.goes_on() == b"text"
    assert not stopped.passing.pass_on(stopped.source)


def test_the_end_of_all_text_needs_no_room(stopped: Stopped) -> None:
    stopped.passing.close_ends()
    assert not stopped.passing.pass_on(stopped.source, last=True)
    assert stopped.passing.sources == stopped.passing.waiting == ()


def test_text_waits_at_the_end_until_there_is_room(stopped: Stopped) -> None:
    stopped.prints(b"text")
    for _ in range(2):
        assert stopped.passing.pass_on(stopped.source, last=True)
        assert stopped.passing.waiting == (stopped.source,)
        stopped.prints(b" and more")
    assert stopped.goes_on() == b""
    assert stopped.passing.pass_on(stopped.source, last=True) and stopped.goes_on() == b"text"
    assert stopped.passing.waiting == ()
    stopped.passing.close_ends()
    assert stopped.passing.pass_on(stopped.source, last=True)
    assert stopped.goes_on() == b" and more" * 2
    assert not stopped.passing.pass_on(stopped.source, last=True)


def test_nobody_is_waited_for_once_that_is_given_up(stopped: Stopped) -> None:
    stopped.prints(b"text")
    assert stopped.passing.pass_on(stopped.source, last=True)
    stopped.passing.give_up()
    assert stopped.passing.waiting == ()
    stopped.prints(b"more")
    stopped.passing.close_ends()
    assert stopped.passing.pass_on(stopped.source, last=True)
    assert not stopped.passing.pass_on(stopped.source, last=True)
    assert stopped.goes_on() == b""


@pytest.mark.parametrize("cut", [5, len(MESSAGE) - 5])
def test_what_rank_0_says_of_jobs_needs_no_room(stopped: Stopped, cut: int) -> None:
    """Nor where it comes in pieces; the text between is whole, and what only looks like one."""
    bar, passing = Received({}, ours=lambda: False), stopped.passing
    passing.put, passing.sift, passing.put_text = bar.write, bar.sift, bar.put_text
    for piece in (MESSAGE + MESSAGE[:cut], MESSAGE[cut:]):
        stopped.prints(piece)
        assert passing.pass_on(stopped.source, last=True) and passing.waiting == ()
    stopped.prints(b"te" + MESSAGE + b"xt" + MESSAGE[:5])
    passing.close_ends()
    assert passing.pass_on(stopped.source, last=True) and stopped.goes_on() == b""
    assert passing.pass_on(stopped.source, last=True) and stopped.goes_on() == b"text"
    assert not passing.pass_on(stopped.source, last=True)
    assert stopped.goes_on() == MESSAGE[:5]


def test_what_only_looks_like_such_a_word_is_text_at_the_end(stopped: Stopped) -> None:
    bar, passing = Received({}, ours=lambda: False), stopped.passing
    passing.put, passing.sift, passing.put_text = bar.write, bar.sift, bar.put_text
    stopped.prints(MESSAGE[:5])
    passing.close_ends()
    assert passing.pass_on(stopped.source, last=True) and passing.waiting == ()
    assert passing.pass_on(stopped.source, last=True) and passing.waiting == (stopped.source,)
    assert stopped.goes_on() == b""
    assert passing.pass_on(stopped.source, last=True) and stopped.goes_on() == MESSAGE[:5]
    assert not passing.pass_on(stopped.source, last=True)
