"""The reader behind `--status`: a thread of its own that writes the file, once a second at most.

It hears of no task: the tally counts, and the thread looks at it. A disk that takes nothing is told
of once and tried again; neither the program nor the farm waits for it, but for a moment at the end.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from ...concurrency.periods import DISK_SECONDS
from ...process import named_files, walltime
from ...process.job_end import JobEndWatch
from ..estimate import Estimator
from ..observer import Observer
from ..tally import Tally
from . import contents, replaced_file
from .contents import About, Times
from .load import Load, own_memory
from .outlook import outlook

logger = logging.getLogger("scoopmpi")

OFTEN, SELDOM = 1.0, 10.0
"""Seconds between two files while something changes, and where nothing does: by its time a reader
sees whether rank 0 is still there."""
_MOST_LOSSES = 20


class StatusFile(Observer):
    """Keeps the status of one farm in a file.

    path: of the file. tally: counts the farm's events, and is told of them before this.
    run: what is known before. ends: knows when the job ends. stops: whether --stop-before is given.
    clock, wall: seconds of the tally's clock, and since 1970.
    """

    asks_workers = True
    """For their memory, and for what tasks raise."""

    def __init__(
        self, path: str, tally: Tally, run: About, ends: JobEndWatch | None = None,
        stops: bool = False, clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._path, self._tally, self._run, self._ends, self._stops = path, tally, run, ends, stops
        self._clock, self._wall = clock, wall
        self._estimator, self._load = Estimator(), Load()
        self._lost: dict[int, int] = {}  # tasks, by the worker that has died with them
        # Read by the thread while events come: each is replaced as a whole.
        self._losses: tuple[dict[str, Any], ...] = ()
        self._paused: frozenset[int] = frozenset()
        self._stopped: dict[str, Any] | None = None
        self._seen: object = None
        self._warned = self._failed = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="scoopmpi status", daemon=True)

    def start(self) -> None:
        """Write the file for the first time, and begin to keep it current."""
        self.write()
        self._thread.start()

    def tasks_lost(
        self, job: int, worker: int, start: int, tasks: int, attempt: int, late: bool
    ) -> None:
        self._lost[worker] = self._lost.get(worker, 0) + tasks

    def worker_lost(self, worker: int, host: str) -> None:
        tasks = self._lost.pop(worker, 0)
        moment = contents.at("died", self._wall())
        loss = {"rank": worker, "host": host, "tasks": tasks, **moment}
        self._losses = (*self._losses, loss)[-_MOST_LOSSES:]

    def job_paused(self, job: int, paused: bool) -> None:
        self._paused = self._paused | {job} if paused else self._paused - {job}

    def program_stopped(self, left: int, seconds: float) -> None:
        self._stopped = {"left": left, "before_end": round(seconds, 1)}

    def farm_closed(self, status: int) -> None:
        """Write the file for the last time; return early where the disk does not answer."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(DISK_SECONDS)

    # In the thread.

    def _keep(self) -> None:
        written = self._clock()
        while not self._closing.wait(OFTEN):
            now = self._clock()
            if now - written >= SELDOM or self._changed():
                self.write()
                written = now
        if not self._failed:
            self.write(lasting=True)

    def _changed(self) -> bool:
        """True where anything has been counted since this was asked before."""
        with self._tally.lock:
            total = self._tally.total
            seen = (
                total.known, total.done, total.running, total.failed, total.retried, total.lost,
                len(self._tally.workers), tuple(self._tally.jobs)[-4:],
                self._losses, self._paused, None if self._ends is None else self._ends.at,
            )  # fmt: skip
        changed = seen != self._seen
        self._seen = seen
        return changed

    def write(self, lasting: bool = False) -> None:
        """Write the file as all is now. lasting: and wait until the disk has it."""
        try:
            replaced_file.write(self._path, self.said(), lasting)
        except OSError as problem:
            if not self._warned:
                self._warned = True
                logger.warning(
                    "status %s cannot be written: %s; the program goes on, and it is tried again",
                    self._path, problem.strerror,
                )  # fmt: skip
        except Exception as problem:
            self._failed = True
            self._closing.set()
            logger.warning(
                "watching: status %s is not kept any more, the run goes on: %s: %s",
                self._path, type(problem).__name__, problem,
            )  # fmt: skip

    def said(self) -> dict[str, Any]:
        """Return what the file says now."""
        tally, times = self._tally, Times(self._clock(), self._wall())
        estimate = self._estimator.look(tally, times.now)
        found = self._ends.found if self._ends is not None else None
        ends = None if found is None else found.at
        with tally.lock:
            busy = contents.running(tally.workers.values())
            on_hosts = self._load.hosts(tally.workers, times.now)
            left = tally.total.left - tally.nested.left
            jobs = contents.opened(tally)
            estimates = {each.number: self._estimator.of(each.number) for each in jobs}
            parts = {
                **contents.head(self._run, times, tally, SELDOM, self._stopped is not None),
                **contents.body(tally, estimate, on_hosts, len(busy)),
                "jobs": contents.jobs(jobs, estimates, times, self._paused),
                "functions": contents.functions(tally.functions.values()),
                "slowest_running": contents.slowest(busy, times),
                "hosts": contents.hosts(on_hosts),
                "failures": contents.failures(tally.functions.values()),
            }
        checkpoint = self._run.checkpoint
        held = any(each.number in self._paused and each.counts.left for each in jobs)
        seen = outlook(estimate, left, times.written, ends, checkpoint, self._stops, held)
        source = None if found is None else found.source
        return {
            **parts,
            "end": contents.end(estimate, seen, source),
            "stopped": self._stopped,
            "losses": list(self._losses),
            "memory": contents.memory(own_memory(), on_hosts),
        }


def begun(
    option: str, name: str, tally: Tally, command: str, checkpoint: str | None = None,
    ends: JobEndWatch | None = None, stops: bool = False,
) -> StatusFile:  # fmt: skip
    """Begin to keep the status file that an option names.

    command, checkpoint: of the run, to be told. ends: knows when its job ends, stops: whether it
    stops by itself before that. Raises NameProblem where the file cannot be written, or is none of
    ours.
    """
    path = named_files.named(option, name)
    if reason := replaced_file.refusal(path):
        raise named_files.NameProblem(f"{option} {path} cannot be written: {reason}")
    job, manager = named_files.job_number(os.environ), walltime.manager(os.environ)
    run = About(command, socket.gethostname(), os.getpid(), job, manager, checkpoint)
    reader = StatusFile(path, tally, run, ends, stops)
    reader.start()
    return reader
