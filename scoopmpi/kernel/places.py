"""Where in which cell something has failed, in tracebacks.

That of a task names code that travelled by value: workers have no cells, and cloudpickle leaves
file names out. Here the function of that name is looked for among what cells have defined, and the
line of its cell put in. That of an interrupted cell ends where the cell has called us.
"""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, TracebackType
from typing import Any

_PLACE = re.compile(r'File "<dynamic-code>", line (\d+), in (\S+)')

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback up to where code of ours was called by a cell; nothing else is changed."""
    kept: list[TracebackType] = []
    while trace is not None:
        ours = trace.tb_frame.f_code.co_filename.startswith(_HERE)
        if ours and any(_is_cell(each) for each in kept):
            break
        kept.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for each in reversed(kept):
        found = TracebackType(found, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return found


def _is_cell(trace: TracebackType) -> bool:
    return trace.tb_frame.f_globals.get("__name__") == "__main__"


class Places:
    """The places of code in the cells of a notebook.

    names: what cells have defined. number: tells a cell by the name of its file, if it is one's.
    """

    def __init__(
        self, names: Callable[[], Mapping[str, Any]], number: Callable[[str], int | None]
    ) -> None:
        self._names, self._number = names, number

    def filled_in(self, text: str) -> str:
        """Return a traceback with the cells, and their lines, where code of them is named."""
        return _PLACE.sub(self._place, text)

    def _place(self, found: re.Match[str]) -> str:
        line, name = int(found[1]), found[2]
        for code in self._codes():
            if code.co_name == name and code.co_firstlineno <= line <= _last(code):
                file = code.co_filename
                number = self._number(file)
                where = f'File "{file}"' if number is None else f"Cell In[{number}]"
                source = linecache.getline(file, line).strip()
                return f"{where}, line {line}, in {name}" + (f"\n    {source}" if source else "")
        return found[0]

    def _codes(self) -> Iterator[CodeType]:
        """Yield the code that cells have defined, the latest first."""
        for value in reversed(list(self._names().values())):
            inner = vars(value).values() if isinstance(value, type) else (value,)
            for each in inner:
                function = getattr(each, "__func__", each)  # of a class or static method
                if isinstance(function, FunctionType):
                    yield from _within(function.__code__)


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _within(constant)


def _last(code: CodeType) -> int:
    lines = [line for _, _, line in code.co_lines() if line is not None]
    return max(lines, default=code.co_firstlineno)
