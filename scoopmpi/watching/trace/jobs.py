"""The lives of jobs in the file: each of the first many, then those that last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import form
from .rations import MORE_OTHERS, OTHERS, Ration

_ENDED = 1000
"""Jobs whose names are kept after their end: batches that were under way are still told of."""


@dataclass(slots=True)
class Job:
    """One job. begun: microseconds."""

    number: int
    kind: str
    function: str
    size: int | None
    begun: int

    @property
    def title(self) -> str:
        """What it is called."""
        return f"map {self.number} of {self.function}" if self.kind == "map" else "submitted calls"


_GONE = Job(0, "", "a job that has ended", None, 0)


class JobLives:
    """The jobs of one run. out: takes what goes into the file."""

    def __init__(self, out: Callable[[str], None]) -> None:
        self._out = out
        self._ration = Ration(OTHERS, MORE_OTHERS, 1.0)
        self._known: dict[int, Job] = {}
        self._open: dict[int, Job] = {}  # those that have begun in the file, and have no end there
        self._untold: dict[int, Job] = {}  # those that may be too short for it
        self._gone: deque[int] = deque()
        self.left_out = 0
        """Jobs that are not in the file."""

    def __getitem__(self, number: int) -> Job:
        return self._known.get(number, _GONE)

    def begun(self, ts: int, number: int, kind: str, name: str, size: int | None) -> None:
        """Have a job begin."""
        job = Job(number, kind, name, size, ts)
        self._known[number] = job
        if kind == "nested":  # there are many, which would hide all others: their batches say it
            return
        self._untold[number] = job
        if kind != "calls" and not self._ration.shortest:
            self._tell(job)

    def used(self, ts: int, number: int) -> None:
        """Have the job of calls begin: there is one now. Others have done so before."""
        job = self._untold.get(number)
        if job is not None and job.kind == "calls":
            job.begun = ts
            self._tell(job)

    def ended(self, ts: int, number: int, args: dict[str, Any]) -> None:
        """Have a job end. args: what has become of its tasks."""
        job = self._open.pop(number, None)
        if job is not None:
            self._line("e", ts, job, args)
        elif (untold := self._untold.pop(number, None)) is not None:
            self.left_out += untold.kind != "calls"
        self._gone.append(number)
        if len(self._gone) > _ENDED:
            self._known.pop(self._gone.popleft(), None)

    def look(self, ts: int) -> None:
        """Have those begin that have lasted long enough."""
        for job in list(self._untold.values()):
            if job.kind != "calls":
                if ts - job.begun < self._ration.shortest * 1e6:
                    return  # those behind it are younger
                self._tell(job)

    def open(self) -> list[int]:
        """Return the jobs that have begun in the file and not ended."""
        return list(self._open)

    def _tell(self, job: Job) -> None:
        del self._untold[job.number]
        self._open[job.number] = job
        self._ration.spend()
        self._line("b", job.begun, job, {"kind": job.kind, "size": job.size})

    def _line(self, phase: str, ts: int, job: Job, args: dict[str, Any]) -> None:
        self._out(form.life(phase, ts, form.JOB, str(job.number), job.title, 0, 0, args))
