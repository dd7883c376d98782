"""Quantiles from a histogram: right within a bin, whatever there is to count."""

from __future__ import annotations

import random
import statistics

import pytest

from scoopmpi.watching.durations import BINS, Durations

WITHIN = 10 ** (1 / BINS)
"""By which factor a quantile may be wrong: a bin."""


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_right_within_a_bin(seed: int) -> None:
    chance = random.Random(seed)
    spans = [chance.lognormvariate(-3, 2) for _ in range(5000)]
    durations = Durations()
    for span in spans:
        durations.add(span)
    spans.sort()
    for share in (0.05, 0.5, 0.95, 0.99):
        exact = spans[int(share * len(spans))]
        assert exact / WITHIN <= durations.quantile(share) <= exact * WITHIN
    assert (durations.tasks, durations.longest) == (5000, spans[-1])
    assert durations.quantile(1.0) == spans[-1]
    assert durations.seconds == pytest.approx(statistics.fsum(spans))


def test_equal_tasks_have_the_quantiles_that_they_have() -> None:
    durations = Durations()
    for _ in range(90):
        durations.add(0.1003)
    durations.add(2.5, 10)
    assert [durations.quantile(share) for share in (0.5, 0.9)] == [pytest.approx(0.1003)] * 2
    assert durations.quantile(0.99) == pytest.approx(2.5)


def test_what_takes_no_time_and_what_takes_days_is_counted() -> None:
    durations = Durations()
    assert durations.quantile(0.5) == 0.0
    durations.add(0.0, 10)
    durations.add(2e6)
    assert (durations.tasks, durations.longest) == (11, 2e6)
    assert durations.quantile(0.5) <= 1e-6 and durations.quantile(0.99) == pytest.approx(2e6, rel=1)
