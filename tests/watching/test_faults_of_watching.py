"""No fault of watching stops a run: what is broken is told once, and everything else goes on."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures
from scoopmpi.executors.watching_asked import Asked
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.watching import grown_file, tally
from scoopmpi.watching.progress import overview, series
from scoopmpi.watching.progress.choice import Choice
from scoopmpi.watching.report import making
from scoopmpi.watching.status import contents
from scoopmpi.watching.status import reader as status_reader
from scoopmpi.watching.trace import book, spans
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
BROKEN: list[tuple[Any, str]] = [
    (tally.Tally, "tasks_assigned"),
    (tally.Tally, "tasks_finished"),
    (contents, "body"),
    (contents, "slowest"),
    (book.Book, "hear"),
    (book.Book, "running"),
    (book.Book, "close"),
    (spans.Spans, "add"),
    (making, "make"),
    (overview.Overview, "begins"),
    (overview.Overview, "rows"),
]


class Fault(Exception):
    """What no code of ours expects."""


def broken(*_: Any, **__: Any) -> Any:
    raise Fault("a fault of watching")


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What has ended a thread: of ours nothing may."""
    found: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", found.append)
    yield found


def waits(number: int) -> int:
    time.sleep(0.002)
    return number


@pytest.mark.parametrize(
    ("where", "name"), BROKEN, ids=[f"{where.__name__}.{name}" for where, name in BROKEN]
)
def test_what_is_broken_is_told_and_nothing_stops(
    where: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, unheard: list[Any],
) -> None:  # fmt: skip
    monkeypatch.setattr(grown_file, "GATHER", 0.05)
    monkeypatch.setattr(status_reader, "OFTEN", 0.05)
    monkeypatch.setattr(series, "SOON", 0.05)
    monkeypatch.setattr(identity.this, "started", True)
    monkeypatch.setattr(sys, "stderr", (tmp_path / "stderr").open("w"))
    names = ("status", "report" if where is making else "trace")
    files = {each: str(tmp_path / each) for each in names}
    readers = [*Asked(**files).opened(), *Choice(True, {}).readers()]
    monkeypatch.setattr(where, name, broken)
    ranks = Ranks(2, 1, readers=readers)
    current_executor.install(ranks.executor)
    try:
        with caplog.at_level(logging.WARNING, logger="scoopmpi"):
            for _ in range(2):
                assert list(futures.map(waits, range(60))) == [*range(60)]
            ranks.settle()
            for reader in readers:
                ranks.farm.dismiss(reader)
    finally:
        current_executor.install(None)
        sys.stderr.close()
    told = [each.getMessage() for each in caplog.records]
    told += (tmp_path / "stderr").read_text().splitlines()
    said = [line for line in told if "a fault of watching" in line]
    assert 1 <= len(said) <= len(readers), told
    assert unheard == []
