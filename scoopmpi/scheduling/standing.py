"""Where the scheduler stands: jobs, workers, who holds what, and what can be said of it.

The state of a `Scheduler`, and the questions that change nothing. What happens is told to the
scheduler itself, and what follows is decided there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from . import batching, retries
from .batching import Pace
from .buckets import Buckets
from .ranges import Batch, JobQueue
from .worker_state import WorkerState


class Standing(Buckets):
    """Knows all jobs and workers.

    policy: the settings of batching; the defaults suit farms of 2 to 10,000 workers.
    """

    def __init__(self, policy: batching.Policy = batching.Policy()) -> None:
        super().__init__()
        self.policy = policy
        self._jobs: dict[int, JobQueue] = {}
        self._ready: OrderedDict[int, JobQueue] = OrderedDict()  # with something queued, by turn
        self._waiting = 0  # tasks that wait for others
        self.heavy: set[int] = set()
        """The jobs of which tasks are known to weigh something: those that must hear of light ones
        too, which others need not be told of."""
        self.answered = 0
        """How many tasks have run, of all jobs."""
        self._put_off = 0  # ranges of tasks that are queued again later

    @property
    def idle(self) -> bool:
        """True where some worker holds nothing that runs."""
        return bool(self._idle)

    @property
    def idle_workers(self) -> int:
        """Return how many workers hold nothing that runs, while nothing is queued for them."""
        return 0 if self._ready else len(self._idle)

    @property
    def open(self) -> bool:
        """True where some worker would get a batch if there were one."""
        return bool(self._idle or self._can_prefetch)

    @property
    def busy(self) -> bool:
        """True where some worker holds a batch, or something is queued or put off."""
        return bool(self._ready or self._waiting or self._put_off) or self._some_run

    @property
    def rests(self) -> bool:
        """True where nothing runs, and nothing will as long as paused jobs are."""
        if self._ready or self._waiting or self._some_run:
            return False
        put_off = sum(len(job.put_off) for job in self._jobs.values() if job.paused)
        return put_off == self._put_off

    @property
    def stands(self) -> bool:
        """True where tasks wait for paused jobs to go on."""
        return any(job.stands for job in self._jobs.values())

    @property
    def workers(self) -> int:
        """Return how many workers there are."""
        return len(self._workers)

    def knows(self, worker: int) -> bool:
        """True where the worker has joined and is not lost."""
        return worker in self._workers

    def handed(self, job: int) -> bool:
        """True where workers hold tasks of this job, or are about to."""
        state = self._jobs.get(job)
        return state is not None and state.handed > 0

    def finished_of(self, job: int) -> int:
        """Return how many tasks of a job count as finished; 0 where it is over."""
        state = self._jobs.get(job)
        return 0 if state is None else state.finished

    def measured(self, job: int) -> bool:
        """True where a task of this job has been measured."""
        state = self._jobs.get(job)
        return state is not None and state.early.tasks + state.late.tasks > 0

    def pace(self, job: int) -> Pace | None:
        """Return how long the tasks of a job take, None where nobody knows."""
        state = self._jobs.get(job)
        return None if state is None else state.pace

    def weight(self, job: int) -> float:
        """Return what a task of this job weighs in bytes, as far as that is known."""
        state = self._jobs.get(job)
        return 0.0 if state is None else state.weight.larger

    def remembered(self, job: int) -> Pace | None:
        """Return what the next job of the same function may count on, None where it is nothing."""
        pace = self.pace(job)
        if pace is None or not self.measured(job):
            return None
        state = self._jobs[job]
        return batching.remembered(self.policy, pace, state.early, state.late)

    def blamed(self, worker: int) -> tuple[Batch, ...]:
        """Return what would be blamed if the worker died now; nothing where it has not joined."""
        state = self._workers.get(worker)
        return () if state is None else tuple(self._blamed(state))

    def given_up(
        self, worker: int, most_retries: int, expired: Batch | None = None
    ) -> Sequence[Batch]:
        """Return the single tasks that are not to be tried again if the worker has died now.

        most_retries: how often a task is tried again. expired: the one that outlived its limit.
        """
        return retries.given_up(self.blamed(worker), most_retries, expired)

    def running(self, worker: int) -> Batch | None:
        """Return what a worker runs, as far as it is known here."""
        held = self._worker(worker).held
        return held[0] if held else None

    def as_held(self, worker: int, batch: Batch) -> Batch:
        """Return the front of a batch that a worker holds, with its past, this worker included.

        Raises ValueError where the worker holds no such batch.
        """
        state = self._worker(worker)
        held = state.held[state.place(batch, None)]
        return held._replace(stop=batch.stop, avoids=worker)

    def held(self, worker: int) -> tuple[Batch, ...]:
        """Return what a worker has been given and has not answered: waiting, running, to be run."""
        state = self._worker(worker)
        return (*state.waiting, *state.held)

    def _blamed(self, state: WorkerState) -> Sequence[Batch]:
        wanted = [batch for batch in state.held if not self._jobs[batch.job].cancelled]
        return retries.blamed(wanted, state.waiting)

    def _worker(self, worker: int) -> WorkerState:
        if worker not in self._workers:
            raise ValueError(f"there is no worker {worker}")
        return self._workers[worker]

    def check(self, settled: bool = True) -> None:
        """Check every invariant, for tests; settled: as `invariants` has it."""
        from .invariants import check  # late: for tests alone

        counts = self._waiting, self._put_off
        check(
            self._jobs, self._workers, self._ready, self._idle, self._can_prefetch,
            self._kept_idle, counts, self.policy, settled,
        )  # fmt: skip
