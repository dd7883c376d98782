"""Which tasks are given away: the oldest, once for each time that somebody wants some."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import pytest

from scoopmpi.tasks.pedigree import UNPLACED
from scoopmpi.wire.messages import Ceased, Offered, Returned, Revoked, StealRequest
from scoopmpi.worker.nested.maps import NestedMap, UnstartedRows
from scoopmpi.worker.nested.pending import PendingJobs
from scoopmpi.worker.nested.unread_maps import UnreadMaps
from scoopmpi.worker.nested.work_sharing import WorkSharing


def job(number: int, tasks: int, scope: int = 1) -> NestedMap:
    return NestedMap(number, scope, abs, [range(tasks)], 4, True, UNPLACED)


class Bench:
    """One of three workers, and what it says."""

    def __init__(self) -> None:
        self.sent: deque[Any] = deque()
        self.pending = PendingJobs()
        lock = threading.RLock()
        self.sharing = WorkSharing(self.sent.append, lock, self.pending, workers=3)

    @property
    def offers(self) -> list[tuple[int, int, int]]:
        return [
            (each.job, each.start, each.stop) for each in self.sent if isinstance(each, Offered)
        ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def returned(number: int, start: int, stop: int) -> Returned:
    return Returned(number, start, stop, True, b"", ())


def test_two_thirds_are_for_two_others_and_nothing_more_until_asked(bench: Bench) -> None:
    bench.pending.add(job(1, 30))
    bench.sharing.offer(0)
    bench.sharing.offer(0)
    assert bench.offers == [(1, 10, 30)]
    bench.sharing.steal_requested(StealRequest(1))
    bench.sharing.offer(0)
    assert bench.offers == [(1, 10, 30), (1, 5, 10)]


def test_the_oldest_job_goes_first_and_of_the_newest_some_are_kept(bench: Bench) -> None:
    for each in (job(1, 1), job(2, 2)):
        bench.pending.add(each)
    bench.sharing.offer(1)
    assert bench.offers == [(1, 0, 1), (2, 1, 2)]


class ReadOnWhereEmpty(UnstartedRows):
    """Rows: when the last is taken the worker's own thread finds none, and reads on."""

    def __init__(self, shared: NestedMap) -> None:
        super().__init__(shared.rows)
        self.end, self.plain = shared.rows.end, shared.rows.plain
        self.own_thread = threading.Thread(target=shared.refill)

    def pop(self) -> tuple[Any, ...]:  # type: ignore[override]
        row = super().pop()
        if not self and not self.own_thread.ident:
            self.own_thread.start()
            self.own_thread.join(10)
        return row


def test_rows_that_are_read_while_others_get_the_last_ones_keep_their_places() -> None:
    shared = NestedMap(1, 1, abs, [iter(range(100))], 4, True, UNPLACED)
    shared.rows = ReadOnWhereEmpty(shared)
    assert shared.take(30) == (0, [(x,) for x in range(4)], True)
    assert (shared.front, [*shared.rows]) == (4, [(x,) for x in range(4, 8)])
    assert shared.take(30) == (4, [(x,) for x in range(4, 8)], True)


def test_a_map_is_dropped_while_some_of_it_is_taken(bench: Bench) -> None:
    """By the worker's own thread, which finds none of it elsewhere yet."""
    shared = job(1, 30)
    open_maps = UnreadMaps(None, bench.sharing)  # type: ignore[arg-type]
    open_maps.add(shared)

    class Dropped(UnstartedRows):
        def pop(self) -> tuple[Any, ...]:  # type: ignore[override]
            row = super().pop()
            open_maps.abandon(shared)
            return row

    rows = shared.rows
    shared.rows = Dropped(rows)
    shared.rows.end, shared.rows.plain = rows.end, rows.plain
    bench.pending.add(shared)
    bench.sharing.offer(0)
    bench.sharing.revoke()
    assert [type(each) for each in bench.sent] == [Offered, Revoked]


@pytest.mark.parametrize("step", ["take", "offer"])
def test_what_is_withdrawn_while_it_is_given_away_is_not_offered(bench: Bench, step: str) -> None:
    shared = job(1, 30)
    gives = getattr(shared, step)

    def meanwhile(what: Any) -> Any:
        given = gives(what)
        bench.sharing.abandon(1)
        if step == "offer":  # else the lock is held: the worker's own thread waits for it
            bench.sharing.revoke()
        return given

    setattr(shared, step, meanwhile)
    bench.pending.add(shared)
    bench.sharing.offer(0)
    bench.sharing.revoke()
    assert [type(each) for each in bench.sent][-1] is Revoked
    assert bench.sharing.have(1), "until it has ceased"


def test_a_job_is_shared_until_its_last_outcome_is_back(bench: Bench) -> None:
    shared = job(1, 30)
    bench.pending.add(shared)
    bench.sharing.offer(0)
    for start, stop in ((10, 15), (15, 30)):
        assert bench.sharing.have(1) and bench.sharing.of_scope(1)
        message = returned(1, start, stop)
        assert bench.sharing.job_of(message) is shared
        shared.returned(message)
        bench.sharing.returned(shared)
    assert not bench.sharing and not bench.sharing.have(1)


def test_what_is_abandoned_is_revoked_and_may_run_until_it_ceases(bench: Bench) -> None:
    bench.pending.add(job(1, 30))
    bench.sharing.abandon(1)
    bench.sharing.revoke()
    assert not bench.sent, "nobody has any of it"
    bench.sharing.offer(0)
    bench.sharing.abandon(1)
    bench.sharing.revoke()
    assert bench.sent[-1] == Revoked(1) and not bench.sharing
    assert bench.sharing.job_of(returned(1, 10, 30)) is None
    assert bench.sharing.have(1)
    bench.sharing.ceased(Ceased(1))
    assert not bench.sharing.have(1)


def test_the_newest_job_of_a_task_is_found_among_those_of_others(bench: Bench) -> None:
    jobs = [job(1, 2, scope=1), job(2, 2, scope=2), job(3, 2, scope=1)]
    assert [bench.pending.add(each) for each in jobs] == [True, False, False]
    assert bench.pending.newest() is bench.pending.newest_of(1) is jobs[2]
    assert bench.pending.newest_of(2) is jobs[1] and bench.pending.newest_of(3) is None
    jobs[2].rows.clear()
    assert bench.pending.latest is jobs[2], "it may still get more"
    assert bench.pending.unstarted() == jobs[:2]
    assert bench.pending.newest_of(1) is jobs[0] and bench.pending.newest() is jobs[1]
