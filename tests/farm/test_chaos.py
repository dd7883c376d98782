"""Workers that die at random moments, for real: the programs of `benchmarks/chaos.py`, by seed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from scoopmpi.launch.commandline import launcher
from tests.pages.test_benchmarks import benchmark
from tests.support.libraries import libraries, survives

chaos = benchmark("chaos")
SEEDS = range(50)
PLANS = {plan.name: plan for plan in map(chaos.Plan.of, SEEDS)}
AT_ONCE = 2
"""One starts while the other ends: they take 0.6 of the time on two cores."""


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
    """All runs that the selected tests are about, some of them over, some to come."""
    library = next(filter(survives, libraries()), None)
    if library is None:
        pytest.skip("no MPI library here survives a lost rank: Open MPI from 5 on does")
    params = [getattr(item, "callspec", None) for item in request.session.items]
    names = [each.params["plan"] for each in params if each and "plan" in each.params]
    found = launcher.find(library.env)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {
            name: pool.submit(chaos.carry_out, PLANS[name], found, library.env)
            for name in names if name in PLANS
        }  # fmt: skip
        yield started
        for run in started.values():
            run.cancel()


@pytest.mark.ranks
@pytest.mark.parametrize("plan", PLANS)
def test_the_program_ends_with_every_value_whoever_dies(
    plan: str, runs: dict[str, Future[Any]]
) -> None:
    """Nothing hangs, and what mpirun says of it is success."""
    run = runs[plan].result(timeout=AT_ONCE * chaos.LIMIT)
    assert not run.hangs, f"{run.plan}\n{run.said}"
    assert (run.right, run.status) == (True, 0), f"{run.plan}\n{run.said}"


@pytest.mark.ranks
def test_most_runs_have_lost_somebody(runs: dict[str, Future[Any]]) -> None:
    """Else the others show nothing."""
    ended = [run.result() for run in runs.values() if run.done()]
    if len(ended) < len(PLANS):
        pytest.skip("only where all have run")
    assert sum(run.lost > 0 for run in ended) > len(PLANS) / 2
    assert sum(run.again for run in ended) > len(PLANS)


def test_plans_are_those_of_their_seeds() -> None:
    """1 to 3 workers of each run, each kind as often as the others, some workers left."""
    assert {chaos.Plan.of(seed).name: chaos.Plan.of(seed) for seed in SEEDS} == PLANS
    kinds = [plan.kind for plan in PLANS.values()]
    assert {kinds.count(kind) for kind in chaos.KINDS} == {10}
    for plan in PLANS.values():
        struck = {blow.worker for blow in plan.blows}
        assert 1 <= len(struck) + len(plan.fatal) <= 3 < plan.workers


def test_the_table_counts_what_went_wrong() -> None:
    plan = PLANS["seed 0, SIGKILL"]
    runs = [
        chaos.Run(plan, 0, True, False, 2, 9, 1.0, ""),
        chaos.Run(plan, 0, False, False, 1, 0, 2.0, ""),
        chaos.Run(plan, 1, False, False, 1, 0, 3.0, ""),
        chaos.Run(plan, -9, False, True, 0, 0, 40.0, ""),
    ]
    *_, kind, together = chaos.rows(runs)
    assert kind == "| SIGKILL | 4 | 4 | 9 | 2.50 | 40.00 | 1 | 1 | 1 |"
    assert together == kind.replace("SIGKILL", "together")
