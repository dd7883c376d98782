"""Sweeps that end before all items have run: what they say, and with which status."""

from __future__ import annotations

import signal
from array import array
from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.sweep.asked import SweepOptions
from scoopmpi.sweep.conducting import conductor
from scoopmpi.sweep.conducting.conductor import Conductor
from scoopmpi.sweep.conducting.preparing import Parts
from scoopmpi.sweep.conducting.scripts import Scripts
from scoopmpi.sweep.former import Former
from scoopmpi.sweep.items.array import Numbers
from scoopmpi.wire.errors import WorkerLost


class Course:
    """In the place of the real one: 2 of 5 items are done when an error comes."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.supply = SimpleNamespace(all_seen=False)
        self.failed, self.well, self.late, self.halted = array("q"), 2, 0, False

    def run(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (WorkerLost("no worker is left: 1 on n1 died"), 1, "no worker is left: 1 on n1 died: 3"),
        (KeyboardInterrupt(), 128 + signal.SIGINT, "stopped by Ctrl-C: 3"),
        (BrokenPipeError(), 128 + signal.SIGPIPE, None),
    ],
    ids=["workers", "Ctrl-C", "head"],
)
def test_what_is_left_is_told(
    error: BaseException, status: int, said: str | None,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(conductor, "Course", lambda *parts: Course(error))
    sink: Any = SimpleNamespace(close=lambda hurry: 0)
    none: Any = None
    parts = Parts(
        SweepOptions(), Numbers("1-5"), none, none, Scripts(), None, None, None, sink,
        Former(None, False),
    )  # fmt: skip
    assert Conductor(parts, none).run() == status
    expected = "" if said is None else f"sweep: {said} items are left (with --log FILE"
    assert capsys.readouterr().err.startswith(expected) and (said or not expected)
