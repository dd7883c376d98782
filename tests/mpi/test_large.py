"""Large values on real ranks, which send each other memory and may use it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.isolation import SCENARIOS
from tests.support.kinds import KINDS, equal, expected
from tests.support.random_programs import Program
from tests.support.ways import WAYS

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]

HERE = (
    "numpy C", "numpy Fortran", "numpy every other", "numpy read-only", "numpy of no rows",
    "numpy twice and a view", "python bytes", "python str", "python many arrays", "own class",
    "own class, one buffer twice", "own class, empty buffers between", "pandas mixed",
    "pandas categories", "arrow table", "torch tensor",
)  # fmt: skip
"""One for each way in which memory travels; all of them over the in-memory link."""

EACH_LIBRARY = ("by map", "the same with every task", "as result alone")


def on_ranks(lead: Any, body: Callable[[Any], None]) -> None:
    """Run it where there are workers: without, tasks have what the program has."""
    lead(lambda executor: body(executor) if hasattr(executor, "farm") else None)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_is_disturbed(lead: Any, name: str) -> None:
    on_ranks(lead, SCENARIOS[name])


@pytest.mark.parametrize(
    "way",
    [way if way in EACH_LIBRARY else pytest.param(way, marks=pytest.mark.once) for way in WAYS],
)
def test_kinds_by_each_way(lead: Any, way: str) -> None:
    def body(executor: Any) -> None:
        for name in KINDS.keys() & HERE:
            for value in WAYS[way](executor, name):
                assert equal(value, expected(name)), name

    on_ranks(lead, body)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.once)])
def test_a_program_with_values_of_all_sizes(lead: Any, seed: int) -> None:
    on_ranks(lead, lambda executor: Program(executor, seed, most=20 << 20).run(steps=12))
