"""The messages by which constants get to all ranks: from `shared.setConst` to shared memory.

Part of the closed set of `messages`, which says how they are on the wire.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .payload import Frame


class SetConstants(NamedTuple):
    """Set constants on all ranks.

    From worker to farm, for each call of setConst in a task. Answered by ConstantsSet.
    token, frames: a number that the answer repeats, and the packed values by name.
    """

    token: int
    frames: dict[str, Frame]


class BroadcastConstants(NamedTuple):
    """Keep constants, and send them on to the ranks behind you.

    From any rank to worker, for each call of setConst. Answered by BufferRequest, where they are
    in shared memory that cannot be opened.
    number: which call of setConst it was, from 1.
    frames: the packed values by name; one may say where its buffers are on this host
        (`constants.store`).
    behind: the ranks that the receiver answers for, as `constants.broadcast.Place`.
    """

    number: int
    frames: dict[str, Frame]
    behind: tuple[Any, ...]


class BufferRequest(NamedTuple):
    """Send constants in full: their shared memory cannot be opened here.

    From worker to any rank, for its BroadcastConstants. Answered by BroadcastConstants.
    number: as in that BroadcastConstants.
    """

    number: int


class LentBuffers(NamedTuple):
    """Keep buffers that tasks will refer to, and send them on to the ranks behind you.

    From any rank to worker, for what many tasks or calls have in common, before the first of them
    that refers to it. Answered by LentRequest, where they cannot be opened.
    number: by which tasks refer to them, from 1.
    buffers: a tuple of them; or where they are on this host, as `constants.hostmemory.Where`; or
        the number of a rank of this host that has them, or will; None where the sender has not.
    behind: as in BroadcastConstants.
    """

    number: int
    buffers: Any
    behind: tuple[Any, ...]


class LentRequest(NamedTuple):
    """Send lent buffers, or say where they are: their shared memory is not known here.

    From worker to any rank, for its LentBuffers, or to the farm, for one that does not come.
    Answered by LentBuffers.
    number: as in that LentBuffers.
    whole: True where their shared memory cannot be opened here.
    """

    number: int
    whole: bool


class Forgot(NamedTuple):
    """Lent buffers are forgotten here: no task that refers to them is left.

    From worker to farm, for each Forget that names some.
    lent: their numbers, as in that Forget.
    """

    lent: tuple[int, ...]


class ConstantsSet(NamedTuple):
    """The constants are set, or cannot be.

    From farm to worker, for each SetConstants.
    token: the one of that SetConstants.
    number: the constants' number, 0 where they cannot be set; `problem` says why then.
    """

    token: int
    number: int
    problem: str
