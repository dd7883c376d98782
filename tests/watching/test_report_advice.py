"""What would make it faster: each rule speaks where it holds, with the run's figures, else not."""

from __future__ import annotations

import re

import pytest

from scoopmpi.watching.report.advice import RULES, advice
from scoopmpi.watching.report.facts import facts
from scoopmpi.watching.report.run import run_of
from tests.support.traces import Event, Farm, lognormal, small


def said(trace: Event) -> dict[str, str]:
    """The titles of what is advised, with the texts."""
    found = advice(facts(run_of(trace["otherData"], trace["traceEvents"])))
    return {each.title: each.text for each in found}


def even(workers: int = 8, hosts: int = 2, tasks: int = 800) -> Farm:
    """A run in which nothing is to be mended."""
    return Farm(workers=workers, hosts=hosts).map("even", lognormal(tasks, 0.3, 0.1))


def test_nothing_is_advised_where_nothing_is_wrong() -> None:
    assert said(even().trace()) == {}


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_needs_any_work_or_workers(rule: object) -> None:
    for farm in (Farm(workers=0, hosts=0), Farm(workers=2), Farm(workers=2).serial(5)):
        for ended in (True, False):
            trace = farm.trace(ended)
            assert rule(facts(run_of(trace["otherData"], trace["traceEvents"]))) is None  # type: ignore[operator]


def test_tail() -> None:
    farm = even().map("score", [*lognormal(400, 0.2, 0.1), 38.0, 41.0, 40.0])
    text = said(farm.trace())["The last tasks keep all others waiting"]
    assert "At the end of map 2 of score, 3 tasks (indices 401, 402 and 400; 38 s to 41 s)" in text
    assert "5 of 8 workers had nothing to do" in text and "start the long ones first" in text
    assert re.search(r"They took 1\d\d times as long as the function does by the median", text)


def test_a_tail_of_tasks_like_all_others_is_no_matter_of_their_order() -> None:
    farm = Farm(workers=16, hosts=2).map("f", [1.0] * 17)
    text = said(farm.trace())["The last tasks keep all others waiting"]
    assert "1 task (index 16; 1 s) ran while 15 of 16 workers" in text
    assert "no longer than others" in text and "long ones first" not in text


def test_few_tasks() -> None:
    farm = Farm(workers=16, hosts=2).map("f", [5.0] * 6)
    found = said(farm.trace())
    assert next(iter(found)) == "There are fewer tasks than workers"
    assert "map 1 of f has 6 tasks for 16 workers: 10 had nothing to do for 5 s" in next(
        iter(found.values())
    )
    assert "The last tasks keep all others waiting" not in found


def test_many_ends() -> None:
    farm = Farm(workers=8)
    for _ in range(30):
        farm.map("step", [0.1] * 12)
    text = said(farm.trace())["Workers wait for the last tasks again and again"]
    assert "30 times in 30 maps, nothing was queued" in text
    for event in farm.events:
        if event.get("cat") == "job":
            event["args"]["kind"] = "calls"
    text = said(farm.trace())["Workers wait for the last tasks again and again"]
    assert "30 times nothing was queued" in text


@pytest.mark.parametrize(
    ("seconds", "load", "said_then"),
    [
        (0.0001, 90, "Hand more work to each task"), (0.1, 90, "Arguments or values may be large"),
        (0.1, 5, "it is not rank 0 that is slow"), (0.0001, 5, "it is not rank 0 that is slow"),
        (0.0001, None, "Hand more work to each task"),
    ],
)  # fmt: skip
def test_waiting_for_rank_0(seconds: float, load: int | None, said_then: str) -> None:
    farm = Farm(workers=4).start(0.0).map("even", [seconds * 0.1] * 4000, batch=1000)
    trace = farm.map("waited_for", [seconds] * 400, overhead=seconds / 2).trace(after=0.0)
    for event in trace["traceEvents"]:
        if event["name"] == "rank 0":
            event["args"]["load"] = load
    if load is None:
        trace["traceEvents"] = [each for each in trace["traceEvents"] if each["name"] != "rank 0"]
    text = said(trace)["Workers wait for rank 0"]
    assert "most of it in waited_for, whose tasks take" in text and said_then in text
    assert (f"used {load} % of a core" in text) == (load is not None)


def test_the_program_alone() -> None:
    farm = Farm(workers=4).map("f", [0.5] * 40).serial(5.0).map("f", [0.5] * 40)
    text = said(farm.trace())["The program computes alone on rank 0"]
    assert "5.2 s of 15.7 s (33 %)" in text  # with 0.2 s behind the last task
    assert "more than 8.69 times as fast as one worker; now 4 workers make it 2.88 times" in text


def test_workers_without_a_task() -> None:
    farm = Farm(workers=6, hosts=2).map("f", lognormal(400, 0.1), only=[1, 2, 3, 4, 6])
    text = said(farm.trace())["Some workers never ran a task"]
    assert "1 worker of 6" in text and "5 on node002" in text


def test_starting() -> None:
    farm = Farm(workers=4).start(10.0)
    text = said(farm.map("f", [0.1] * 400).trace())["Starting takes a large part of the run"]
    assert "a worker needed 10 s by the median" in text
    assert "Starting takes a large part of the run" not in said(even().trace())


@pytest.mark.parametrize(("factor", "stands_out"), [(1.1, False), (1.5, True)])
def test_a_slow_host(factor: float, stands_out: bool) -> None:
    farm = Farm(workers=12, hosts=4, slow={3: factor}).map("f", lognormal(1200, 0.3, 0.1))
    text = said(farm.trace()).get("A host is slow", "")
    assert ("node003" in text) == stands_out
    assert not stands_out or "node003 (5" in text or "node003 (4" in text


def test_hosts_of_two_kinds_are_not_slow_ones() -> None:
    farm = Farm(workers=12, hosts=4, slow={3: 2.0, 4: 2.0, 2: 2.0})
    found = said(farm.map("f", lognormal(1200, 0.3, 0.1)).trace())
    assert not any("slow" in title for title in found)


@pytest.mark.parametrize(("failed", "speaks"), [(2, False), (7, False), (40, True)])
def test_failures(failed: int, speaks: bool) -> None:
    wrong = dict.fromkeys(range(0, failed * 2, 2), "ValueError: no convergence\nin step 3")
    farm = Farm(workers=8, hosts=2).map("f", lognormal(800, 0.3, 0.1), failed=wrong)
    text = said(farm.trace()).get("Many tasks fail", "")
    assert bool(text) == speaks
    assert not speaks or (
        "40 of 800 tasks raised (5 %), all of f. Most often: ValueError: no convergence." in text
    )


def test_losses() -> None:
    text = said(even().lose(3).trace())["Workers died"]
    assert "1 worker died, on node001" in text and "memory is short" in text
    assert "(--task-timeout)" in said(even().lose(3, late=True).trace())["Workers died"]
    assert "Workers died" not in said(even().trace())


@pytest.mark.parametrize("grows", [False, True])
def test_memory(grows: bool) -> None:
    trace = even(workers=4, tasks=400).trace()
    number = 0
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            number += 1
            event["args"]["resident"] = 300_000_000 + (number * 4_000_000 if grows else 0)
    text = said(trace).get("Memory grows from task to task", "")
    assert bool(text) == grows
    assert not grows or ("The memory of 4 workers grew from" in text and "GB" in text)


def test_what_costs_most_comes_first() -> None:
    farm = small().serial(9.0).map("score", [*([0.2] * 40), 30.0])
    trace = farm.trace()
    found = advice(facts(run_of(trace["otherData"], trace["traceEvents"])))
    assert len(found) >= 2
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
