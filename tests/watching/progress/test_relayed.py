"""Rows on their way through a launcher, cut in pieces anywhere, and drawn by the command."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.output.outlet import Outlet
from scoopmpi.watching.progress import received
from scoopmpi.watching.progress.received import Received
from scoopmpi.watching.progress.relayed import MOST_BYTES, Message, Relay, Taken, packed, unpacked
from scoopmpi.watching.progress.row import Busy, Row
from tests.support.screens import ScreenAt

ROWS = [
    Row("simulate \x07\n\x1b[J 模", 1, 2, rate=0.5, left=3.0, failed=1, busy=Busy(1, 2, 1)),
    Row("all", 3, None),
]
MESSAGE = Message(ROWS, ROWS[:1], True)


def test_a_message_is_a_line_and_comes_back_as_it_was() -> None:
    data = packed(MESSAGE)
    assert unpacked(data[len(b"\x1b]scoopmpi;") : -2]) == MESSAGE
    assert data.count(b"\n") == 1 and data.endswith(b"\x07\n") and data.count(b"\x1b") == 1


@pytest.mark.parametrize("bad", [b"", b"1", b"[]", b"[[[1]], [], 0]", b"[[], 3, 0]", b"\xff"])
def test_what_is_no_message_is_left_out(bad: bytes) -> None:
    with pytest.raises(ValueError):
        unpacked(bad)
    assert Taken().take(b"a\x1b]scoopmpi;" + bad + b"\x07\nb") == [b"a", b"b"]


def test_messages_are_found_wherever_the_bytes_are_cut() -> None:
    text = b"one\n\x1b[1mtwo\x1b]0;a title\x07\x1b]" + packed(MESSAGE) + b"three\x1b]scoop\n"
    turn = random.Random(14)
    for _ in range(500):
        cuts = sorted(turn.randint(0, len(text)) for _ in range(turn.randint(0, 6)))
        taken, pieces = Taken(), []
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            if begin < end:
                pieces += taken.take(text[begin:end])
        pieces += taken.take(b"")
        at = pieces.index(MESSAGE)
        before, after = pieces[:at], pieces[at + 1 :]
        assert b"".join(before) == b"one\n\x1b[1mtwo\x1b]0;a title\x07\x1b]"  # type: ignore[arg-type]
        assert b"".join(after) == b"three\x1b]scoop\n"  # type: ignore[arg-type]


def test_what_only_begins_like_a_message_is_not_kept_for_ever() -> None:
    taken = Taken()
    begun = b"\x1b]scoopmpi;" + b"x" * 100
    assert taken.take(begun) == [] and taken.take(b"") == [begun]
    assert taken.take(b"\x1b]scoopmpi;" + b"x" * MOST_BYTES)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScreenAt]:
    made = ScreenAt(60, 10)
    monkeypatch.setattr(received, "STDERR", made.fd)
    yield made
    made.close()


def test_the_command_draws_below_all_that_comes(screen: ScreenAt) -> None:
    """From rank 0, from other ranks past it, on two ways: each line is whole, the bar below."""
    command = Received({"TERM": "xterm"}, lambda: True)
    rows = [Row("f", 1, 2, busy=Busy(2, 2))]
    command.write(screen.fd, b"first\n" + packed(Message(rows, [])), source=0)
    command.write(screen.fd, b"of C\nand more\nand more\n", source=1)
    lines = screen.look()
    assert lines[:5] == ["first", "of C", "and more", "and more", ""]
    assert "1/2" in lines[5] and len(lines) == 6
    half = packed(Message([], [Row("f", 2, 2, took=1.0)]))
    command.write(screen.fd, half[:20], source=0)
    command.write(screen.fd, b"between\n", source=1)
    command.write(screen.fd, half[20:] + b"result\n", source=0)
    lines = screen.look()
    assert lines[4] == "between" and "2/2" in lines[5] and lines[6:] == ["result"]


def test_nothing_is_drawn_while_another_has_the_terminal(screen: ScreenAt) -> None:
    command = Received({"TERM": "xterm"}, lambda: False)
    command.write(screen.fd, b"text\n" + packed(Message(ROWS, [])))
    assert screen.look() == ["text"]
    command.leave()


def test_the_end_leaves_nothing_of_a_bar(screen: ScreenAt) -> None:
    command = Received({"TERM": "xterm"}, lambda: True)
    command.leave()
    command.write(screen.fd, b"text\n" + packed(Message(ROWS, [])))
    assert len(screen.look()) == 4
    command.leave()
    assert screen.look() == ["text"]


def test_other_files_get_their_bytes_as_they_are(screen: ScreenAt) -> None:
    read, write = os.pipe()
    command = Received({"TERM": "xterm"}, lambda: True)
    command.write(screen.fd, packed(Message(ROWS, [])), source=0)
    command.write(write, b"half a ", source=1)
    command.write(write, b"line\x1b]x", source=1)
    command.write(write, b"", source=1)
    os.close(write)
    assert os.read(read, 100) == b"half a line\x1b]x"
    os.close(read)


def test_rank_0_sends_what_stays_before_what_the_program_prints() -> None:
    read, write = os.pipe()
    outlet, staying = Outlet(), [[Row("f", 2, 2)]]
    outlet.takes(write)
    relay = Relay(write, outlet, lambda: staying.pop() if staying else (), os.fstat(write))
    relay.show([])
    relay.show(ROWS)
    with outlet.lock:
        assert not outlet.quick(write, b"a\n", 1)
        outlet.put(write, b"a\n", 1)
        staying.append([Row("g", 1, 1)])
        outlet.put(write, b"b\n", 1)
    relay.leave()
    assert outlet.below is None
    pieces = Taken().take(os.read(read, 1 << 16))
    shown = [
        piece if isinstance(piece, bytes) else [row.title for row in piece.stay] for piece in pieces
    ]
    assert shown == [["f"], b"a\n", ["g"], b"b\n", []]
    os.close(read)
    os.close(write)


def test_rank_0_waits_for_nobody() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    relay = Relay(write, Outlet(), lambda: (), os.fstat(write))
    relay.show(ROWS)  # it would wait for ever
    relay.leave()
    os.close(read)
    os.close(write)


def test_a_file_that_a_program_has_put_in_the_place_of_its_stderr_gets_no_messages(
    tmp_path: Path,
) -> None:
    read, write = os.pipe()
    outlet, staying = Outlet(), [[Row("f", 2, 2)]]
    outlet.takes(write)
    relay = Relay(write, outlet, lambda: staying.pop() if staying else (), os.fstat(write))
    relay.show(ROWS)
    own, theirs = os.dup(write), os.open(tmp_path / "err", os.O_RDWR | os.O_CREAT)
    os.dup2(theirs, write)
    relay.show(ROWS)
    staying.append([Row("g", 1, 1)])
    with outlet.lock:
        outlet.put(write, b"of the program\n", 1)
    relay.show([])
    assert (tmp_path / "err").read_bytes() == b"of the program\n"
    os.dup2(own, write)
    relay.show(ROWS)
    messages = Taken().take(os.read(read, 1 << 16))
    stay = [each.stay for each in messages if isinstance(each, Message)]
    assert [[row.title for row in rows] for rows in stay] == [["f"], ["g"]]
    for each in (read, write, own, theirs):
        os.close(each)
    relay.show(ROWS)  # where there is no file any more nothing happens
    relay.leave()
