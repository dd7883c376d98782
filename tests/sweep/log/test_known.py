"""What a log says of items: over several runs, edited tables, torn lines, other programs' logs."""

from __future__ import annotations

import io

import pytest

from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.log import last_words, lines, reading
from scoopmpi.sweep.log.known import Counts, Known, State
from scoopmpi.sweep.log.last_words import LastWords, Word

from .ends import HEADER, NEW, OLD, WHEN, end, known, state, whole

WORKERS = b"""\
1 started by 1 at Fri Sep  2 11:47:45 2016
7 started by 2 at Fri Sep  2 11:47:45 2016
7 completed by 2 at Fri Sep  2 11:48:45 2016
8 started by 2 at Fri Sep  2 11:48:45 2016
1 failed by 1 at Fri Sep  2 11:50:00 2016: 1
"""
"""A log of the worker framework."""
DONE, FAILED, AGAIN = whole(end(7)), whole(end(7, status=1)), lines.started(7, 2, WHEN)


@pytest.mark.parametrize(("runs", "expected"), [
    ([b""], State.NEW),
    ([AGAIN], State.NEW),
    ([DONE], State.DONE),
    ([FAILED], State.FAILED),
    ([FAILED, DONE], State.DONE),
    ([FAILED + DONE], State.DONE),  # tried again in one run
    ([whole(end(8)), DONE, whole(end(9))], State.DONE),
    ([AGAIN + whole(end(8)) + lines.ended(end(7))], State.DONE),
    ([whole(end(7, NEW))], State.CHANGED),
    ([whole(end(7, NEW, 1))], State.CHANGED),  # its command was put right: it runs without --retry
    ([DONE, whole(end(7, NEW))], State.CHANGED),  # edited, run, and edited back
    ([whole(end(7, NEW)), DONE], State.DONE),
    ([DONE, AGAIN], State.NEW),  # of a row that was edited meanwhile: what it has left is mixed
    ([FAILED, AGAIN], State.NEW),
    ([AGAIN + lines.ended(end(7, status=-15, why="job"))], State.NEW),
    ([FAILED, AGAIN + lines.ended(end(7, status=-15, why="job"))], State.NEW),
])  # fmt: skip
def test_the_last_word_counts(runs: list[bytes], expected: State) -> None:
    text = b"".join(HEADER + run + lines.over(WHEN) for run in runs)
    assert state(text) is expected
    assert state(text.replace(b"\n", b"\r\n")) is expected


def test_a_log_of_the_worker_framework_goes_by_numbers() -> None:
    found = known(WORKERS)
    assert found.by_number and found.last_run is None and not found.strange
    states = [found.state(Item(number, (), OLD)) for number in (1, 7, 8, 9)]
    assert states == [State.FAILED, State.DONE, State.NEW, State.NEW]
    assert len(found) == 2
    more = known(WORKERS + HEADER + whole(end(8)))
    assert more.by_number and more.state(Item(8, (), NEW)) is State.CHANGED
    assert more.state(Item(7, (), NEW)) is State.DONE


def test_an_item_without_a_digest_is_taken_by_its_number() -> None:
    assert state(HEADER + whole(end(7, b""))) is State.DONE
    assert state(HEADER + whole(end(7, NEW)), digest=b"") is State.DONE


def test_an_end_of_ours_whose_digest_is_damaged_is_not_believed() -> None:
    text = HEADER + whole(end(7)) + whole(end(8))
    damaged = text.replace(OLD.hex().encode(), b"\0" * 16, 1)
    found = known(damaged)
    assert found.state(Item(7, (), OLD)) is State.NEW and found.strange == 1
    assert found.state(Item(8, (), OLD)) is State.DONE and not found.by_number


def test_an_end_behind_the_digest_of_another_item_is_not_believed() -> None:
    """As a gap in the file leaves it: a sweep's log is no proof of what it does not say whole."""
    of_seven, of_eight = lines.ended(end(7)), lines.ended(end(8))
    gap = of_seven[: of_seven.index(b"7 completed")] + of_eight[of_eight.index(b"8 completed") :]
    found = known(HEADER + gap)
    assert [found.state(Item(number, (), OLD)) for number in (7, 8)] == [State.NEW] * 2
    assert found.strange == 1


def test_strange_lines_are_counted_and_the_first_is_kept() -> None:
    text = HEADER + b"what is this?\n\n" + whole(end(7)) + b"7 complet\n" + b"# a remark\n"
    found = known(text)
    assert (found.strange, found.example) == (2, b"what is this?")
    assert found.state(Item(7, (), OLD)) is State.DONE


def test_who_has_run_last_and_whether_it_has_ended() -> None:
    assert known(b"").is_over and known(b"").last_run is None
    assert not known(HEADER).is_over and known(HEADER + lines.over(WHEN)).is_over
    text = HEADER + lines.over(WHEN) + lines.run({"pid": 7})
    assert known(text).last_run == {"pid": 7} and not known(text).is_over


def test_counts_of_an_edited_table() -> None:
    text = HEADER + b"".join(whole(end(number)) for number in range(1, 11))
    text += whole(end(11, status=1)) + lines.started(12, 1, WHEN)
    items = [Item(number, (), NEW if number == 3 else OLD) for number in (1, 2, 3, 11, 12, 13)]
    counts = known(text).count(items)
    assert counts == Counts(items=6, done=2, failed=1, changed=1, gone=7)
    assert str(counts) == (
        "2 of 6 are done, 1 has failed (--retry runs them again), 1 had another row or command"
        " and runs again, 7 are not among the items any more"
    )
    assert str(Counts(1000, 1, 0, 0, 0)) == "1 of 1000 is done"


@pytest.mark.parametrize("size", [1, 7, 64, 300, 4096])
def test_the_size_of_blocks_is_not_seen(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", size)
    text = WORKERS + HEADER + lines.items(20, 0, 0)
    text += b"".join(whole(end(number, status=number % 2)) for number in range(7, 20))
    found = known(text + b"20 completed by 3 at Fri Sep  2 11:48:45 2016")
    assert not found.strange and found.last_run is not None and len(found) == 14
    for number in range(7, 20):
        expected = State.FAILED if number % 2 else State.DONE
        assert found.state(Item(number, (), OLD)) is expected
    assert found.state(Item(20, (), OLD)) is State.NEW, "its line has no end yet"


def test_numbers_that_are_far_apart_and_asked_for_in_any_order() -> None:
    numbers = [5, 10**17, 3, 999, 10**18 - 1, 0]
    found = known(HEADER + b"".join(whole(end(number, started=WHEN)) for number in numbers))
    for number in (*numbers, *reversed(numbers)):
        assert found.state(Item(number, (), OLD)) is State.DONE
        assert found.state(Item(number + 1, (), OLD)) is State.NEW


def test_the_last_words_are_kept_however_often_they_are_sorted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_words, "_PENDING", 3)
    words, expected = LastWords(), {}
    for turn in range(500):
        number, digest = turn * 7919 % 50, (1 << 64) - 1 - turn
        words.add(number, digest, turn % 4)
        expected[number] = Word(digest, turn % 4)
    words.settle()
    assert len(words) == 50 and {number: words.of(number) for number in range(50)} == expected
    assert words.of(50) is None and words.of(10**18) is None


def test_nothing_is_known_of_an_empty_log() -> None:
    for found in (Known(), Known(io.BytesIO())):
        assert len(found) == 0 and found.state(Item(1, (), OLD)) is State.NEW


@pytest.mark.parametrize("begin", [
    b"a,b\n1,2\n", b"7 started by lunch\n", b"\x7fELF\2\1\1\0", b"# a script\necho\n",
    b"SQLite format 3\0", b"Seq\tHost\tStarttime\n", b"7\n", b"started", b"#!/bin/sh\n",
])  # fmt: skip
def test_what_is_no_log_is_told(begin: bytes) -> None:
    with pytest.raises(reading.NoLog, match=r"^t\.csv is not the log of a sweep: it begins with"):
        reading.check("t.csv", begin)


@pytest.mark.parametrize("begin", [
    b"", b"\n \n", HEADER, HEADER[:9], WORKERS, WORKERS[60:], b"# mine\n" + WORKERS,
    WORKERS.replace(b"\n", b"\r\n"), HEADER[:-1] + b"x" * 70000, b"torn 2 sta\n" + HEADER,
])  # fmt: skip
def test_what_may_be_a_log_is_taken(begin: bytes) -> None:
    reading.check("run.log", begin[: reading.LOOKED_AT])
