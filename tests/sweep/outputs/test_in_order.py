"""Outputs of items come out whole and in the order of the items, whatever order these end in."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.output.console import Console
from scoopmpi.output.outlet import Outlet
from scoopmpi.process import streams
from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.outputs.in_order import ENTRY, InOrder
from tests.sweep.outputs.items import ended, item

OUTPUT = st.tuples(st.binary(max_size=60), st.sampled_from([b"", b"e", b"err\n", b"a\nb"]))


def nothing(_: Ended) -> None:
    """For a sweep without a log."""


def put(sink: InOrder, end: Ended) -> None:
    """Give it what an item has written, and have it show what it may."""
    sink.add(end)
    sink.show()


class Streams(NamedTuple):
    """Files in the place of stdout and stderr, which a console of ours writes."""

    out: Path
    err: Path


@contextlib.contextmanager
def consoles(out: Path, err: Path) -> Iterator[Streams]:
    """Put consoles in the place of both streams; both may be one file."""
    before = sys.stdout, sys.stderr
    with open(out, "a") as first, open(err, "a") as second:
        outlet = Outlet()
        sys.stdout = Console(1, first, outlet, lambda *_: None)
        sys.stderr = Console(2, second, outlet, lambda *_: None)
        try:
            yield Streams(out, err)
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            sys.stdout, sys.stderr = before


def printed(order: Sequence[int], outputs: Sequence[tuple[bytes, bytes]], room: int) -> list[bytes]:
    """What a sweep prints whose items end in that order."""
    with tempfile.TemporaryDirectory() as place:
        files = Path(place, "out"), Path(place, "err")
        with consoles(*files):
            sink = InOrder(nothing, room)
            for number in range(len(outputs)):
                sink.expected(item(number))
            for number in order:
                sink.add(ended(number, *outputs[number]))
                if number % 3:  # not behind each
                    sink.show()
            assert sink.close() == 0
        return [file.read_bytes() for file in files]


def whole(data: bytes) -> bytes:
    return data + b"\n" * (data[-1:] not in (b"", b"\n") and b"\0" not in data)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(OUTPUT, max_size=12), st.sampled_from([0, ENTRY + 40, 1 << 20]))
def test_any_order_of_ends_prints_the_same(
    data: st.DataObject, outputs: list[tuple[bytes, bytes]], room: int
) -> None:
    """In memory, on disk, and partly on either; items that never come leave a gap and no more."""
    order = data.draw(st.permutations(range(len(outputs))))
    come = order[: data.draw(st.integers(0, len(order)))]
    for numbers in (order, come):
        expected = [b"".join(whole(outputs[n][k]) for n in sorted(numbers)) for k in (0, 1)]
        assert printed(numbers, outputs, room) == expected


def test_an_item_shows_at_once_and_its_errors_behind_what_it_printed(tmp_path: Path) -> None:
    with consoles(tmp_path / "both", tmp_path / "both") as streams:
        sink = InOrder(nothing)
        for number in (5, 9, 7):
            sink.expected(item(number))
        put(sink, ended(5, b"five"))
        assert streams.out.read_bytes() == b"five\n"
        put(sink, ended(7, b"seven\n", b"bad seven"))
        assert streams.out.read_bytes() == b"five\n"
        put(sink, ended(9, b"nine\n", b"bad nine\n"))
        assert streams.out.read_bytes() == b"five\nnine\nbad nine\nseven\nbad seven\n"
        assert sink.close() == 0


def test_what_waits_for_a_slow_item_takes_no_memory(tmp_path: Path) -> None:
    count, before = 10_000, len(os.listdir("/proc/self/fd"))
    lines = [b"line of %d\n" % number for number in range(count)]
    with consoles(tmp_path / "out", tmp_path / "err"):
        sink = InOrder(nothing, 1 << 16)
        tracemalloc.start()
        try:
            for number in range(count):
                sink.expected(item(number))
                if number:
                    put(sink, ended(number, lines[number]))
            assert tracemalloc.get_traced_memory()[1] < 1 << 18
        finally:
            tracemalloc.stop()
        assert len(os.listdir("/proc/self/fd")) <= before + 4
        put(sink, ended(0, lines[0]))
        assert sink.close() == 0
    assert (tmp_path / "out").read_bytes() == b"".join(lines)
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_room_for_what_waits_it_is_printed_early_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with consoles(tmp_path / "out", tmp_path / "err"):
        sink = InOrder(nothing, room=0)
        for number in range(5):
            sink.expected(item(number))
        for number in (3, 2, 0, 1, 4):
            put(sink, ended(number, b"%d\n" % number))
        assert (tmp_path / "out").read_bytes() == b"3\n2\n0\n1\n4\n"
        assert sink.close() == 0
    (told,) = caplog.messages
    assert "no room in /nonexistent" in told and "TMPDIR" in told and "--output-dir" in told


def test_a_full_disk_under_stdout_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The file is full, and has room later: nothing is missing in it then."""
    kept: list[int] = []
    with consoles(Path("/dev/full"), tmp_path / "err"):
        sink = InOrder(lambda one: kept.append(one.number), again=0)
        outputs = [b"item %d\n" % number * 3000 for number in range(6)]
        for number in range(6):
            sink.expected(item(number))
        for number in (0, 1, 3):
            put(sink, ended(number, outputs[number]))
        file = os.open(tmp_path / "later", os.O_WRONLY | os.O_CREAT)
        os.dup2(file, sys.stdout.fileno())
        os.close(file)
        for number in (2, 5, 4):
            put(sink, ended(number, outputs[number]))
        assert sink.close() == 0
    assert (tmp_path / "later").read_bytes() == b"".join(outputs)
    assert kept == [0, 1, 3, 2, 5, 4]
    (told,) = caplog.messages
    assert "stdout cannot be written (No space left on device)" in told


def test_what_cannot_be_printed_at_all_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with consoles(Path("/dev/full"), tmp_path / "err"):
        sink = InOrder(nothing)
        for number in range(4):
            sink.expected(item(number))
        for number in (0, 1, 2):
            put(sink, ended(number, b"x" * 50_000))
        assert sink.close() == 3
    assert caplog.messages[-1] == "sweep: the output of 3 items could not be printed"


def test_errors_that_cannot_be_shown_are_counted(tmp_path: Path) -> None:
    with consoles(tmp_path / "out", Path("/dev/full")):
        sink = InOrder(nothing)
        for number in range(2):
            sink.expected(item(number))
            put(sink, ended(number, b"out\n", b"err\n"))
        logging.getLogger("scoopmpi").handlers.clear()
        assert sink.close() == 2
    assert (tmp_path / "out").read_bytes() == b"out\nout\n"


def test_a_reader_that_is_gone_ends_it(tmp_path: Path) -> None:
    end, start = os.pipe()
    os.close(end)
    before = sys.stdout
    with open(start, "w") as pipe:
        sys.stdout = Console(1, pipe, Outlet(), lambda *_: None)
        try:
            sink = InOrder(nothing)
            sink.expected(item(1))
            with pytest.raises(BrokenPipeError):
                put(sink, ended(1, b"x\n"))
            assert sink.close() == 0
            sys.stdout.flush()  # as Python does at its end
        finally:
            sys.stdout = before


def test_a_stream_that_was_closed_before_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO()))
    sink = InOrder(nothing)
    sink.expected(item(1))
    put(sink, ended(1, b"x", b"y"))
    assert sink.close() == 0
    buffer: io.BytesIO = sys.stderr.buffer  # type: ignore[assignment]
    assert buffer.getvalue() == b"y\n"


def test_who_does_not_read_is_not_waited_for_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A sweep that a signal ends is not kept by a pipe into a program that is stopped."""
    monkeypatch.setattr(streams, "UNREAD_SECONDS", 0.01)
    reads, writes = os.pipe()
    sink = InOrder(nothing)
    for number in range(3):
        sink.expected(item(number))
        sink.add(ended(number, b"x" * 100_000))
    with open(writes, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert sink.close(hurry=True) == 3
        monkeypatch.undo()
        os.close(reads)
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    assert "could not be printed" in caplog.text


def test_what_comes_in_its_turn_sees_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoopmpi.sweep.outputs.in_order.Spool", lambda: pytest.fail("on disk"))
    with consoles(tmp_path / "out", tmp_path / "err") as streams_:
        sink = InOrder(nothing, room=0)
        for number in range(3):
            sink.expected(item(number))
            sink.add(ended(number, b"%d\n" % number))
        sink.show()
    assert streams_.out.read_bytes() == b"0\n1\n2\n"
