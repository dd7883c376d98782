"""Rank 0's knowledge of when its batch job is ended: looked up beside the program, asked again.

A batch system's command may hang, or not exist on compute nodes: a thread of its own asks, nobody
waits for an answer. The limit of a running job may be changed (`scontrol update TimeLimit=…`), so
it asks again. What the answers mean is in `walltime`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping

from ..concurrency.periods import ANSWER_SECONDS
from .asking import Ask, asking, nobody
from .walltime import JobEnd, in_job, job_end

GIVEN = "--walltime"
"""The option by which the user says it, where the batch system does not."""
_EVERY = 300.0
"""Seconds from one question to the next: controllers of large clusters are asked by thousands."""


class JobEndWatch:
    """Knows when this job is ended, as far as anybody tells. Any thread may ask; none waits.

    env: the variables of the job; a copy is kept, as programs change theirs.
    given: the walltime in seconds that the user has said, counted from `began`; it wins.
    began: when the command began, in seconds since 1970; now, where nobody knows.
    ask, clock: for tests.
    """

    def __init__(
        self, env: Mapping[str, str], given: float | None = None, began: float | None = None,
        ask: Ask | None = None, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._env, self._clock = dict(env), clock
        self._ask = ask or asking(self._env, ANSWER_SECONDS, tell=_quiet)
        self._over = threading.Event()
        self._given = given is not None
        if given is not None:
            start = clock() if began is None else began
            self._found: JobEnd | None = JobEnd(start + given, GIVEN, began)
        else:
            self._found = job_end(self._env, nobody, clock())

    @property
    def found(self) -> JobEnd | None:
        """When the job is ended and what says so; None where nobody tells, or there is no limit."""
        found = self._found  # replaced as a whole by the one thread that asks
        return None if found is None or not math.isfinite(found.at) else found

    @property
    def at(self) -> float | None:
        """When the job is ended, in seconds since 1970; None where that is not known."""
        found = self.found
        return None if found is None else found.at

    @property
    def began(self) -> float | None:
        """When the job began, in seconds since 1970; None where that is not known."""
        found = self.found
        return None if found is None else found.began

    def start(self) -> None:
        """Begin to ask, unless the user has said it or there is no batch job to ask about."""
        if not self._given and in_job(self._env):
            threading.Thread(target=self._run, name="scoopmpi job end", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; what is under way ends by itself."""
        self._over.set()

    def look(self) -> None:
        """Ask once, which may take its time; what is not answered leaves all as it was."""
        found = job_end(self._env, self._ask, self._clock())
        if found is not None and not self._over.is_set():
            self._found = found

    def _run(self) -> None:
        while True:
            self.look()
            if self._over.wait(_EVERY):
                return


def _quiet(text: str) -> None:
    """Tell nobody that a batch system is slow: nobody waits for it."""
