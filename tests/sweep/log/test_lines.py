"""The lines of a log: those of the worker framework as its readers want them, and ours."""

from __future__ import annotations

import json
import locale
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.log import lines

from .ends import HEADER, OLD, WHEN, end

READERS = re.compile(r"^(\d+) (started|completed|failed) by (\d+) at (.+?)(: (\d+))?$")
"""What readers of the worker framework's logs look for."""


def theirs(text: bytes) -> list[tuple[str, ...]]:
    found = (READERS.match(line) for line in text.decode().splitlines())
    return [(each[1], each[2], each[3], each[4], each[6] or "") for each in found if each]


def test_readers_of_the_worker_framework_find_their_lines() -> None:
    text = HEADER + lines.items(3, 1, 1) + lines.started(7, 3, WHEN)
    text += lines.ended(end(7, started=WHEN)) + lines.ended(end(8, status=-9)) + lines.over(WHEN)
    date = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(WHEN)).replace(" 02", "  2")
    assert theirs(text)[:2] == [("7", "started", "3", date, ""), ("7", "completed", "3", date, "")]
    assert theirs(text)[2][1] == "failed" and theirs(text)[2][4] == "137"
    assert len(theirs(text)) == 3 and text.count(b"\n") == 8
    assert all(line[:2] == b"# " or line[:1].isdigit() for line in text.splitlines())


def test_the_dates_are_english_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    before = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("nl_BE.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert b" Sep  2 " in lines.started(7, 3, WHEN)
    finally:
        locale.setlocale(locale.LC_TIME, before)


@pytest.mark.parametrize(("how", "status"), [
    (end(7, status=3), b": 3"), (end(7, status=-15), b": 143"), (end(7, status=255), b": 255"),
    (end(7, why="time"), b": 1"), (end(7, status=-9, why="lost"), b": 137"),
])  # fmt: skip
def test_a_failure_is_one_for_other_readers_too(how: Ended, status: bytes) -> None:
    assert lines.ended(how).endswith(status + b"\n") and b" failed by 3 at " in lines.ended(how)


def test_what_the_end_of_the_job_has_ended_is_a_remark() -> None:
    assert lines.ended(end(7, status=-15, why="job")).count(b"\n") == 1
    assert lines.ended(end(7, status=-15, why="job")).startswith(b"# 7 ")


@settings(max_examples=100, deadline=None)
@given(
    host=st.text(max_size=30), why=st.text(max_size=60).filter(lambda text: text != "job"),
    number=st.integers(0, 10**18 - 1), status=st.integers(-64, 255),
    seconds=st.floats(0, 1e7), digest=st.binary(min_size=8, max_size=8),
)  # fmt: skip
def test_whatever_ends_how_is_read_again(
    host: str, why: str, number: int, status: int, seconds: float, digest: bytes
) -> None:
    how = end(number, digest, status, host=host, why=why, seconds=seconds, started=WHEN)
    (found,) = lines.ENTRIES.findall(lines.ended(how))
    entry = lines.Entry(*found)
    assert int(entry.ended) == int(entry.noted) == number
    assert bytes.fromhex(entry.digest.decode()) == digest
    assert (entry.word == b"completed") == how.well
    detail = lines.detail_of(entry.detail)
    assert detail is not None and detail.why == why and detail.signal == max(-status, 0)
    assert detail.seconds == pytest.approx(seconds, abs=0.001)


def test_words_that_are_no_text_come_through_a_header() -> None:
    words = ["a\nb", "\udcff", "é", '"']
    line = lines.run({"words": words, "directory": Path("/x")})
    assert line.count(b"\n") == 1
    assert lines.facts(line.rstrip()) == {"words": words, "directory": "/x"}
    assert lines.facts(b"# items 3") is None and lines.facts(HEADER[:30]) == {}


@pytest.mark.parametrize("seconds", [0.0, WHEN, 1.0e9, 4.0e9])
def test_a_date_is_read_as_it_was_written(seconds: float) -> None:
    assert lines.moment(time.ctime(seconds).encode()) == seconds


def test_counts_are_read_as_they_were_written() -> None:
    assert lines.counted(lines.items(1000, 812, 3).rstrip()) == (1000, 812, 3)
    assert lines.counted(b"# items 5") == (5, 0, 0) and lines.counted(b"# items x") is None
    assert lines.detail_of(b"x y z") is None and lines.detail_of(b"1.0") is None
    assert json.loads(lines.ended(end(1, OLD, -9)).split(b"\n")[0][-13:]) == {"signal": 9}
    assert lines.signal_name(9) == "SIGKILL" and lines.signal_name(200) == "signal 200"
