"""A function whose arguments come as one sequence, as `starmap` has it.

Workers come by here when they unpickle one, so nothing but `failure` is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..wire import failure


class Starred:
    """A function whose arguments come as one sequence."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self._func = func
        # For failure.describe: messages name what the user knows.
        self.__qualname__, self.__module__ = failure.describe(func), "__main__"

    def __call__(self, arguments: Sequence[Any]) -> Any:
        return self._func(*arguments)
