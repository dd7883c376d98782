"""What the suite does with its own tests: how long it waits for them, and which cases it takes."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from tests import conftest
from tests.support import fewer, patience


@pytest.mark.parametrize(
    ("load", "expected"), [(0.0, 1.0), (2.9, 1.0), (6.0, 2.0), (12.0, 4.0), (90.0, 8.0)]
)
def test_limits_are_longer_where_others_use_the_cores(
    load: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = len(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "getloadavg", lambda: (load * cores, 0.0, 0.0))
    assert patience.slowness() == pytest.approx(expected)


@pytest.mark.timeout(50)
def test_a_test_has_its_own_limit_or_that_of_all(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "slowness", lambda: 3.0)
    added: list[Any] = []
    node = request.node
    for marker, limit in ((node.get_closest_marker("timeout"), None), (None, 360.0)):
        stand_in: Any = SimpleNamespace(
            get_closest_marker=lambda name, marker=marker: marker,
            add_marker=lambda mark, append: added.append((mark.args[0], append)),
        )
        patience.give_time(stand_in, conftest.LIMIT)
        assert added[-1] == (limit or 3 * marker.args[0], False)
    plain = pytest.mark.timeout(method="thread", timeout=7).mark
    stand_in = SimpleNamespace(
        get_closest_marker=lambda name: plain, add_marker=lambda mark, append: added.append(mark)
    )
    patience.give_time(stand_in, conftest.LIMIT)
    assert (added[-1].args, added[-1].kwargs) == ((21.0,), {"method": "thread"})
    assert request.config.getini("timeout") == str(int(conftest.LIMIT))


def test_of_each_test_some_cases_are_taken_in_all_processes_the_same() -> None:
    items: list[Any] = [
        Case(f"tests/a.py::{name}[{case}]")
        for name, cases in (("few", 2), ("many", 50))
        for case in range(cases)
    ]
    beyond = fewer.left_out(items, 3)
    taken = [item.nodeid for item in items if item not in beyond]
    assert len(taken) == 5 and sum("few" in name for name in taken) == 2
    assert fewer.left_out([*reversed(items)], 3) == beyond


class Case(NamedTuple):
    """As much of a test as is asked."""

    nodeid: str
