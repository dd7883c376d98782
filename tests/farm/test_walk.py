"""One task is followed through its ranks and compared with the drawing at the head of `farm.farm`.

A file is entered where a function of it is called from another file; to return to it is not to
enter it. What one line of the drawing says may be entered in any order: the file and its tools. In
each part the files of the lines are entered once: a task that came back to one would be a circle.
What the ranks do while nothing has come is not followed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest

import scoopmpi
import scoopmpi.farm.farm
from scoopmpi.tasks import pedigree
from tests.support import link
from tests.support.link import Ranks

PACKAGE = Path(scoopmpi.__file__).parent
TRANSPORT = "wire/transport"
"""The in-memory link stands in its place."""


class Line(NamedTuple):
    """A line of the drawing: a file, and its tools."""

    file: str
    tools: tuple[str, ...]


def drawing() -> dict[str, list[Line]]:
    """Return the lines of each part of the drawing."""
    parts: dict[str, list[Line]] = {}
    lines: list[Line] = []
    for text in (scoopmpi.farm.farm.__doc__ or "").splitlines():
        if part := re.fullmatch(r" {4}(\w+): .*", text):
            lines = parts.setdefault(part[1], [])
        elif line := re.fullmatch(r" {8}(\S+) +[^+]+(?:\+ (.*))?", text):
            lines.append(Line(line[1], paths(line[2] or "")))
        elif more := re.fullmatch(r" {40,}(.*)", text):
            lines[-1] = Line(lines[-1].file, (*lines[-1].tools, *paths(more[1])))
    return parts


def paths(words: str) -> tuple[str, ...]:
    """Return the paths of tools: one without a folder is in that of the one before."""
    found, folder = [], ""
    for word in words.split():
        folder = word.rpartition("/")[0] or folder
        found.append(f"{folder}/{word.rpartition('/')[2]}")
    return tuple(found)


def file_of(frame: FrameType | None) -> str | None:
    """Return the file of a frame, None outside of the package."""
    path = Path(frame.f_code.co_filename) if frame is not None else Path()
    if not path.is_relative_to(PACKAGE):
        return None
    return str(path.relative_to(PACKAGE).with_suffix(""))


class Walk:
    """The way of one task of a map, from the call of `map` to its first value."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.turn: list[str] = []
        self.run: list[str] = []
        self.back: list[str] = []
        self._entered: list[str] = []
        self._sent = self._arrived = 0
        self._answered = False

    def follow(self, monkeypatch: pytest.MonkeyPatch, function: Callable[[int], Any]) -> Any:
        """Return the value of a map over one argument, followed all the way."""
        ranks = Ranks(workers=1, seed=0)
        assert list(ranks.executor.map(function, range(3)))  # all modules are imported by now
        ranks.settle()
        del ranks.farm.wait_until  # the farm's own, which drives
        monkeypatch.setattr(link.MemoryTransport, "send", self._sends(link.MemoryTransport.send))
        receive = self._receives(ranks, link.MemoryTransport.receive)
        monkeypatch.setattr(link.MemoryTransport, "receive", receive)
        sys.setprofile(self._note)
        try:
            values = ranks.executor.map(function, range(1))
            value = next(values)
        finally:
            sys.setprofile(None)
        end = self._entered.index("farm/driver", self._sent) + 1
        self.out, self.back = self._entered[:end], self._entered[self._arrived :]
        return value

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        file = file_of(frame) if event == "call" else None
        if file is not None and file != file_of(frame.f_back):
            self._entered.append(file)

    def _note_at_work(self, frame: FrameType, event: str, _: Any) -> None:
        file = file_of(frame) if event == "call" else None
        if file is not None and file != file_of(frame.f_back) and not self._answered:
            self.run.append(file)

    def _sends(self, send: Any) -> Any:
        def sends(transport: Any, to: int, message: Any) -> None:
            followed, _ = sys.getprofile(), sys.setprofile(None)
            send(transport, to, message)
            if followed == self._note:
                self._sent = len(self._entered)
                self._entered.append(TRANSPORT)
            elif followed is not None and not self._answered:
                self.run.append(TRANSPORT)
                self._answered = True
            sys.setprofile(followed)

        return sends

    def _receives(self, ranks: Ranks, receive: Any) -> Any:
        def receives(transport: Any) -> Any:
            followed, _ = sys.getprofile(), sys.setprofile(None)
            arrived = receive(transport)
            here = followed == self._note
            while here and arrived is None and not self._arrived:
                worker = ranks.workers[0]
                sys.setprofile(self._note_at_work)
                ranks.step(worker)
                sys.setprofile(None)
                arrived = receive(transport)
            if here and arrived is not None:
                self._arrived = len(self._entered)
                self._entered.append(TRANSPORT)
                self.turn = list(stack())
            elif followed is not None and arrived is not None and not self._answered:
                self.run = [TRANSPORT]  # what it did before it had anything to do is not the way
            sys.setprofile(followed)
            return arrived

        return receives


def stack() -> Iterator[str]:
    """Yield the files of the package whose functions are under way, the outermost first."""
    frame: FrameType | None = sys._getframe()
    files = []
    while frame is not None:
        file = file_of(frame)
        if file is not None and file not in files[-1:]:
            files.append(file)
        frame = frame.f_back
    yield from reversed(files)


def square(x: int) -> int:
    return x * x


def lines_as_pattern(lines: list[Line]) -> str:
    """Return what entered files, each behind a space, have to look like."""
    found = ""
    for line in lines:
        inside = "|".join(map(re.escape, (line.file, *line.tools)))
        found += f"(?: {re.escape(line.file)})(?: (?:{inside}))*"
    return found


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr(pedigree.program, "group", pedigree._no_group)  # others may have groups
    found = Walk()
    assert found.follow(monkeypatch, square) == 0
    return found


@pytest.mark.parametrize("part", ["out", "run", "back"])
def test_a_task_goes_as_the_drawing_says(walk: Walk, part: str) -> None:
    entered: list[str] = getattr(walk, part)
    lines = drawing()[part]
    text = "".join(f" {file}" for file in entered)
    assert re.fullmatch(lines_as_pattern(lines), text), text
    unused = {tool for line in lines for tool in line.tools} - set(entered)
    assert not unused, f"the drawing has tools that nobody uses: {unused}"


def test_who_waits_takes_the_turns_as_the_drawing_says(walk: Walk) -> None:
    assert walk.turn == [line.file for line in drawing()["turn"]]


@pytest.mark.parametrize("part", ["out", "run", "back"])
def test_no_file_is_entered_twice_on_one_way(part: str) -> None:
    files = [line.file for line in drawing()[part]]
    if part == "run":
        assert files.pop() == TRANSPORT == files[0]  # in and out by the same door
    assert len(files) == len(set(files)) > 5
    later: set[str] = set()
    for line in reversed(drawing()[part]):
        assert not later & set(line.tools) - PARTS, "a way would lead back to where it has been"
        later.add(line.file)


PARTS = {"farm/map_window", "farm/map_tasks"}
"""Made where a map begins, and entered where it goes on."""
