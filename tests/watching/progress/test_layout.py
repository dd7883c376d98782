"""Rows as text: how they look in terminals of each width, and in a log. No terminal, no ranks."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from scoopmpi.watching.progress import wording
from scoopmpi.watching.progress.layout import Layout
from scoopmpi.watching.progress.row import Busy, Row
from tests.support.screens import Shown

BUSY = Busy(16, 16)
ONE = Row("simulate", 371, 1000, rate=12.3, left=51.0, busy=BUSY)
SEVERAL = [
    ONE._replace(failed=3, retried=1, busy=None),
    Row("refine", 40, 400, rate=0.018, left=3271.0),
    Row("submitted calls", 12, None, rate=4.2),
    Row("all", 423, 1700, left=3271.0, failed=3, retried=1, busy=Busy(15, 16, 1)),
]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLORTERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def drawn(rows: list[Row], width: int) -> list[str]:
    """What is seen of rows, whose lines must all have room in the width."""
    found = []
    for line in Layout().lines(rows, width):
        text = re.sub(r"\x1b\[[0-9;]*m", "", line.decode())
        assert cell_len(text) <= width and "\x1b" not in text
        found.append(text)
    return found


@pytest.mark.parametrize("width", [*range(10, 130), 200, 500])
def test_lines_have_room_in_each_width(width: int) -> None:
    for rows in (
        [ONE],
        SEVERAL,
        [ONE._replace(title="x" * 300)],
        [ONE._replace(title="模型" * 99)],
    ):
        lines = drawn(rows, width)
        assert len(lines) == len(rows)
        if width >= 40:
            assert "371/1000" in lines[0] and "51 s left" in lines[0]


def test_what_has_no_room_goes_in_the_order_of_its_worth() -> None:
    def parts(width: int) -> list[str]:
        line = drawn([ONE._replace(failed=3)], width)[0]
        return [part for part in ("busy", "/s", "failed", "━", "left", "/1000") if part in line]

    assert parts(100) == ["busy", "/s", "failed", "━", "left", "/1000"]
    assert parts(62) == ["/s", "failed", "━", "left", "/1000"]
    assert parts(52) == ["failed", "━", "left", "/1000"]
    assert parts(42) == ["━", "left", "/1000"]
    assert parts(32) == ["left", "/1000"]
    assert parts(20) == ["/1000"]


def test_columns_of_several_rows_stand_below_each_other() -> None:
    lines = drawn(SEVERAL, 100)
    counts = [re.search(r"\d+/\d+|\d+ done", line) for line in lines]
    assert len({count.end() for count in counts if count is not None}) == 1
    assert lines[0].index("51 s left") == lines[1].index("55 min left")
    assert lines[3].endswith("15/16 busy, 1 lost")


def test_columns_do_not_jump_while_numbers_change() -> None:
    layout = Layout()
    before = layout.lines([ONE._replace(left=130.0)], 80)[0]
    after = layout.lines([ONE._replace(left=9.0, rate=None)], 80)[0]
    assert before.decode().index("371/") == after.decode().index("371/")
    assert layout.lines([ONE], 60) != layout.lines([ONE], 80)


def test_wide_letters_count_as_two_cells() -> None:
    screen = Shown(60, 3)
    screen.feed(Layout().lines([ONE._replace(title="模型" * 30)], 59)[0])
    assert len(screen.lines) == 1 and "371/1000" in screen.lines[0].replace(" ", "")


def test_the_bar_is_as_long_as_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # what is not done is blank there
    for done in (0, 250, 500, 1000):
        line = drawn([Row("f", done, 1000)], 60)[0]
        whole = drawn([Row("f", 1000, 1000)], 60)[0].count("━")
        assert abs(line.count("━") - whole * done / 1000) <= 1
    assert "━" in drawn([Row("f", 0, 0)], 60)[0]  # of nothing all is done
    assert "━" not in drawn([Row("f", 5, None)], 60)[0]


def test_colours_are_as_the_user_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def colours() -> set[str]:
        screen = Shown(100, 3)
        screen.feed(Layout().lines(SEVERAL, 99)[0])
        return screen.colours

    assert colours()
    monkeypatch.setenv("TERM", "xterm")
    assert colours()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours()


def test_a_terminal_without_such_letters_gets_others() -> None:
    line = Layout("ascii").lines([ONE._replace(title="é")], 80)[0]
    assert line.isascii() and b"371/1000" in line and b"-----" in line


def test_what_stays_has_no_room_for_what_others_show() -> None:
    layout = Layout()
    layout.lines(SEVERAL, 100)
    alone = Layout().lines([Row("f", 2, 2, took=3.0)], 100)
    assert layout.once([Row("f", 2, 2, took=3.0)], 100) == alone


def test_lines_of_a_log() -> None:
    assert wording.line(ONE._replace(title="simulate")) == (
        "simulate: 371 of 1000 done, 12.3/s, 51 s left, 16 of 16 workers busy"
    )
    assert wording.line(Row("f", 12, None, rate=0.5)) == "f: 12 done, 30/min"
    assert wording.line(Row("f", 9, 10, note="map 3", failed=1, retried=2, recalled=4)) == (
        "f (map 3): 9 of 10 done, 1 failed, 2 retried, 4 from the checkpoint"
    )
    assert wording.line(Row("f", 10, 10, took=81.0, rate=2.0)) == "f: 10 of 10 done in 81 s, 2/s"
    assert wording.line(SEVERAL[3]).endswith("15 of 16 workers busy, 1 worker lost")
    assert wording.line(Row("a\nb\x1b[2J\r", 1, 2)) == "a b [2J: 1 of 2 done"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"), (51.4, "51 s"), (99.4, "99 s"), (100, "1 min 40 s"), (599, "9 min 59 s"),
        (1620, "27 min"), (3599, "60 min"), (3600, "1 h 00 min"), (90000, "1 d 01 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text
    assert wording.duration(0.25, exact=True) == "0.2 s"


@pytest.mark.parametrize(
    ("rate", "text"),
    [(1234.5, "1234/s"), (12.34, "12.3/s"), (1, "1/s"), (0.5, "30/min"), (0.001, "3.6/h")],
)
def test_rates(rate: float, text: str) -> None:
    assert wording.rate(rate) == text
