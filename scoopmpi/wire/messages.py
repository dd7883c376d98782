"""The closed set of messages, by direction: who sends it, when.

A message is a tuple on the wire: the place of its class in `KINDS`, then its fields. Payloads in
it are bytes-like and stay packed: nothing here looks into them. What a field means to the
scheduler is said there; what is inside a payload is said in `payload`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Frame: TypeAlias = Any
"""One packed object: bytes, or a tuple of bytes and the buffers that travel beside them."""


class Garbled(Exception):
    """What another rank has sent is no message. Says of which rank; nothing can go on there."""


CANCELLED: Frame = b""
"""Instead of the frame of a call that was cancelled before it was handed out: nothing to run."""

# Farm to worker.


class Run(NamedTuple):
    """Run the tasks `start` to `stop - 1` of `job`; sent for each assignment.

    constants: how many calls of setConst there had been; tasks may count on all of them.
    function: its key at the worker, 0 where each task brings its own (submitted calls).
    code: the packed function, when this worker does not have that key yet, else None.
    plain: whether `tasks` is one frame of columns; else it is a tuple of frames, one a task.
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


class Forget(NamedTuple):
    """The job of this function key is over; sent to those that were given its code."""

    function: int


class StealRequest(NamedTuple):
    """`workers` workers have nothing to do: the receiver may offer tasks of nested jobs once more.

    Everybody may offer once to begin with, so a program without nested jobs never needs this.
    """

    workers: int


class Returned(NamedTuple):
    """Outcomes of tasks that the receiver has offered, as in Finished; `job` is its own number."""

    job: int
    start: int
    stop: int
    plain: bool
    outcomes: Frame
    failed: tuple[int, ...]


class ConstantsSet(NamedTuple):
    """The answer to Propose: the constants' number, or why they cannot be set."""

    token: int
    number: int
    problem: str


class Ceased(NamedTuple):
    """No task that was withdrawn runs any more of this nested job, the receiver's own number."""

    job: int


class Finish(NamedTuple):
    """The program has ended: say if something is left to run here, and again when nothing is.

    maps: whether maps count that nobody reads; else executors alone.
    """

    token: int
    maps: bool


class Reconfigured(NamedTuple):
    """Text that tasks print to stdout (1) or stderr (2) becomes bytes as it does on rank 0.

    settings: what a text stream's `reconfigure` takes.
    """

    stream: int
    settings: dict[str, Any]


class Stop(NamedTuple):
    """The program has ended: finish at once, even inside a task."""


# Worker to farm.


class Joined(NamedTuple):
    """The program is imported, tasks may come; the first message of a worker.

    domain: the same for ranks that can open each other's shared memory.
    names: the functions and classes that the program's module defines there, so that rank 0
        sends by value what only it has (defined below `if __name__ == "__main__"`).
    addresses: those of its host, as far as other hosts are connected to it.
    said: what it has written to stderr meanwhile, which others may have written as well.
    """

    host: str
    pid: int
    domain: str
    names: frozenset[str]
    addresses: tuple[str, ...] = ()
    said: bytes = b""


class ImportFailed(NamedTuple):
    """The program cannot be imported on this worker: why, as a text; instead of Joined.

    said: what it has printed meanwhile.
    """

    host: str
    reason: str
    said: bytes


class Finished(NamedTuple):
    """The tasks `start` to `stop - 1` of `job` have run, in `seconds`; sent once a batch.

    Sent earlier, for the front part, where a task outlives the budget. `unstarted` is where the
    part begins that is handed back, up to `end`, the end of the held batch; a task between `stop`
    and `unstarted` is still running.
    plain: whether `outcomes` is one frame of a list of values; else a tuple of frames, one a
        task, and `failed` holds the places (from 0) of those that are failures.
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


class Waiting(NamedTuple):
    """The running task `task` of `job` waits for others: this worker is free for more."""

    job: int
    task: int


class Resumed(NamedTuple):
    """A task that was waiting goes on; it will be answered in a Finished."""

    job: int
    task: int


class Offered(NamedTuple):
    """Tasks of a nested job that others may run; `job` is the sender's own number for it.

    code: the packed function; None where each task brings its own (submitted calls).
    by_name: whether the function is found by name, so that its code never changes.
    plain, tasks: as in Run.
    limit: seconds that each task may take; of calls the longest, None where one has no limit.
    last: whether they run before the program ends, although nobody waits for them.
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


class Revoked(NamedTuple):
    """Nobody wants the outcomes of what was offered of this nested job any more."""

    job: int


class SetConstants(NamedTuple):
    """A task sets constants; rank 0 shares them, and answers with Agreed and the same token."""

    token: int
    frames: dict[str, Frame]


class Printed(NamedTuple):
    """Tasks wrote whole lines to stdout (1) or stderr (2), or have ended without ending one."""

    stream: int
    data: bytes


class Rest(NamedTuple):
    """The answer to Finish, with the same token: whether nothing is left to run on this worker."""

    token: int
    settled: bool


class Left(NamedTuple):
    """The worker has done what Stop asks for; its last message."""


# From any rank to a worker.


class BroadcastConstants(NamedTuple):
    """Constants for the receiver, and for the ranks behind it, to whom it sends them on.

    A frame may say where its buffers are on this host, see `constants.store`.
    """

    number: int
    frames: dict[str, Frame]
    behind: tuple[Any, ...]


class BufferRequest(NamedTuple):
    """The answer to a Share whose shared memory cannot be opened: its buffers are to be sent."""

    number: int


# Transport to farm.


class Lost(NamedTuple):
    """The rank that this message seems to come from has died."""


ToWorker: TypeAlias = (
    Run
    | Forget
    | StealRequest
    | Returned
    | ConstantsSet
    | BroadcastConstants
    | BufferRequest
    | Ceased
    | Finish
    | Reconfigured
    | Stop
)
ToFarm: TypeAlias = (
    Joined
    | ImportFailed
    | Finished
    | Waiting
    | Resumed
    | Offered
    | Revoked
    | SetConstants
    | BufferRequest
    | Printed
    | Rest
    | Left
    | Lost
)
Message: TypeAlias = ToWorker | ToFarm

KINDS: tuple[Any, ...] = (
    Run, Forget, StealRequest, Returned, ConstantsSet, Stop,
    Joined, ImportFailed, Finished, Waiting, Resumed, Offered, Revoked, SetConstants, Printed, Left,
    BroadcastConstants, BufferRequest, Ceased, Finish, Rest, Reconfigured,
)  # fmt: skip
NUMBERS: dict[Any, int] = {kind: number for number, kind in enumerate(KINDS)}
