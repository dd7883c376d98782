"""The scheduler against a model of sets and lists, in whatever order things happen.

The model knows every task by its number and nothing of ranges or buckets, and of paces only how
long the tail is: which tasks are
queued, which a worker holds, which are put off, which have run, how many workers died with each,
and how often it has raised.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scoopmpi.scheduling.batching import Pace, Policy
from scoopmpi.scheduling.ranges import Batch
from scoopmpi.scheduling.retries import put_off
from scoopmpi.scheduling.scheduler import Assignment, Scheduler
from tests.support.scheduler_model import ModelJob, ModelWorker, bar, tasks_of

picks = st.integers(0, 99)
counts = st.integers(0, 5) | st.integers(0, 200)
remembered_paces = st.none() | st.builds(
    Pace,
    st.sampled_from([1e-6, 1e-4, 0.01, 1.0]),
    st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    st.just(True),
)
bytes_of_a_task = st.none() | st.sampled_from([0.0, 100.0, 1e6, 1e8])
seconds_of_a_batch = st.sampled_from([-1.0, 0.0, 1e-5, 1e-3, 0.02, 1.0])


class SchedulerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(Policy())
        self.jobs: dict[int, ModelJob] = {}
        self.workers: dict[int, ModelWorker] = {}
        self.dead: list[int] = []
        self.put_off: list[Batch] = []
        self.settled = True  # no job was cancelled since the last assignments
        self.policy = self.scheduler.policy

    # What the rules choose from.

    @property
    def open_jobs(self) -> list[int]:
        return [number for number, job in self.jobs.items() if not job.cancelled]

    def busy(self, batches: int = 1) -> list[int]:
        return [number for number, state in self.workers.items() if len(state.held) >= batches]

    @property
    def taking(self) -> list[ModelWorker]:
        return [state for state in self.workers.values() if not state.barred]

    def held(self) -> list[Batch]:
        return [batch for state in self.workers.values() for batch in state.held]

    # The model.

    def assigned(self, assignments: list[Assignment]) -> None:
        self.settled = True
        for worker, batch, budget, expected, surely in assignments:
            job, state = self.jobs[batch.job], self.workers[worker]
            assert budget >= 2 * expected >= 2 * surely >= 0
            assert budget > 0
            assert not job.cancelled
            if state.held:
                assert not self.at_the_tail(batch.job), "it would wait while others have nothing"
                longest = self.policy.prefetch
                assert 0 < state.expected <= longest, "a batch would wait behind a long one"
            assert not state.overdue, "a batch would wait behind a task that outlives its budget"
            assert not state.barred, "it gets nothing more"
            assert not state.held or all(other.held for other in self.taking)
            assert batch.tasks == 1 or not batch.attempts, "a suspect is not alone"
            assert batch.tasks > 0
            weight = self.scheduler.weight(batch.job)
            assert batch.tasks == 1 or batch.tasks * weight <= self.policy.heaviest
            for task in tasks_of(batch):
                assert (job.deaths[task], job.raised[task]) == (batch.attempts, batch.raised)
                assert task in job.open, "it is held back"
                job.queued.remove(task)  # KeyError: it was held, had run or was never submitted
            state.held.append(batch)
            state.expected = expected

    def at_the_tail(self, number: int) -> bool:
        """True where no job but this has tasks queued, and it has few: one for each worker, or as
        many as are worth a message where that is more. At a gate there is no tail."""
        if any(job.open for other, job in self.jobs.items() if other != number):
            return False
        if self.jobs[number].gate is not None:
            return False
        pace = self.scheduler.pace(number)
        few = 1.0 if pace is None else max(1.0, self.policy.shortest / pace.seconds)
        return len(self.jobs[number].queued) <= few * len(self.workers)

    def queued_again(self, batch: Batch) -> None:
        if not self.jobs[batch.job].cancelled:
            self.jobs[batch.job].queued.update(tasks_of(batch))

    def ends_first(self, worker: int, seconds: float) -> None:
        state = self.workers[worker]
        batch = state.held.pop(0)
        state.overdue = False
        self.jobs[batch.job].run.update(tasks_of(batch))
        self.assigned(self.scheduler.finished(worker, batch, seconds))

    def raises(self, worker: int, batch: Batch, places: set[int]) -> list[Batch]:
        """Some tasks of the front of what a worker runs raise, and are to be tried again."""
        job = self.jobs[batch.job]
        raised = [task for task in tasks_of(batch) if (task - batch.start) % 7 in places]
        held = self.scheduler.as_held(worker, batch)
        found = put_off(held, raised, lambda task: 3)
        for each in found:
            job.run.subtract(tasks_of(each))
            if not job.cancelled:
                job.raised.update(tasks_of(each))
                self.put_off.append(each)
        return found

    # What happens.

    @rule(
        pick=picks,
        count=counts,
        new=st.sampled_from([True, False, False]),
        ahead=st.booleans(),
        pace=remembered_paces,
    )
    def submitted(self, pick: int, count: int, new: bool, ahead: bool, pace: Pace | None) -> None:
        known = self.open_jobs
        number = len(self.jobs) + 1 if new or not known else known[pick % len(known)]
        job = self.jobs.setdefault(number, ModelJob())
        job.queued.update(range(job.submitted, job.submitted + count))
        job.submitted += count
        self.assigned(self.scheduler.submitted(number, count, ahead, pace))

    @precondition(lambda self: self.open_jobs)
    @rule(pick=picks, gate=st.none() | st.integers(0, 20) | st.integers(0, 400))
    def allowed(self, pick: int, gate: int | None) -> None:
        """The consumer has taken something, or what came has turned out to be heavy."""
        number = self.open_jobs[pick % len(self.open_jobs)]
        self.jobs[number].gate = gate
        self.assigned(self.scheduler.allowed(number, gate))

    @precondition(lambda self: self.open_jobs)
    @rule(pick=picks, paused=st.booleans())
    def paused(self, pick: int, paused: bool) -> None:
        """The end of the batch job has come near, or has moved away."""
        number = self.open_jobs[pick % len(self.open_jobs)]
        self.jobs[number].paused = paused
        self.assigned(self.scheduler.paused(number, paused))

    @precondition(lambda self: self.open_jobs)
    @rule(pick=picks, arguments=bytes_of_a_task, result=bytes_of_a_task)
    def weighed(self, pick: int, arguments: float | None, result: float | None) -> None:
        number = self.open_jobs[pick % len(self.open_jobs)]
        self.scheduler.weighed(number, arguments, result)

    @rule(returning=st.booleans())
    def joined(self, returning: bool) -> None:
        if returning and self.dead:
            number = self.dead.pop()
        else:
            number = len(self.workers) + len(self.dead) + 1
        self.workers[number] = ModelWorker()
        self.assigned(self.scheduler.joined(number))

    @precondition(lambda self: self.workers)
    @rule(pick=picks)
    def lost(self, pick: int) -> None:
        number = list(self.workers)[pick % len(self.workers)]
        gone = self.workers.pop(number)
        self.dead.append(number)
        for batch in (*gone.waiting, *gone.held):
            self.queued_again(batch)
        # What nobody wants any more, as a dead worker's nested jobs, is no suspect.
        wanted = [batch for batch in gone.held if not self.jobs[batch.job].cancelled]
        for batch in wanted or gone.waiting:
            self.jobs[batch.job].deaths.update(tasks_of(batch))
        bar(self.workers)
        self.assigned(self.scheduler.lost(number))

    @precondition(lambda self: self.workers)
    @rule(pick=picks)
    def barred(self, pick: int) -> None:
        """Tasks fail at once on a worker's host."""
        number = list(self.workers)[pick % len(self.workers)]
        bar(self.workers, number)
        self.assigned(self.scheduler.barred(number))

    @precondition(lambda self: self.busy())
    @rule(pick=picks, seconds=seconds_of_a_batch)
    def finished_a_batch(self, pick: int, seconds: float) -> None:
        busy = self.busy()
        self.ends_first(busy[pick % len(busy)], seconds)

    @precondition(lambda self: self.busy())
    @rule(pick=picks, places=st.sets(st.integers(0, 6)))
    def finished_a_batch_with_tasks_that_raised(self, pick: int, places: set[int]) -> None:
        busy = self.busy()
        worker = busy[pick % len(busy)]
        batch = self.workers[worker].held[0]
        found = self.raises(worker, batch, places)
        del self.workers[worker].held[0]
        self.workers[worker].overdue = False
        self.jobs[batch.job].run.update(tasks_of(batch))
        self.assigned(self.scheduler.finished(worker, batch, 1e-3, None, found))

    @precondition(lambda self: self.put_off)
    @rule(pick=picks)
    def comes_due(self, pick: int) -> None:
        batch = self.put_off.pop(pick % len(self.put_off))
        self.queued_again(batch)
        cancelled = self.jobs[batch.job].cancelled
        assignments = self.scheduler.due(batch)
        assert not (cancelled and assignments)
        if not cancelled:
            self.assigned(assignments)

    @precondition(lambda self: self.busy())
    @rule(pick=picks, done=picks, kept=st.sampled_from([1, 1, 1, 2]))
    def passed_its_budget(self, pick: int, done: int, kept: int) -> None:
        """Some are done (or none), one is running, or two where the first is not packed yet."""
        busy = self.busy()
        worker = busy[pick % len(busy)]
        state = self.workers[worker]
        batch = state.held[0]
        middle = batch.start + done % batch.tasks
        end = min(middle + kept, batch.stop)
        front, unstarted = batch._replace(stop=middle), batch._replace(start=end)
        self.jobs[batch.job].run.update(tasks_of(front))
        self.queued_again(unstarted)
        state.held[0] = batch._replace(start=middle, stop=end)
        state.overdue = True
        back = unstarted if unstarted.tasks else None
        self.assigned(self.scheduler.finished(worker, front, -1.0, back))

    @precondition(lambda self: any(batch.tasks > 1 for batch in self.held()))
    @rule(pick=picks, done=picks, seconds=seconds_of_a_batch, places=st.sets(st.integers(0, 6)))
    def has_left_in_part(self, pick: int, done: int, seconds: float, places: set[int]) -> None:
        """Large results have left, and the worker goes on: it is no more overdue than before."""
        able = [batch for batch in self.held() if batch.tasks > 1]
        batch = able[pick % len(able)]
        worker = next(each for each, state in self.workers.items() if batch in state.held)
        held = self.workers[worker].held
        front = batch._replace(stop=batch.start + 1 + done % (batch.tasks - 1))
        found = self.raises(worker, front, places)
        held[held.index(batch)] = batch._replace(start=front.stop)
        self.jobs[batch.job].run.update(tasks_of(front))
        self.assigned(self.scheduler.finished(worker, front, seconds, None, found, True))

    @precondition(lambda self: self.busy(batches=2))
    @rule(pick=picks)
    def handed_back_what_waits(self, pick: int) -> None:
        doubled = self.busy(batches=2)
        worker = doubled[pick % len(doubled)]
        batch = self.workers[worker].held.pop()
        self.workers[worker].overdue = True
        self.queued_again(batch)
        nothing = batch._replace(stop=batch.start)
        self.assigned(self.scheduler.finished(worker, nothing, -1.0, batch))

    @precondition(lambda self: self.busy())
    @rule(pick=picks)
    def handed_back_what_runs_next(self, pick: int) -> None:
        """The batch before it ended while this one was on its way back."""
        busy = self.busy()
        worker = busy[pick % len(busy)]
        batch = self.workers[worker].held.pop(0)
        self.workers[worker].overdue = False
        self.queued_again(batch)
        nothing = batch._replace(stop=batch.start)
        self.assigned(self.scheduler.finished(worker, nothing, -1.0, batch))

    @precondition(lambda self: self.busy())
    @rule(pick=picks, place=picks)
    def waits_for_others(self, pick: int, place: int) -> None:
        """The running task does: what was before and behind it has been answered."""
        busy = self.busy()
        worker = busy[pick % len(busy)]
        state = self.workers[worker]
        place %= len(state.held)
        batch = state.held[place]
        if batch.tasks > 1:
            return
        state.waiting.append(state.held.pop(place))
        state.overdue = place > 0 and state.overdue
        self.assigned(self.scheduler.waiting(worker, batch._replace(attempts=0)))

    @precondition(lambda self: any(state.waiting for state in self.workers.values()))
    @rule(pick=picks, place=picks)
    def goes_on(self, pick: int, place: int) -> None:
        able = [number for number, state in self.workers.items() if state.waiting]
        worker = able[pick % len(able)]
        state = self.workers[worker]
        batch = state.waiting.pop(place % len(state.waiting))
        state.held.insert(0, batch)
        state.overdue = True
        self.assigned(self.scheduler.resumed(worker, batch._replace(attempts=0)))

    @precondition(lambda self: self.open_jobs)
    @rule(pick=picks)
    def cancelled(self, pick: int) -> None:
        number = self.open_jobs[pick % len(self.open_jobs)]
        self.jobs[number].cancelled = True
        self.jobs[number].queued.clear()
        assert self.scheduler.cancelled(number) == []
        self.settled = False

    # What must hold after every step.

    @invariant()
    def its_own_invariants_hold(self) -> None:
        self.scheduler.check(self.settled)

    @invariant()
    def it_knows_what_the_model_knows(self) -> None:
        queued = any(job.open for job in self.jobs.values())
        assert self.scheduler.workers == len(self.workers)
        assert self.scheduler.idle == any(not state.held for state in self.taking)
        waiting = any(state.waiting for state in self.workers.values())
        put_off = any(not self.jobs[batch.job].cancelled for batch in self.put_off)
        assert self.scheduler.busy == (queued or waiting or put_off or bool(self.busy()))
        stand = {number for number, job in self.jobs.items() if job.paused and not job.cancelled}
        back = {batch for batch in self.put_off if batch.job in stand}
        some = bool(back) or any(self.jobs[number].below_the_gate for number in stand)
        elsewhere = any(
            not self.jobs[batch.job].cancelled and batch not in back for batch in self.put_off
        )
        nothing = not (queued or waiting or elsewhere or self.busy())
        assert (self.scheduler.rests, self.scheduler.stands) == (nothing, some)
        idle = sum(not state.held for state in self.taking)
        assert self.scheduler.idle_workers == (0 if queued else idle)
        for number, state in self.workers.items():
            assert self.scheduler.held(number) == (*state.waiting, *state.held)

    @invariant()
    def nobody_idles_while_something_is_queued(self) -> None:
        queued = [number for number, job in self.jobs.items() if job.open]
        if queued:
            assert all(state.held for state in self.taking)
            # Suspects wait for the idle, and those behind them do; so does the tail.
            waits = any(job.deaths for job in self.jobs.values()) or self.at_the_tail(queued[0])
            assert waits or not (self.settled and self.scheduler.open)

    @invariant()
    def every_task_is_in_one_place(self) -> None:
        places = {number: Counter(job.queued) + job.run for number, job in self.jobs.items()}
        for state in self.workers.values():
            for batch in (*state.waiting, *state.held):
                places[batch.job].update(tasks_of(batch))
        for batch in self.put_off:
            places[batch.job].update(tasks_of(batch))
        for number, job in self.jobs.items():
            assert not places[number] or max(places[number].values()) == 1
            if not job.cancelled:
                assert len(places[number]) == job.submitted

    # The end: whoever is left runs all that is left.

    def teardown(self) -> None:
        if not self.workers:
            self.joined(returning=False)
        for worker, state in self.workers.items():
            while state.waiting:
                batch = state.waiting.pop()
                state.held.insert(0, batch)
                self.assigned(self.scheduler.resumed(worker, batch._replace(attempts=0)))
        while self.put_off:
            self.comes_due(0)
        for number in self.open_jobs:
            self.jobs[number].gate = None
            self.assigned(self.scheduler.allowed(number, None))
            self.jobs[number].paused = False
            self.assigned(self.scheduler.paused(number, False))
        while busy := self.busy():
            self.ends_first(busy[0], 1e-3)
        self.scheduler.check()
        assert not self.scheduler.busy
        for job in self.jobs.values():
            if not job.cancelled:
                assert job.run == Counter(range(job.submitted))


TestSchedulerMachine = SchedulerMachine.TestCase
TestSchedulerMachine.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
