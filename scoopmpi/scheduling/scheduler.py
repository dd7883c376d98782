"""Which worker gets which batch next: facts in, assignments out.

The machine of the farm: which job has its turn and which worker is served is decided here and
nowhere else; how large a batch is, in `batching`; which tasks come again, in `retries`. The state
changes only through the inputs `submitted`, `known`, `allowed`, `paused`, `weighed`, `finished`,
`due`, `waiting`, `resumed`, `lost`, `joined`, `barred` and `cancelled`; each returns the
assignments that follow, and what they mean on a wire is somebody else's business. No clock, no
messages, no pickles, no threads, no randomness, no configuration, no logging. Illegal input raises
`ValueError` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import batching, retries
from .batching import Pace, Remaining
from .ranges import Batch, JobQueue
from .standing import Standing
from .weights import LIGHT
from .worker_state import WorkerState, single


class Assignment(NamedTuple):
    """A batch and the worker that gets it.

    budget: seconds that it may take before the rest comes back.
    expected: seconds that it should take; 0 where nobody knows.
    surely: those of them that it takes in all likelihood.
    """

    worker: int
    batch: Batch
    budget: float
    expected: float = 0.0
    surely: float = 0.0


class Scheduler(Standing):
    """Hands the ranges of all jobs to workers, the oldest job first."""

    # What happened.

    def submitted(
        self,
        job: int,
        count: int,
        ahead: bool = False,
        pace: Pace | None = None,
        weight: float = 0.0,
    ) -> list[Assignment]:
        """Queue `count` more tasks of `job`; a new number starts a new job.

        ahead: before all other jobs, as running tasks wait for these.
        pace, weight: of a new job, where they are remembered; bytes of a task.
        """
        if count < 0:
            raise ValueError(f"cannot submit {count} tasks of job {job}")
        known = self._jobs.get(job)
        if known is not None and known.cancelled:
            raise ValueError(f"job {job} was cancelled")
        if known is None:
            known = self._jobs[job] = JobQueue(job, pace, weight)
            if weight:
                self._note_weight(known)
        if count:
            known.grow(count)
            if known.ready:
                self._ready[job] = known
                if ahead:
                    self._ready.move_to_end(job, last=False)
        return self._assign()

    def known(self, job: int, count: int) -> list[Assignment]:
        """Pass over the next `count` tasks of `job`, whose outcomes are known."""
        if count < 0 or job not in self._jobs or self._jobs[job].cancelled:
            raise ValueError(f"cannot skip {count} tasks of job {job}")
        self._jobs[job].skip(count)
        return []

    def allowed(self, job: int, gate: int | None) -> list[Assignment]:
        """Hold back the tasks of `job` from `gate` on, put back ones too; None: no task.

        It may be moved in both directions; what has been handed out is not touched.
        """
        if job not in self._jobs or self._jobs[job].cancelled or (gate is not None and gate < 0):
            raise ValueError(f"cannot hold back tasks of job {job} from {gate} on")
        state = self._jobs[job]
        if gate == state.gate:
            return []
        state.move_gate(gate)
        return self._turned(state)

    def paused(self, job: int, paused: bool) -> list[Assignment]:
        """Hand out nothing more of `job` for now, or go on; what is handed out is not touched."""
        if job not in self._jobs or self._jobs[job].cancelled:
            raise ValueError(f"cannot pause job {job}")
        state = self._jobs[job]
        if paused == state.paused:
            return []
        state.paused = paused
        return self._turned(state)

    def weighed(
        self, job: int, arguments: float | None = None, result: float | None = None
    ) -> None:
        """Take in how many bytes the latest tasks of `job` had each; bounds the batches to come."""
        state = self._jobs.get(job)
        if state is None:
            return
        if arguments is not None:
            state.weight.sent(arguments)
        if result is not None:
            state.weight.came(result)
        self._note_weight(state)

    def finished(
        self,
        worker: int,
        batch: Batch,
        seconds: float,
        unstarted: Batch | None = None,
        put_off: Sequence[Batch] = (),
        goes_on: bool = False,
    ) -> list[Assignment]:
        """Take in that a worker ran `batch` (the front of one it holds, maybe empty) in `seconds`.

        unstarted: the end of the held batch that it hands back. A task between the two is running.
        put_off: tasks of `batch` that have not finished: they are queued again by `due`.
        goes_on: it keeps its time, and goes on with what is behind `batch`.
        """  # fmt: skip
        state = self._worker(worker)
        place = state.place(batch, unstarted)
        if put_off and any(
            not batch.start <= each.start < each.stop <= batch.stop for each in put_off
        ):
            raise ValueError(f"{put_off} are not among {batch}")
        held = state.held[place]
        if goes_on and (unstarted is not None or batch.stop == held.stop):
            raise ValueError(f"nothing is left of {held} behind {batch}")
        end = held.stop if unstarted is None else unstarted.start
        came_back = unstarted is not None and unstarted.tasks > 0
        job, tasks = self._jobs[batch.job], batch.tasks
        job.finished += tasks
        self.answered += tasks
        for each in () if job.cancelled else put_off:
            job.finished -= each.tasks
            job.put_off.add(each)
            self._put_off += 1
        if tasks and seconds >= 0:
            job.pace = batching.learned(job.pace, tasks, seconds)
            job.measure(batch, seconds)
        if came_back and not job.cancelled:
            self._put_back(job, held._replace(start=end))
        if batch.stop < end:
            state.held[place] = held._replace(start=batch.stop, stop=end)
            state.overdue = state.overdue or not goes_on
        else:
            del state.held[place]
            job.handed -= 1
            # A batch that comes back from behind the running one says that this one is overdue:
            # to give the worker another would only have it come back too, until the task ends.
            state.overdue = place > 0 and (state.overdue or came_back)
        self._file(worker, state)
        if came_back and not state.held and not state.barred:
            # It runs something that it was not given: nobody gets a batch after this one.
            self._idle.move_to_end(worker, last=False)
        self._forget_if_done(job)
        return self._assign()

    def due(self, batch: Batch) -> list[Assignment]:
        """Queue again what was put off; nothing where its job was cancelled meanwhile."""
        job = self._jobs.get(batch.job)
        if job is None or job.cancelled:
            return []
        if batch not in job.put_off:
            raise ValueError(f"{batch} was not put off")
        job.put_off.discard(batch)
        self._put_off -= 1
        self._put_back(job, batch)
        return self._assign()

    def waiting(self, worker: int, batch: Batch) -> list[Assignment]:
        """Free a worker for more: the task that is all of `batch`, which it holds, waits."""
        state = self._worker(worker)
        place = single(state.held, batch)
        state.waiting.append(state.held.pop(place))
        self._waiting += 1
        state.overdue = place > 0 and state.overdue
        self._file(worker, state)
        return self._assign()

    def resumed(self, worker: int, batch: Batch) -> list[Assignment]:
        """Take in that a worker goes on with a task that was waiting."""
        state = self._worker(worker)
        place = single(state.waiting, batch)
        state.held.insert(0, state.waiting.pop(place))
        self._waiting -= 1
        state.overdue = True  # nobody knows how long it will take
        self._file(worker, state)
        return []

    def lost(self, worker: int, given_up: Sequence[Batch] = ()) -> list[Assignment]:
        """Queue again what a dead worker held, what is blamed as suspect (`retries`).

        given_up: batches of it that count as finished instead.
        """
        state = self._worker(worker)
        blamed = set(self._blamed(state))
        if not set(given_up) <= blamed:
            raise ValueError(f"worker {worker} is not lost with {given_up}")
        del self._workers[worker]
        self._take_out(worker)
        self._waiting -= len(state.waiting)
        for batch in reversed([*state.waiting, *state.held]):
            job = self._jobs[batch.job]
            job.handed -= 1
            if batch in given_up:
                job.finished += batch.tasks
            elif not job.cancelled:
                self._put_back(job, retries.again(batch) if batch in blamed else batch)
            self._forget_if_done(job)
        self._let_in_the_last()
        return self._assign()

    def joined(self, worker: int) -> list[Assignment]:
        """Take in a new or returned worker, which wants tasks."""
        if worker in self._workers:
            raise ValueError(f"worker {worker} has joined already")
        state = self._workers[worker] = WorkerState()
        self._file(worker, state)
        return self._assign()

    def barred(self, worker: int) -> list[Assignment]:
        """Hand this worker nothing more while there are others; what it holds is its own still.

        Where only barred ones are left, all of these get tasks again.
        """
        state = self._worker(worker)
        state.barred = True
        self._file(worker, state)
        self._let_in_the_last()
        return self._assign()

    def cancelled(self, job: int) -> list[Assignment]:
        """Forget what is not handed out of `job`; the rest is still answered."""
        if job not in self._jobs:
            raise ValueError(f"there is no job {job}")
        state = self._jobs[job]
        state.cancelled = True
        state.queue.clear()
        state.held_back.clear()
        state.queued = 0
        self._put_off -= len(state.put_off)
        state.put_off.clear()
        self._ready.pop(job, None)
        self._forget_if_done(state)
        return []  # what its suspects kept back goes out with the next input

    # Decisions.

    def _assign(self) -> list[Assignment]:
        assignments = []
        while self._ready:
            job = next(iter(self._ready.values()))
            if self._idle:
                worker, state = self._idle.popitem()
                if worker == job.queue[0].avoids and self._idle:  # its node may be to blame
                    other = self._idle.popitem()
                    self._idle[worker] = state
                    worker, state = other
            elif self._can_prefetch and self._may_wait(job):
                worker, state = self._can_prefetch.popitem(last=False)
            else:
                break
            assignments.append(self._hand(job, worker, state))
            if not job.queue:
                del self._ready[job.number]
        return assignments

    def _may_wait(self, job: JobQueue) -> bool:
        """True where a batch of the job may wait behind one that runs.

        Where other jobs follow there is no tail: who would be kept free for it would get theirs.
        Nor is there one at a gate, which moves on.
        """
        if job.queue[0].suspect:
            return False
        alone = len(self._ready) == 1 and job.gate is None
        workers = len(self._workers)
        return not (alone and batching.at_the_tail(self.policy, job.queued, workers, job.pace))

    def _hand(self, job: JobQueue, worker: int, state: WorkerState) -> Assignment:
        policy, pace, workers = self.policy, job.pace, len(self._workers)
        held = state.tasks_of(job.number) if state.held else 0
        unfinished = job.submitted - job.finished
        left = Remaining(job.queued, unfinished, job.submitted, held, job.handed)
        batch = job.take(batching.size(policy, left, workers, pace, job.weight.larger))
        tasks = batch.stop - batch.start
        expected = 0.0 if pace is None else tasks * pace.seconds
        surely = 0.0 if pace is None else batching.surely(pace, tasks)
        state.short = batching.short(policy, expected)
        remembered = pace is not None and pace.remembered
        budget = batching.budget(policy, workers, expected, remembered)
        state.held.append(batch)
        self._file(worker, state)
        return Assignment(worker, batch, budget, expected, surely)

    def _turned(self, job: JobQueue) -> list[Assignment]:
        """Give a job its turn, or take it away, as its tasks may be handed out or not."""
        if not job.ready:
            self._ready.pop(job.number, None)
        elif job.number not in self._ready:
            self._ready[job.number] = job
        return self._assign()

    def _put_back(self, job: JobQueue, batch: Batch) -> None:
        """Queue a batch again: its job had its turn, so it does not wait behind younger ones."""
        job.put_back(batch)
        if job.ready:
            self._ready[job.number] = job
            self._ready.move_to_end(job.number, last=False)

    def _forget_if_done(self, job: JobQueue) -> None:
        if job.cancelled and not job.handed:
            self._jobs.pop(job.number, None)
            self.heavy.discard(job.number)

    def _note_weight(self, job: JobQueue) -> None:
        if job.weight.larger >= LIGHT:
            self.heavy.add(job.number)
        else:
            self.heavy.discard(job.number)
