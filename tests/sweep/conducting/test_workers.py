"""What a sweep asks of the farm behind it, of farms that are not there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scoopmpi.concurrency.periods import ITEM_GRACE_SECONDS
from scoopmpi.executors.farm_executor import FarmExecutor
from scoopmpi.process.time_kept_free import auto
from scoopmpi.sweep.conducting.workers import Workers
from scoopmpi.tasks import current_executor

END, BEGAN = 2_000_000.0, 1_000_000.0


def asked_to_end(monkeypatch: pytest.MonkeyPatch, holding_back: Any) -> float:
    """Return when items are asked to end."""
    farm: Any = SimpleNamespace(holding_back=holding_back)
    executor = FarmExecutor.__new__(FarmExecutor)
    executor.farm = farm
    watch: Any = SimpleNamespace(at=END, began=BEGAN, look=lambda: None)
    executor.job_end = lambda: watch
    monkeypatch.setattr(current_executor, "usable", lambda: executor)
    ends = Workers().end_of_items()
    assert ends is not None
    return ends - ITEM_GRACE_SECONDS


@pytest.mark.parametrize("margin", [1.0, 3.0, 120.0])
def test_items_have_all_the_time_in_which_the_farm_has_them_begin(
    monkeypatch: pytest.MonkeyPatch, margin: float
) -> None:
    """It counts on the time before the margin: whoever ends them earlier cuts them."""
    held = SimpleNamespace(margin=margin)
    assert asked_to_end(monkeypatch, held) == END - margin


def test_without_that_they_are_asked_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    free = auto(END - BEGAN)
    assert free >= ITEM_GRACE_SECONDS
    assert asked_to_end(monkeypatch, None) == END - free
    monkeypatch.setattr("tests.sweep.conducting.test_workers.BEGAN", END - 8)
    assert asked_to_end(monkeypatch, None) == END - ITEM_GRACE_SECONDS
