"""The task that runs: who it is, how long it may take, and random numbers of its own.

    from scoopmpi import task

    def simulate(x):
        rng = task.rng()
        return x + rng.normal()

Names are read where they are needed, inside the task: `task.index`, not `from scoopmpi.task import
index`. Everything is worked out when it is asked for. It is the same whether tasks run on a farm or
one after the other in place, but for `rank` and `host`.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

from .process import identity
from .tasks import current_executor, limit
from .tasks.pedigree import Strand, key_of, program
from .wire.failure import describe

if TYPE_CHECKING:
    from random import Random

    import numpy

__all__ = [
    "attempt",
    "deadline",
    "function",
    "host",
    "index",
    "job",
    "rank",
    "random",
    "rng",
    "seconds_left",
]

index: int
"""The place of this task in its map, from 0; of a submitted call, its number among the calls."""
job: int
"""The number of its map, from 1, among those that the program has made; 0 for submitted calls. In
a task of a task: among those that the outer task has made."""
function: str
"""The name of the function that the map or call was given."""
attempt: int
"""1 at first; 1 more each time that it begins again, as it has raised or its worker has died."""
rank: int
"""The rank on which this is asked, a task or not; 0 where the program runs."""
host: str
"""The name of its host."""
deadline: float | None
"""When the task is to have ended, as `time.monotonic()` counts: by its task_timeout, or by the end
of the job where Slurm says that. None where there is no limit."""
seconds_left: float | None
"""Seconds from now until `deadline`, below 0 behind it."""


def rng() -> numpy.random.Generator:
    """Return the numpy Generator of this task: the same one, which goes on, each time.

    Its stream depends on the program's seed and the task's place alone: `job`, `index`, and those
    of the tasks around it. So it is the same with any number of workers, in each attempt, and
    without a farm. The seed is that of --seed or `scoopmpi.seed`, else another one in each run.

    Raises RuntimeError where no task runs, and in tasks that a thread of a task has made.
    """
    kept = _placed().own()
    if "rng" not in kept:
        from numpy.random import SeedSequence, default_rng  # late: numpy takes 0.1 s to import

        seed, key = _stream()
        kept["rng"] = default_rng(SeedSequence(seed, spawn_key=key))
    generator: numpy.random.Generator = kept["rng"]
    return generator


def random() -> Random:
    """Return a generator of the standard library for this task: as `rng`, and without numpy.

    Its stream is another one than that of `rng`. Raises RuntimeError as `rng` does.
    """
    kept = _placed().own()
    if "random" not in kept:
        from random import Random  # late, as numpy is

        kept["random"] = Random("scoopmpi {} {}".format(*_stream()))
    generator: Random = kept["random"]
    return generator


def seed(number: int | None = None) -> int:
    """Return the program's seed; with a number, take that one and count maps from 1 again.

        scoopmpi.seed(5)       # at the start of the program: every run draws the same numbers
        print(scoopmpi.seed())

    number: any integer from 0 on. Without a farm, or below `if __name__ == "__main__":`, each call
        of `seed(5)` has what follows draw the same numbers once more.

    Raises TypeError and ValueError for what is no such integer; RuntimeError inside tasks where a
    number is given, and where a worker that imports the program asks for the seed.
    """
    if number is not None and (isinstance(number, bool) or not hasattr(number, "__index__")):
        raise TypeError(f"the seed is {number!r}, it must be an integer from 0 on")
    if number is not None and number < 0:
        raise ValueError(f"the seed is {number}, it must be an integer from 0 on")
    if identity.this.importing:
        return _while_importing(number)
    strand = current_executor.current().strand
    in_task = isinstance(strand, Strand) or (identity.this.started and identity.this.rank > 0)
    if number is not None and in_task:
        raise RuntimeError(f"seed({number}) in a task: the program's seed is for the program")
    if isinstance(strand, Strand):
        return _known(strand.origin[0])
    if number is not None:
        program.begin(number.__index__(), f"scoopmpi.seed({number})")
    return _known(strand.seed)


def _while_importing(number: int | None) -> int:
    """Return the number at the top of a program that a worker imports; rank 0 takes it there."""
    if number is None:
        raise RuntimeError(
            "the seed is not known while a worker imports the program: ask for it below "
            '`if __name__ == "__main__":`, or in a task'
        )
    return number


def _known(number: int | None) -> int:
    if number is None:
        raise RuntimeError("a thread of a task asks for the seed: ask in the task, and pass it on")
    return number


def _strand() -> Strand:
    """Return the strand of the task that asks."""
    strand = current_executor.current().strand
    if isinstance(strand, Strand):
        return strand
    raise RuntimeError(
        "no task runs here: scoopmpi.task tells who a task is inside of it, in the thread that the "
        "farm has started it in. What its other threads need, pass on to them"
    )


def _placed() -> Strand:
    """Return the strand of a task whose place nobody but the program decides."""
    strand = _strand()
    if strand.origin[0] is None:
        raise RuntimeError(
            f"{describe(strand.function)} has no random numbers of its own here, as its place "
            "depends on time: it was called by a thread of a task, a callback, or to combine values"
        )
    return strand


def _stream() -> tuple[int | None, tuple[int, ...]]:
    """Return the seed, and what tells the task's stream from all others of that seed."""
    strand = _strand()
    number, maker, made, _, _ = strand.origin
    key, place = key_of(maker), (made, strand.index)
    return number, place if key == 0 else (key, *place)


def _deadline() -> float | None:
    """Return the earlier of the task's own limit and the end of the job, if they are known."""
    _strand()
    ends = [limit.deadline()]
    job_end = os.environ.get("SLURM_JOB_END_TIME", "")  # seconds of the epoch, since Slurm 22.05
    if job_end.isdecimal():
        ends.append(time.monotonic() + int(job_end) - time.time())
    return min((end for end in ends if end is not None), default=None)


def _seconds_left() -> float | None:
    end = _deadline()
    return None if end is None else end - time.monotonic()


_ANSWERS = {
    "index": lambda: _strand().index,
    "job": lambda: _strand().origin[2],
    "function": lambda: describe(_strand().function),
    "attempt": lambda: _strand().attempt,
    "rank": lambda: identity.this.rank,
    "host": socket.gethostname,
    "deadline": _deadline,
    "seconds_left": _seconds_left,
}


def __getattr__(name: str) -> Any:
    if name in _ANSWERS:
        return _ANSWERS[name]()
    raise AttributeError(f"module 'scoopmpi.task' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
