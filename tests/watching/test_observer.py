"""What the farm says of its work: every task is accounted for, whatever happens to its workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scoopmpi import futures
from scoopmpi.checkpoint import record
from scoopmpi.process import identity
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.seen import Seen
from scoopmpi.watching.observer import Observer
from scoopmpi.watching.tally import Tally
from scoopmpi.wire.errors import WorkerLost
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60)
EAGER = Policy(target=0, shortest=0, message=0)
SEEDS = range(12)


class Account(Observer):
    """Counts the tasks of each job by what has become of them."""

    def __init__(self) -> None:
        self.kinds: dict[int, str] = {}
        self.ended: set[int] = set()
        self.cut_short: set[int] = set()
        """Jobs that have ended with tasks under way, some of which were not sent yet."""
        self.tasks: dict[str, Counter[int]] = {}
        self.failed = self.batches = self.late = 0
        self.seconds = 0.0
        self.tally = Tally()
        self.joined: list[int] = []
        self.lost: list[int] = []
        self.closed = False

    def _count(self, what: str, job: int, tasks: int) -> None:
        assert tasks > 0 and job in self.kinds
        self.tasks.setdefault(what, Counter())[job] += tasks

    def of(self, what: str, kind: str = "") -> int:
        """Return how many tasks have become that; of jobs of a kind."""
        counts = self.tasks.get(what, Counter[int]())
        return sum(count for job, count in counts.items() if kind in self.kinds[job])

    def worker_joined(self, worker: int, host: str, pid: int) -> None:
        self.joined.append(worker)

    def worker_lost(self, worker: int, host: str) -> None:
        self.lost.append(worker)

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        assert job not in self.kinds
        self.kinds[job] = kind

    def job_ended(self, job: int) -> None:
        assert job not in self.ended
        self.ended.add(job)
        if not self._balanced(job):
            self.cut_short.add(job)

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        self._count("assigned", job, tasks)

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float,
        seen: Seen | None,
    ) -> None:  # fmt: skip
        self._count("finished", job, tasks)
        self.late += job in self.ended
        self.failed += failed
        self.batches += 1
        self.seconds += max(seconds, 0.0)

    def tasks_handed_back(self, job: int, worker: int, start: int, tasks: int) -> None:
        self._count("handed back", job, tasks)

    def tasks_recalled(self, job: int, start: int | None, tasks: int) -> None:
        self._count("recalled", job, tasks)

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        self._count("lost", job, tasks)

    def tasks_retried(self, job: int, worker: int, start: int, tasks: int) -> None:
        self._count("retried", job, tasks)

    def tasks_given_up(self, job: int, worker: int, start: int, tasks: int) -> None:
        self._count("given up", job, tasks)

    def farm_closed(self, status: int) -> None:
        self.closed = True

    def _balanced(self, job: int) -> bool:
        into = {what: counts[job] for what, counts in self.tasks.items()}
        gone = sum(into.get(what, 0) for what in ("finished", "handed back", "lost"))
        return into.get("assigned", 0) == gone

    @property
    def maps_cut_short(self) -> set[int]:
        """Maps that ended with tasks under way; none that was read to its end may be one."""
        return {job for job in self.cut_short if self.kinds[job] == "map"}

    def balance(self) -> None:
        """Check that of what was assigned nothing is missing, for each job."""
        for job in self.kinds:
            assert self._balanced(job) or job in self.cut_short
        self.agree(self.tally)

    def agree(self, tally: Tally) -> None:
        """Check that a tally has come to the same."""
        total = tally.total
        for what in ("finished", "recalled", "retried", "lost"):
            assert getattr(total, what) == self.of(what), what
        assert total.given_up == self.of("given up")
        assert (total.failed, total.left) == (self.failed, 0)
        assert abs(total.seconds - self.seconds) < 1e-6
        assert total.running == 0 and not any(each.held for each in tally.workers.values())
        functions = tally.functions.values()
        assert total.finished == sum(each.counts.finished for each in functions)
        assert {each.rank for each in tally.workers.values() if each.lost} == {*self.lost}
        if not self.lost:
            assert sum(each.durations.tasks for each in functions) == total.finished
            assert sum(each.tasks for each in tally.workers.values()) == total.finished


class Scene:
    """The ranks of the running test, and how likely a task dies with its worker."""

    ranks: Ranks
    deaths = 0.0


@contextmanager
def observed(
    seed: int, workers: int = 3, deaths: float = 0.0, retries: int = 20, path: Path | None = None
) -> Iterator[Account]:
    """A farm at whose end every task is accounted for."""
    account = Account()
    policy = EAGER if seed % 2 else Policy()
    ranks = Scene.ranks = Ranks(workers, seed, policy, retries, [account, account.tally])
    Scene.deaths = deaths
    checkpoint = None
    if path is not None:
        checkpoint = record.opened(path, ranks.farm.sharing, "a test")
        ranks.executor.checkpoint = checkpoint
    current_executor.install(ranks.executor)
    before, identity.this.started = identity.this.started, True
    try:
        yield account
        ranks.settle()
        account.balance()
        still_open = {kind for job, kind in account.kinds.items() if job not in account.ended}
        assert still_open == {"calls"}
        assert len(account.joined) == workers
        assert set(account.lost) == ranks.link.dead
    finally:
        identity.this.started = before
        current_executor.install(None)
        if checkpoint is not None:
            checkpoint.close(ended=True)


def square(x: int) -> int:
    ranks = Scene.ranks
    if len(ranks.workers) > 1 and ranks.link.chance.random() < Scene.deaths:
        ranks.die()
    return x * x


def odd_ones_raise(x: int) -> int:
    if x % 2:
        raise ValueError(x)
    return x


def tree(depth: int) -> int:
    return sum(futures.map(tree, [depth - 1] * 3)) if depth else square(1)


def kills(x: int) -> int:
    if x == 3:
        Scene.ranks.die()
    return x


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("deaths", [0.0, 0.05])
def test_every_task_of_a_map_has_finished(seed: int, deaths: float) -> None:
    with observed(seed, workers=6, deaths=deaths) as account:
        assert len(list(futures.map(square, range(200)))) == 200
        assert len(list(futures.map(square, iter(range(50))))) == 50
    assert account.of("finished", "map") == 250
    assert 0 < account.batches <= 250 and account.seconds > 0
    assert bool(account.lost) <= (deaths > 0)
    assert account.of("retried") <= account.of("lost")
    assert account.maps_cut_short == set()


def outlives_its_budget(x: int) -> int:
    """A task in the middle of which the progress thread has its turn, long after it has begun."""
    if Scene.ranks.link.chance.random() < 0.2:
        for worker in Scene.ranks.workers:
            if (batch := worker.batches.current) is not None:
                batch.started -= 10  # seconds, which are over any budget
                worker.overdue.turn()
    return x


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if not seed % 2])
def test_what_goes_back_unstarted_is_told_and_assigned_again(seed: int) -> None:
    with observed(seed) as account:
        assert list(futures.map(outlives_its_budget, range(300))) == list(range(300))
    assert account.of("finished", "map") == 300
    assert account.of("handed back", "map") > 0
    assert account.maps_cut_short == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_map_that_is_not_read_to_its_end_is_balanced_too(seed: int) -> None:
    with observed(seed) as account:
        values = futures.map(square, range(1000))
        assert next(values) == 0
        del values
    assert account.of("finished", "map") <= 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_and_what_they_raise_are_counted(seed: int) -> None:
    with observed(seed) as account:
        calls = [futures.submit(odd_ones_raise, x) for x in range(40)]
        assert sum(call.exception() is not None for call in calls) == 20
    assert (account.of("finished", "calls"), account.failed) == (40, 20)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_what_is_given_up_has_not_finished(retries: int) -> None:
    with observed(1, workers=5, retries=retries) as account:
        with pytest.raises(WorkerLost):
            list(futures.map(kills, range(8)))
        calls = [futures.submit(kills, x) for x in (1, 2, 4)]
        assert [call.result() for call in calls] == [1, 2, 4]
    assert (account.of("given up", "map"), len(account.lost)) == (1, retries + 1)
    assert account.of("retried") >= retries


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("deaths", [0.0, 0.05])
def test_what_a_checkpoint_knows_is_recalled(seed: int, deaths: float, tmp_path: Path) -> None:
    path = tmp_path / "job.ckpt"
    for tasks in (60, 100):
        with observed(seed, workers=6, deaths=deaths, path=path) as account:
            assert len(list(futures.map(square, range(tasks)))) == tasks
            calls = [futures.submit(square, x) for x in range(tasks // 10)]
            assert [call.result() for call in calls] == [x * x for x in range(tasks // 10)]
    recalled, finished = account.of("recalled", "map"), account.of("finished", "map")
    assert (recalled, finished) == (60, 40)
    assert (account.of("recalled", "calls"), account.of("finished", "calls")) == (6, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_nested_tasks_are_counted_where_they_change_workers(seed: int) -> None:
    with observed(seed, workers=4) as account:
        assert sum(futures.map(tree, [3, 3])) == 54
    offered = account.of("finished", "nested")
    assert account.of("finished", "map") == 2
    assert 0 <= offered <= 2 * (3 + 9 + 27) and account.late == 0
    assert bool(offered) == ("nested" in account.kinds.values())


def test_the_end_is_the_last_event() -> None:
    with observed(0) as account:
        assert list(futures.map(square, [2])) == [4]
    farm = Scene.ranks.farm
    for worker in Scene.ranks.workers:
        Scene.ranks.link.kill(worker.rank)
    assert not account.closed
    farm.close()
    assert account.closed and len(account.lost) == 3
