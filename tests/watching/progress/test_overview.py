"""Which lines there are: a tally with a clock of ours, events by hand. No threads, no terminal."""

from __future__ import annotations

from scoopmpi.watching.estimate import Estimator
from scoopmpi.watching.progress.overview import Overview
from scoopmpi.watching.progress.row import Row
from scoopmpi.watching.progress.series import SOON
from scoopmpi.watching.tally import Tally


class Watched:
    """A farm of whose events we are the author, and what is shown of it."""

    def __init__(self, workers: int = 2, after: float | None = SOON) -> None:
        self.now = 100.0
        self.tally = Tally(lambda: self.now)
        self.overview = Overview(after)
        self.estimator = Estimator()
        self.workers = workers
        for worker in range(1, workers + 1):
            self.tally.worker_joined(worker, "n1", 1000 + worker)
        self._begun = 0

    def begins(
        self, name: str = "f", size: int | None = 10, kind: str = "map",
        progress: bool | str | None = None,
    ) -> int:  # fmt: skip
        self._begun += 1
        job = {"map": self._begun, "calls": 0, "nested": -self._begun}[kind]
        self.tally.job_begun(job, kind, name, size, progress)
        self.overview.begins(self.tally.jobs[job], self.now)
        if self._begun == 1:
            self.overview.due(self.now)  # as the thread does, which it wakes
        return job

    def runs(self, job: int, start: int, tasks: int, seconds: float = 0.0, failed: int = 0) -> None:
        """A worker runs some tasks, one after the other."""
        self.tally.tasks_assigned(job, 1, start, tasks, 1)
        self.now += seconds
        self.tally.tasks_finished(job, 1, start, tasks, failed, seconds, None)

    def ends(self, job: int) -> None:
        self.tally.job_ended(job)
        self.overview.ends(job, self.now)

    def rows(self, most: int = 8) -> list[Row]:
        due = self.overview.due(self.now)
        if due is None or due > 0:
            return []
        estimate = self.estimator.look(self.tally, self.now)
        workers = self.tally.workers.values()
        return self.overview.rows(self.now, workers, estimate, self.estimator, most)

    def staying(self, end: bool = False) -> list[Row]:
        return self.overview.staying(self.now, end)


def test_what_is_soon_over_is_not_shown() -> None:
    watched = Watched()
    assert watched.overview.due(watched.now) is None
    job = watched.begins()
    assert watched.overview.due(watched.now) == SOON
    watched.runs(job, 0, 10, 1.9)
    watched.ends(job)
    assert watched.rows() == [] and watched.staying(end=True) == []
    watched.now += 10
    assert watched.overview.due(watched.now) is None


def test_a_map_is_shown_and_its_last_state_stays() -> None:
    watched = Watched()
    job = watched.begins(size=10)
    for start in range(4):
        watched.runs(job, start, 1, 1.0, failed=start == 2)
    (row,) = watched.rows()
    assert (row.title, row.done, row.size, row.failed) == ("f", 4, 10, 1)
    assert row.busy is not None and row.busy.workers == 2
    assert watched.staying() == []
    watched.runs(job, 4, 6, 2.0)
    watched.ends(job)
    (last,) = watched.staying()
    assert (last.done, last.size, last.took, last.left) == (10, 10, 6.0, None)
    assert watched.staying(end=True) == [] and watched.rows() == []


def test_a_map_that_is_cut_short_stays_as_far_as_it_has_come() -> None:
    watched = Watched()
    job = watched.begins(size=10)
    watched.runs(job, 0, 3, 3.0)
    watched.rows()
    (last,) = watched.staying(end=True)
    assert (last.done, last.size) == (3, 10)


def test_generations_have_one_line() -> None:
    watched = Watched()
    stayed = 0
    for generation in range(200):
        job = watched.begins(size=20)
        watched.runs(job, 0, 20, 0.1)
        if generation > 30:
            (row,) = watched.rows()
            assert row.size is None and row.done == 20 * (generation + 1)
            assert row.note == f"{generation + 1} maps" and row.rate is not None
            assert 150 < row.rate < 250
        watched.ends(job)
        stayed += len(watched.staying())
    assert stayed == 0
    watched.now += SOON
    (last,) = watched.staying()
    assert (last.done, last.size, last.note) == (4000, 4000, "200 maps")


def test_long_generations_show_the_map_that_runs() -> None:
    watched = Watched()
    for generation in range(3):
        job = watched.begins(size=100)
        watched.runs(job, 0, 40, 5.0)
        (row,) = [row for row in watched.rows() if row.title == "f"]
        assert (row.done, row.size) == (40, 100)
        assert row.note == ("" if generation == 0 else f"map {generation + 1}")
        watched.runs(job, 40, 60, 5.0)
        watched.ends(job)
        assert len(watched.staying()) == (generation == 0)  # more may follow at once
    watched.now += SOON
    assert [row.note for row in watched.staying()] == ["3 maps"]


def test_maps_at_the_same_time_and_a_line_for_all() -> None:
    watched = Watched()
    before = watched.begins("short", 5)
    watched.runs(before, 0, 5, 0.5)
    watched.ends(before)
    jobs = [watched.begins(f"f{number}", 100) for number in range(12)]
    watched.runs(jobs[0], 0, 50, 3.0)
    rows = watched.rows(most=6)
    assert [row.title for row in rows] == ["f0", "f1", "f2", "f3", "8 more", "all"]
    assert (rows[-1].done, rows[-1].size) == (55, 1205)  # what is over counts too
    assert rows[-2].size == 800 and rows[-1].busy is not None and rows[0].busy is None
    assert [row.title for row in watched.rows(most=1)] == ["all"]


def test_one_function_in_several_maps_at_once_is_counted_together() -> None:
    watched = Watched()
    first, second = watched.begins(size=100), watched.begins(size=50)
    watched.runs(first, 0, 10, 3.0)
    (row,) = watched.rows()
    assert (row.done, row.size, row.note) == (10, 150, "2 maps")
    watched.runs(second, 0, 50, 1.0)
    watched.ends(second)
    (row,) = watched.rows()
    assert (row.done, row.size) == (60, 150)


def test_submitted_calls_count_as_many_as_there_are() -> None:
    watched = Watched()
    calls = watched.begins("a submitted call", None, "calls")
    watched.now += 100
    assert watched.rows() == []
    watched.tally.job_grew(calls, 30)
    watched.rows()
    watched.runs(calls, 0, 10, 3.0)
    (row,) = watched.rows()
    assert (row.title, row.done, row.size) == ("submitted calls", 10, 30)
    watched.runs(calls, 10, 20, 3.0)
    watched.rows()
    watched.now += SOON
    assert [(row.done, row.size) for row in watched.staying()] == [(30, 30)]
    watched.now += 50
    watched.tally.job_grew(calls, 5)
    watched.rows()
    watched.runs(calls, 30, 2, 3.0)
    rows = watched.rows()
    assert (rows[0].done, rows[0].size) == (2, 5)  # a line of their own
    assert (rows[-1].done, rows[-1].size) == (32, 35)


def test_a_generator_is_a_counter_until_it_ends() -> None:
    watched = Watched()
    job = watched.begins(size=None)
    watched.tally.job_grew(job, 20)
    watched.runs(job, 0, 8, 4.0)
    (row,) = watched.rows()
    assert (row.done, row.size, row.left) == (8, None, None) and row.rate == 2.0
    watched.tally.job_sized(job, 20)
    (row,) = watched.rows()
    assert (row.done, row.size) == (8, 20)


def test_nothing_is_said_of_the_time_before_the_first_task_has_ended() -> None:
    watched = Watched(workers=1)
    job = watched.begins(size=10)
    watched.tally.tasks_assigned(job, 1, 0, 1, 1)
    watched.now += 50
    (row,) = watched.rows()
    assert row.left is None and row.rate is None
    watched.now += 10
    watched.tally.tasks_finished(job, 1, 0, 1, 0, 60.0, None)
    watched.tally.tasks_assigned(job, 1, 1, 1, 1)
    watched.now += 30
    (row,) = watched.rows()
    assert row.left is not None and abs(row.left - (30 + 8 * 60)) < 20


def test_what_a_checkpoint_knows_is_no_pace() -> None:
    watched = Watched()
    job = watched.begins(size=1000)
    watched.tally.tasks_recalled(job, 0, 900)
    for start in range(900, 940, 10):
        watched.runs(job, start, 10, 1.0)
        watched.rows()
    (row,) = watched.rows()
    assert row.done == 940 and row.recalled == 900
    assert row.rate is not None and abs(row.rate - 10.0) < 0.5


def test_a_title_and_what_is_hidden() -> None:
    watched = Watched()
    watched.begins("secret", progress=False)
    watched.begins("f", progress="Fits")
    watched.now += 3
    assert [row.title for row in watched.rows()] == ["Fits"]


def test_only_what_is_asked_for_where_nobody_looks() -> None:
    watched = Watched(after=None)
    watched.begins("f")
    watched.now += 30
    assert watched.overview.due(watched.now) is None
    watched.begins("g", progress=True)
    watched.now += 3
    assert [row.title for row in watched.rows()] == ["g"]


def test_a_batch_job_tells_later_but_for_what_is_asked_for() -> None:
    watched = Watched(after=60.0)
    watched.begins("f")
    watched.begins("g", progress=True)
    watched.now += 3
    assert [row.title for row in watched.rows()] == ["g"]
    watched.now += 60
    assert [row.title for row in watched.rows()] == ["f", "g", "all"]


def test_tasks_of_tasks_come_last_and_count_for_no_more() -> None:
    watched = Watched()
    outer = watched.begins("outer", 4)
    watched.begins("inner", 100, "nested")
    watched.runs(outer, 0, 1, 3.0)
    rows = watched.rows()
    assert [(row.title, row.note) for row in rows[:2]] == [("outer", ""), ("inner", "nested")]
    assert (rows[-1].done, rows[-1].size) == (1, 4)


def test_thousands_of_open_maps_are_no_burden() -> None:
    watched = Watched()
    jobs = [watched.begins(size=1) for _ in range(20_000)]  # quadratic, it would take minutes
    watched.now += 3
    (row,) = watched.rows()
    assert row.size == len(jobs)


def test_lost_workers_are_told() -> None:
    watched = Watched(workers=3)
    job = watched.begins(size=10)
    watched.tally.tasks_assigned(job, 3, 0, 1, 1)
    watched.tally.tasks_lost(job, 3, 0, 1, 1, False)
    watched.tally.tasks_retried(job, 3, 0, 1)
    watched.tally.worker_lost(3, "n1")
    watched.now += 3
    (row,) = watched.rows()
    assert row.busy == (0, 2, 1) and row.retried == 1
