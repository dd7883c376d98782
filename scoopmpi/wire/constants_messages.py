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


class ConstantsSet(NamedTuple):
    """The constants are set, or cannot be.

    From farm to worker, for each SetConstants.
    token: the one of that SetConstants.
    number: the constants' number, 0 where they cannot be set; `problem` says why then.
    """

    token: int
    number: int
    problem: str
