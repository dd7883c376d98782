"""Numbers of a run, as `tally` counts them: of tasks, functions, jobs, workers. Values only."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from .durations import Durations


@dataclass(slots=True)
class Counts:
    """What has become of some tasks.

    known: as many as there are, as far as that is known.
    running: assigned, waiting at a worker or running there.
    dropped: nobody wants them any more, as their job has ended without them; they are not known.
    """

    known: int = 0
    finished: int = 0
    failed: int = 0
    recalled: int = 0
    retried: int = 0
    lost: int = 0
    given_up: int = 0
    dropped: int = 0
    running: int = 0
    batches: int = 0
    seconds: float = 0.0

    def without(self, other: Counts) -> Counts:
        """Return these less others that are among them."""
        names = self.__slots__
        return Counts(*(getattr(self, name) - getattr(other, name) for name in names))

    @property
    def done(self) -> int:
        """Return how many tasks have their outcome."""
        return self.finished + self.recalled + self.given_up

    @property
    def left(self) -> int:
        """Return how many tasks have none, of those that are known."""
        return max(self.known - self.done, 0)


@dataclass(slots=True)
class Function:
    """All tasks of one function, of whichever jobs."""

    name: str
    jobs: int = 0
    counts: Counts = field(default_factory=Counts)
    durations: Durations = field(default_factory=Durations)
    peak: int = 0
    """Bytes: the most that a worker took while it ran them, as far as that was looked at."""
    errors: Counter[str] = field(default_factory=Counter)
    slowest: list[tuple[float, int, int, int]] = field(default_factory=list)
    """Seconds, job, index and worker of the slowest tasks that were alone in their batch."""


@dataclass(slots=True)
class Job:
    """One job.

    size: None while nobody knows it. progress: as in `Observer.job_begun`.
    begun: by the clock of the tally.
    known: how long its tasks take; of submitted calls, whichever functions they have.
    """

    number: int
    kind: str
    function: Function
    size: int | None
    progress: bool | str | None
    begun: float
    known: Durations
    counts: Counts = field(default_factory=Counts)
    called: set[str] = field(default_factory=set)
    """The functions of submitted calls, as far as they are known; two at most are kept."""

    @property
    def name(self) -> str:
        """Return of which function its tasks are."""
        return min(self.called) if len(self.called) == 1 else self.function.name


@dataclass(slots=True)
class Held:
    """Tasks that a worker has been given. since: when they came to be the first it has."""

    job: Job
    function: Function
    start: int
    stop: int
    attempt: int
    since: float
    waits: bool = False
    put_off: int = 0  # tasks at its front that are tried again, while others of it are to be told
    untimed: int = 0  # tasks that have been answered, and whose time comes with the rest
    spent: float = 0.0  # seconds in which it ran, and which have not been told


@dataclass(slots=True)
class Worker:
    """One worker, and what it holds: the first of it runs."""

    rank: int
    host: str
    pid: int
    joined: float
    held: deque[Held] = field(default_factory=deque)
    tasks: int = 0
    seconds: float = 0.0
    """In which it ran tasks that have been answered."""
    resident: int = 0
    peak: int = 0
    lost: bool = False

    def running(self) -> Held | None:
        """Return what it runs, None where it has nothing to run."""
        for held in self.held:
            if not held.waits:
                return held
        return None

    def busy(self, now: float) -> float:
        """Return the seconds for which it has run tasks until now."""
        seconds, running = self.seconds, None
        for held in self.held:
            seconds += held.spent
            if running is None and not held.waits:
                running = held
        return seconds if running is None else seconds + max(now - running.since, 0.0)
