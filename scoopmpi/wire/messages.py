"""The closed set of messages between ranks: each says who sends it to whom, when, and the answer.

On the wire a message is a tuple: the place of its class in `KINDS`, then its fields. What is packed
in a field stays packed: nothing here looks into it (`payload` does). Receivers take a message apart
by the names of its fields, never by their places. docs/design.md has these docstrings as a table.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, get_args

from .constants_messages import (
    BroadcastConstants,
    BufferRequest,
    ConstantsSet,
    Forgot,
    LentBuffers,
    LentRequest,
    SetConstants,
)  # fmt: skip
from .payload import Frame

Origin: TypeAlias = tuple[int | None, Any, int, int, int | None]
"""Who has made a job, and which of his jobs it is; see `tasks.pedigree`."""

CANCELLED: Frame = b""
"""Stands in a `Run` for a call that was cancelled before it was handed out: nothing to run."""


class Run(NamedTuple):
    """Run the tasks `start` to `stop - 1` of a job.

    From farm to worker, for each assignment of the scheduler. Answered by Finished.
    job: the farm's number for it.
    budget: seconds after which the worker answers early and hands back what it has not started.
    constants: how many calls of setConst there had been; tasks may count on all of them.
    function: its key at the worker, 0 where each task brings its own (submitted calls).
    code: the packed function where this worker does not have that key yet, else None.
    plain: True where `tasks` is one frame of columns, a column for each parameter.
    tasks: the packed arguments; where not plain, a tuple of frames, one for each task. Submitted
        calls have one column. In it, or in a frame, is a list where nobody can change the call: of
        the function, packed by name, its arguments, its keywords and its origin; else a tuple of
        the same.
    attempt: 1 at first, then 1 more for each time that they raised, or their worker died.
    origin: of the job (`tasks.pedigree`); None for calls, each of which has its own in `tasks`.
    lent: the numbers of the LentBuffers that its tasks and function refer to.
    within: seconds after its arrival in which its tasks may begin, later ones go back; or None.
    """

    job: int
    start: int
    stop: int
    budget: float
    constants: int
    function: int
    code: Frame | None
    plain: bool
    tasks: Frame
    attempt: int = 1
    origin: Origin | None = None
    lent: tuple[int, ...] = ()
    within: float | None = None


class Forget(NamedTuple):
    """Drop a function, or lent buffers: no later Run refers to them.

    From farm to worker, for each worker that was given them, when their job is over. Answered by
    Forgot, where it names lent buffers.
    function: its key, as in Run; 0 for none.
    lent: numbers of LentBuffers.
    oldest: all numbers below have been forgotten by all ranks.
    """

    function: int
    lent: tuple[int, ...] = ()
    oldest: int = 0


class GiveUp(NamedTuple):
    """Raise KeyboardInterrupt in tasks of these groups: nobody wants them any more.

    From farm to worker, for each group that is given up.
    groups: of the program's work, as in an Origin.
    """

    groups: tuple[int, ...]


class StealRequest(NamedTuple):
    """Offer tasks of nested jobs once more, because other workers have nothing to do.

    From farm to worker, for workers that have offered before. Answered by Offered, if at all.
    workers: how many have nothing to do.
    """

    workers: int


class Returned(NamedTuple):
    """Take the outcomes of the tasks `start` to `stop - 1`, which you have offered.

    From farm to worker, for each Finished of another worker about an offer.
    job: the receiver's own number, as in Offered. plain, outcomes, failed: as in Finished.
    """

    job: int
    start: int
    stop: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]


class Ceased(NamedTuple):
    """No task that you have revoked runs any more.

    From farm to worker, for each Revoked, once that is so.
    job: the receiver's own number for its nested job, as in Revoked.
    """

    job: int


class Reconfigured(NamedTuple):
    """Encode what tasks print as rank 0 does from now on.

    From farm to worker, for each time the program reconfigures a stream.
    stream: 1 for stdout, 2 for stderr.
    settings: the arguments of a text stream's `reconfigure`.
    """

    stream: int
    settings: dict[str, Any]


class Observe(NamedTuple):
    """Say more of your batches from now on: when they ran, memory, tasks of tasks, errors.

    From farm to worker, for a reader of events that wants it; behind its Joined, or later.
    """


class Finish(NamedTuple):
    """The program has ended: run what your tasks have left.

    From farm to worker, for each round of questions at the end. Answered by Rest, at once, and
    again when nothing is left.
    token: a number for each round.
    maps: True where maps and calls count that nobody waits for, else executors alone do.
    """

    token: int
    maps: bool


class Stop(NamedTuple):
    """The program has ended: leave at once, even inside a task.

    From farm to worker, for the end; nothing comes after it. Answered by Left.
    """


class Joined(NamedTuple):
    """The program is imported here, tasks may come.

    From worker to farm, for its start. Answered by BroadcastConstants, where some are set already.
    host, pid: the name of its host, and its process there.
    domain: the same text for ranks that can open each other's shared memory.
    names: the functions and classes that the program's module defines; others go by value.
    addresses: those of its host, as far as other hosts are connected to it.
    said: bytes that came on its stderr meanwhile, which others may have written as well.
    """

    host: str
    pid: int
    domain: str
    names: frozenset[str]
    addresses: tuple[str, ...] = ()
    said: bytes = b""


class ImportFailed(NamedTuple):
    """The program cannot be imported here; this worker takes no tasks.

    From worker to farm, for its start, instead of Joined.
    host, said: as in Joined.
    reason: why, as a text.
    """

    host: str
    reason: str
    said: bytes


class Left(NamedTuple):
    """This worker has left; it sends nothing more.

    From worker to farm, for Stop: its last message.
    """


class Finished(NamedTuple):
    """The tasks `start` to `stop - 1` of a job have run.

    From worker to farm, for each Run, when the batch ends; before that, for its front part, where
    a task outlives the budget or results are large. Answered by the next Run, while any are queued.
    job: the farm's number for it.
    seconds: how long these tasks took; negative where nobody can say.
    unstarted, end: the tasks `unstarted` to `end - 1` are handed back, to the held batch's end.
        A task between `stop` and `unstarted` is still running.
    plain: True where `outcomes` is one frame of a list of values.
    outcomes: what the tasks returned or raised; where not plain, a tuple of frames, one for each.
    failed: the places (from 0) of those outcomes that are exceptions.
    again: those among them of tasks that are to be tried again, if they may.
    log: how they went, each a `tasks.stretch.Stretch`, where a task log is asked for.
    goes_on: True where the worker goes on with the tasks from `stop` on, as its results were so
        large that they have left before the batch ends.
    seen: more of how they ran, a `tasks.seen.Seen`, behind an Observe.
    away: seconds beside these, in which they waited for tasks of their own, or results left.
    """

    job: int
    start: int
    stop: int
    seconds: float
    unstarted: int
    end: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]
    again: tuple[int, ...] = ()
    log: tuple[Any, ...] = ()
    goes_on: bool = False
    seen: Any = None
    away: float = 0


class Waiting(NamedTuple):
    """The running task waits for tasks of its own: this worker is free for more.

    From worker to farm, for want of anything else to run. Answered by Run, while any are queued.
    job, task: which one it is, in the farm's numbers.
    """

    job: int
    task: int


class Resumed(NamedTuple):
    """A task that was waiting goes on.

    From worker to farm, for a task that was told of in a Waiting; its Finished comes later.
    job, task: which one it is.
    """

    job: int
    task: int


class Printed(NamedTuple):
    """Show what tasks have printed: whole lines, or the last one of tasks that have ended.

    From worker to farm, for each flush of a task's streams.
    stream, data, group: 1 for stdout or 2 for stderr, encoded text, and the group in its origin.
    """

    stream: int
    data: bytes
    group: int | None = None


class Rest(NamedTuple):
    """Something is left to run on this worker, or nothing is.

    From worker to farm, for each Finish.
    token: the one of that Finish.
    settled: True where nothing is left.
    """

    token: int
    settled: bool


class Offered(NamedTuple):
    """Tasks of a nested job may run elsewhere; the sender does not start them any more.

    From worker to farm, for a task's own job: once without being asked, then for each
    StealRequest. Answered by Returned, for each part that has run.
    job: the sender's own number for it.
    start, stop: the tasks `start` to `stop - 1`. plain, tasks: as in Run.
    code: the packed function; None where each task brings its own (submitted calls).
    by_name: True where the function is found by its name, so that its code never changes.
    limit: seconds that each task may take; of calls the longest, None where one has no limit.
    last: True where they run before the program ends, although nobody waits for them.
    origin: as in Run. name: of the function, where `code` is one.
    """

    job: int
    start: int
    stop: int
    code: Frame | None
    by_name: bool
    plain: bool
    tasks: Frame
    limit: float | None = None
    last: bool = False
    origin: Origin | None = None
    name: str = ""


class Revoked(NamedTuple):
    """Nobody wants the outcomes any more of what was offered of a nested job.

    From worker to farm, for a nested job that is given up. Answered by Ceased.
    job: the sender's own number for it.
    """

    job: int


class Lost(NamedTuple):
    """The rank that this message seems to come from has died.

    From transport to farm, for each rank that MPI reports as failed.
    """


ToWorker: TypeAlias = (
    Run | Forget | GiveUp | StealRequest | Returned | Ceased | ConstantsSet | Reconfigured
    | Observe | Finish | Stop | BroadcastConstants | BufferRequest | LentBuffers | LentRequest
)  # fmt: skip
ToFarm: TypeAlias = (
    Joined | ImportFailed | Left | Finished | Waiting | Resumed | Printed | Rest
    | Offered | Revoked | SetConstants | BufferRequest | LentRequest | Forgot | Lost
)  # fmt: skip
Message: TypeAlias = ToWorker | ToFarm
KINDS: tuple[Any, ...] = tuple(kind for kind in get_args(Message) if kind is not Lost)
"""What may be on the wire; a message's first element is its class's place here."""
NUMBERS: dict[Any, int] = {kind: number for number, kind in enumerate(KINDS)}
