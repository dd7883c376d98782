"""The numbers of a report: computed from traces of which one knows what happened."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from scoopmpi.watching.report import amounts, shares
from scoopmpi.watching.report.by_function import functions, slowest
from scoopmpi.watching.report.by_host import hosts
from scoopmpi.watching.report.curves import curves
from scoopmpi.watching.report.facts import Facts, facts
from scoopmpi.watching.report.run import TracedRun, run_of
from scoopmpi.watching.report.timeline import coarse, packed, timeline
from tests.support.traces import Event, Farm, large, lognormal, small


def read(trace: Event) -> TracedRun:
    return run_of(trace["otherData"], trace["traceEvents"])


def known(trace: Event) -> Facts:
    return facts(read(trace))


def overlapping() -> Event:
    trace = small().trace()
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    for span in spans[::7]:
        span["dur"] *= 3
    return trace


def coarsened() -> Event:
    trace = small().trace()
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            event["args"]["busy"] = event["dur"] // 2
            event["args"]["batches"] = 4
    return trace


TRACES: dict[str, Callable[[], Event]] = {
    "two workers": lambda: small().trace(),
    "many": lambda: large(4000, 40, 4).trace(),
    "killed": lambda: large(2000, 40, 4).trace(ended=False),
    "more workers than tasks": lambda: Farm(workers=9, hosts=3).map("f", [1.0] * 4).trace(),
    "no task": lambda: Farm(workers=3).serial(2.0).trace(),
    "nobody": lambda: Farm(workers=0, hosts=0).trace(),
    "overlaps": overlapping,
    "coarse": coarsened,
    "lost at once": lambda: Farm(workers=2).lose(1).map("f", [1.0] * 5, only=[2]).trace(),
}


@pytest.mark.parametrize("name", TRACES)
def test_each_second_of_each_worker_has_one_name(name: str) -> None:
    found = known(TRACES[name]())
    assert (found.shares.by_worker >= -1e-9).all()
    assert found.shares.by_worker.sum(axis=1) == pytest.approx(
        np.full(len(found.run.workers), found.run.seconds)
    )


def test_where_time_went_is_what_happened() -> None:
    """Of 10 s of two workers: starting, a map whose last task runs alone, the program alone."""
    farm = Farm(workers=2)  # both are free after 0.5 s
    farm.map("f", [1.0, 1.0, 3.0], overhead=0.0).serial(2.5)
    farm.map("f", [1.0, 1.0], overhead=0.0)
    found = known(farm.trace(after=0.5))
    seconds = dict(zip("wsatre", found.shares.total, strict=False))
    assert found.run.seconds == pytest.approx(8.5)
    assert seconds["w"] == pytest.approx(7.0)
    assert seconds["s"] == pytest.approx(2 * 0.5)
    assert seconds["a"] == pytest.approx(2 * 2.5)
    assert seconds["t"] == pytest.approx(3.0)
    assert seconds["r"] == pytest.approx(0.0)
    assert seconds["e"] == pytest.approx(2 * 0.5)


@pytest.mark.parametrize("told", [True, False])
def test_who_waits_while_tasks_are_queued_waits_for_rank_0(told: bool) -> None:
    """told: whether the job is in the trace; short ones of long runs, and offered ones, are not."""
    trace = Farm(workers=2).map("f", [0.1] * 100, overhead=0.05).trace()
    if not told:
        trace["traceEvents"] = [each for each in trace["traceEvents"] if each.get("cat") != "job"]
    found = known(trace)
    assert found.shares.total[shares.RANK_0] == pytest.approx(98 * 0.05, abs=0.2)
    assert found.shares.total[shares.TAIL] < 0.2


def test_what_a_lost_worker_ran_is_lost() -> None:
    farm = Farm(workers=2).map("f", [1.0] * 4, overhead=0.0)
    last = max(event["ts"] for event in farm.events if event.get("tid") == 1 and "ts" in event)
    for event in farm.events:
        if event["ph"] == "X" and event["tid"] == 1 and event["ts"] == last:
            event["args"] |= {"end": "lost", "tasks": 0, "batches": 0, "unended": 1}
    found = known(farm.lose(1).map("f", [5.0], only=[2]).trace(after=0.0))
    row = found.shares.by_worker[0]
    assert row[shares.WORKING] == pytest.approx(1.0)
    assert row[shares.LOST] == pytest.approx(found.run.seconds - 1.5)


def test_a_worker_starts_until_it_has_joined() -> None:
    trace = Farm(workers=1).start(1.0).serial(3.0).map("f", [1.0]).trace(after=0.0)
    found = known(trace)
    assert found.shares.total[[shares.STARTING, shares.ALONE]] == pytest.approx([1.0, 2.0])
    trace["traceEvents"] = [each for each in trace["traceEvents"] if each["name"] != "joined"]
    found = known(trace)  # until its first task, where that is not known
    assert found.shares.total[[shares.STARTING, shares.ALONE]] == pytest.approx([3.0, 0.0])


def test_counts_are_those_of_the_end_even_where_spans_are_fewer() -> None:
    trace = small().trace()
    trace["traceEvents"] = [
        event for event in trace["traceEvents"] if event["ph"] != "X" or event["name"] != "fit"
    ]
    found = {each.name: each for each in functions(read(trace))}
    assert found["fit"].durations.tasks == 400 and found["simulate"].failed == 1
    assert found["fit"].durations.seconds == pytest.approx(sum(lognormal(400, 0.004, seed=2)))
    assert found["simulate"].durations.longest == max(lognormal(60, 0.2))


def test_counts_of_a_killed_run_are_those_of_its_spans() -> None:
    whole, killed = (functions(read(small().trace(ended))) for ended in (True, False))
    for one, other in zip(whole, killed, strict=True):
        assert (one.name, one.durations.tasks, one.failed) == (
            other.name, other.durations.tasks, other.failed
        )  # fmt: skip
        assert one.durations.seconds == pytest.approx(other.durations.seconds, rel=1e-3)


def test_the_slowest_tasks_are_named() -> None:
    found = slowest(functions(read(large(1000, 8, 2).trace())), most=3)
    assert [task.seconds for task in found] == pytest.approx([42.0, 40.0, 38.0], rel=0.61)
    assert {task.function for task in found} == {"score"}
    assert {task.index for task in found} == {447, 448, 449}
    assert all(task.began is not None for task in found)


def test_a_slow_host_stands_out_by_its_own_factor() -> None:
    found = hosts((it := known(large(8000, 40, 5).trace())).run, it.shares)
    pace = {host.name: host.pace for host in found}
    assert pace.pop("node004") == pytest.approx(1.6, abs=0.1)
    assert list(pace.values()) == pytest.approx([1.0] * 4, abs=0.1)
    assert sum(host.tasks for host in found) == it.tasks
    assert [host.lost for host in found].count(1) == 1


def test_a_host_is_compared_by_the_same_functions_only() -> None:
    farm = Farm(workers=4, hosts=2)
    farm.map("short", [0.01] * 200, only=[1, 2]).map("long", [1.0] * 200, only=[3, 4])
    assert [host.pace for host in known(farm.trace()).hosts] == [None, None]


def test_a_host_is_not_compared_by_tasks_that_were_set_aside() -> None:
    """Their time is in several spans: the last one alone says nothing."""
    trace = Farm(workers=4, hosts=2).map("tree", [0.1] * 400).trace()
    spans = [each for each in trace["traceEvents"] if each["ph"] == "X"]
    for each in spans[:400:8]:
        each["args"] |= {"end": "waits", "tasks": 0}
    assert [host.pace for host in known(trace).hosts] == [None, None]


def test_curves_hold_the_work_that_was_done() -> None:
    run = read(large(4000, 40, 4).trace())
    found = curves(run, shares.shares(run).periods, 300)
    assert found.working.mean() * run.seconds == pytest.approx(run.spans.busy.sum(), rel=1e-6)
    assert found.working.max() <= 40 and found.queued is not None and found.load is not None
    assert found.queued.max() == 2000


def unpacked(text: str, rows: int, spans: int) -> list[np.ndarray]:
    """Read the columns as the page does: bytes of one place stand together."""
    data = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    found, place = [], 0
    while place < len(data):
        many = spans if found else rows
        block = data[place : place + 4 * many].reshape(4, many).T
        found.append(np.ascontiguousarray(block).view("<u4").ravel())
        place += 4 * many
    return found


def test_the_page_gets_each_span_as_it_was() -> None:
    run = read(large(3000, 12, 3).trace())
    line = timeline(run)
    assert line.merged == 0.0 and len(line.spans) == len(run.spans) + len(run.nested)
    page = packed(line, len(run.workers), run.seconds)
    counts, began, length, *_ = unpacked(page["data"], page["rows"], page["spans"])
    assert counts.sum() == len(line.spans)
    assert (length * page["unit"]).sum() == pytest.approx(
        (line.spans.ended - line.spans.began).sum()
    )
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    for start, many in zip(first, counts, strict=True):
        times = np.cumsum(began[start : start + int(many)].astype(np.int64)) % 2**32 * page["unit"]
        assert times == pytest.approx(line.spans.began[start : start + int(many)], abs=2e-6)


def test_many_spans_become_few_and_nothing_of_them_is_lost() -> None:
    run = read(large(20_000, 20, 2).trace())
    line = timeline(run, most=3000)
    assert len(line.spans) <= 3000 and line.merged > 0
    own = line.spans.chosen(line.spans.depth == 0)
    for name in ("tasks", "failed", "batches"):
        assert getattr(own, name).sum() == getattr(run.spans, name).sum()
    assert own.busy.sum() == pytest.approx(run.spans.busy.sum())
    length = line.spans.ended - line.spans.began
    assert (length < 3 * line.merged)[line.spans.batches > 1].all()


def test_spans_of_other_functions_and_workers_stay_apart() -> None:
    run = read(small().trace())
    merged = coarse(run.spans, 1e9)
    assert len(merged) == 4  # two workers, two functions
    assert merged.tasks.sum() == 460


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"), (4.2e-5, "42 µs"), (0.00125, "1.25 ms"), (0.9999, "1 s"), (12.34, "12.3 s"),
        (99.94, "99.9 s"), (99.97, "1 min 40 s"), (245.2, "4 min 05 s"), (3599.7, "1 h 00 min"),
        (7980, "2 h 13 min"), (273600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_times_are_said_as_people_do(seconds: float, text: str) -> None:
    assert amounts.duration(seconds) == text


def test_other_amounts_are_said_as_people_do() -> None:
    assert [amounts.share(part) for part in (0, 0.0004, 0.004, 0.0999, 0.123, 0.9996, 1)] == [
        "0 %", "< 0.1 %", "0.4 %", "10 %", "12 %", "> 99.9 %", "100 %"
    ]  # fmt: skip
    assert [amounts.size(size) for size in (0, 512, 1.24e9, 2e6)] == [
        "",
        "512 B",
        "1.24 GB",
        "2 MB",
    ]
    assert amounts.count(1, "task") == "1 task" and amounts.count(12345, "batch", "batches") == (
        "12,345 batches"
    )
    assert amounts.some(["a", "b", "c"]) == "a, b and c"
    assert amounts.some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert amounts.some(["a", "b", "c", "d"]) == "a, b, c and d" and amounts.some(["a"]) == "a"
