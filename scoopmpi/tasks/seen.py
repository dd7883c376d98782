"""What a worker says of a batch beside its outcomes, for those who watch a run: facts alone.

Workers make it where a reader of events asks for it, and it rides on their answers. All times are
seconds since 1970 by the clock of the worker's host. Nothing else loads this.
"""

from __future__ import annotations

from typing import NamedTuple


class NestedSpan(NamedTuple):
    """Says when tasks of a task ran on the worker of the task.

    function: its name. tasks: how many, with those below them that have no span as they are short.
    depth: 1 for tasks of a task, 2 for tasks of these.
    """

    function: str
    began: float
    ended: float
    tasks: int
    depth: int


class Seen(NamedTuple):
    """Says how a part of a batch went.

    segments: when it ran since it was answered last, pairs of begin and end; several where its task
        was set aside meanwhile. Empty where it runs on, and its next answer says it.
    nested: tasks of tasks that ran on the worker meanwhile.
    resident, peak: bytes of the worker's memory now, and at most since it was looked at before; 0
        where nobody has looked.
    errors: how many tasks have raised what, in short.
    short: seconds of further segments, where there were many and these were the shortest.
    function: the name of what ran, where rank 0 does not know it.
    """

    segments: tuple[tuple[float, float], ...]
    nested: tuple[NestedSpan, ...] = ()
    resident: int = 0
    peak: int = 0
    errors: tuple[tuple[int, str], ...] = ()
    short: float = 0.0
    function: str = ""
