"""Logs as crashes, full disks and people leave them: what has not ended is never taken as done."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.log import history, lines, reading
from scoopmpi.sweep.log.known import State
from scoopmpi.sweep.log.summary import done as done_of
from scoopmpi.sweep.log.summary import summary

from .ends import HEADER, NEW, OLD, WHEN, end, known, whole

NUMBERS = range(14)
WORKERS = b"""\
11 started by 1 at Fri Sep  2 11:47:45 2016
11 completed by 1 at Fri Sep  2 11:48:45 2016
1 started by 2 at Fri Sep  2 11:48:45 2016
1 failed by 2 at Fri Sep  2 11:50:00 2016: 12
"""


def run_of(chance: random.Random, digest: bytes = OLD) -> tuple[bytes, set[int]]:
    """A run as it would be written, and the items that are done in it."""
    text, done = HEADER, set()
    for number in chance.sample(NUMBERS, 6):
        how = end(number, digest, chance.choice([0, 0, 1, -9]), why=chance.choice(["", "", "job"]))
        shape = chance.randrange(3)
        if shape:
            text += lines.started(number, 3, WHEN)
        if shape < 2:
            text += lines.ended(how)
            done |= {number} if how.well else set()
    return text + (lines.over(WHEN) if chance.random() < 0.5 else b""), done


def done(text: bytes, digest: bytes = OLD) -> set[int]:
    found = known(text)
    return {number for number in NUMBERS if found.state(Item(number, (), digest)) is State.DONE}


@pytest.mark.parametrize("seed", range(6))
def test_a_log_that_is_torn_anywhere_and_gone_on_with(seed: int) -> None:
    """The next run begins a line of its own behind what was torn."""
    chance = random.Random(seed)
    first, of_first = run_of(chance)
    second, of_second = run_of(chance)
    touched = {number for number in NUMBERS if f"\n{number} ".encode() in second}
    for place in range(len(first) + 1):
        torn = first[:place]
        whole_ones = {number for number in of_first if _end_of(first, number) <= place}
        assert done(torn) == whole_ones, place
        mended = torn + (b"" if torn[-1:] in (b"\n", b"") else b"\n") + second
        found = done(mended)
        assert whole_ones - touched <= found and of_second <= found
        assert found <= of_first | of_second
        assert not done(mended, NEW)


def _end_of(text: bytes, number: int) -> int:
    place = text.index(f"\n{number} completed".encode()) + 1
    return text.index(b"\n", place) + 1


@pytest.mark.parametrize("place", range(len(WORKERS) + 1))
def test_a_torn_log_of_the_worker_framework(place: int) -> None:
    """No end of one number is taken for one of another: 1 was not done in any of these."""
    assert done(WORKERS[:place]) <= {11}
    assert done(WORKERS[:place] + b"\n" + HEADER) <= {11}


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400), seed=st.integers(0, 99))
def test_any_bytes_among_lines(data: bytes, seed: int) -> None:
    """No bytes raise; and where they are not lines of ours themselves, no item is done by them."""
    chance = random.Random(seed)
    text, expected = run_of(chance)
    pieces = text.splitlines(keepends=True)
    place = chance.randrange(len(pieces) + 1)
    known(data), known(data + text)
    found = done(b"".join((*pieces[:place], data, b"\n", *pieces[place:])))
    assert found <= expected
    told = history.History(io.BytesIO(data + text))
    summary(told)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), holes=st.integers(1, 4))
def test_pieces_that_are_missing_or_zero(seed: int, holes: int) -> None:
    """Network file systems leave zeros where two have written, or a host has crashed."""
    chance = random.Random(seed)
    text, expected = run_of(chance)
    damaged = bytearray(text)
    for _ in range(holes):
        begin = chance.randrange(len(HEADER), len(damaged))
        size = chance.randrange(1, 200)
        gone = bytes(len(damaged[begin : begin + size])) if chance.random() < 0.5 else b""
        damaged[begin : begin + size] = gone
        if len(damaged) <= len(HEADER):
            return
    found = done(bytes(damaged))
    assert found <= expected
    told = history.History(io.BytesIO(bytes(damaged)))
    assert found == {*done_of(told).tolist()} and summary(told).standing.done == len(found)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_summary_and_known_agree(seed: int) -> None:
    chance = random.Random(seed)
    text = b"".join(run_of(chance)[0] for _ in range(chance.randint(1, 3)))
    told, found = history.History(io.BytesIO(text)), known(text)
    standing = summary(told).standing
    states = [found.state(Item(number, (), OLD)) for number in NUMBERS]
    assert standing.done == states.count(State.DONE)
    assert standing.failed == states.count(State.FAILED)


def test_a_block_that_is_one_remark_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 16)
    assert done(lines.run({"words": ["x" * 100]}) + whole(end(7))) == {7}
