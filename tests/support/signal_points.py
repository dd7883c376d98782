"""A signal at one of the points of some code at which Python looks for signals.

CPython does so behind calls, where a function begins and where a loop goes back; not between any
two instructions, at some of which no code could let go of a lock (that which leaves a `with`).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

_BACK = frozenset({"JUMP_BACKWARD", "JUMP_ABSOLUTE"})


@cache
def _points(code: CodeType) -> frozenset[int]:
    """Return where, before an instruction, Python looks, and where one that jumps back begins."""
    found, looks = set(), sys.version_info < (3, 11)  # there it looks before the first
    for each in dis.get_instructions(code):
        if looks or each.opname in _BACK:
            found.add(each.offset)
        name = each.opname
        looks = name == "RESUME" or (name.startswith("CALL") and "INTRINSIC" not in name)
    return frozenset(found)


class Points:
    """Counts the points that were come by.

    at: the one at which the signal comes, from 1; 0: at none.
    """

    def __init__(self, at: int, within: Callable[[CodeType], bool], come: Callable[..., Any]):
        self._at, self._within, self._come = at, within, come
        self.count = 0
        self.where = ""
        """The point at which it has come."""

    def trace(self, frame: FrameType, event: str, _: object) -> Any:
        """Look at a frame, as `sys.settrace` has it."""
        code = frame.f_code
        if not self._within(code):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti in _points(code):
            self.count += 1
            if self.count == self._at:
                self.where = f"{code.co_filename}:{frame.f_lineno} {code.co_name}"
                self._come(frame)
        return self.trace


@contextmanager
def signal_at(
    point: int, within: Callable[[CodeType], bool], come: Callable[[FrameType], object]
) -> Iterator[Points]:
    """Have `come(frame)` called at one point of the code that this thread runs in the block.

    within: which code counts.
    """
    points = Points(point, within, come)
    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for them where some frame wants them
    sys.settrace(points.trace)
    try:
        yield points
    finally:
        sys.settrace(before)
