"""The functions that this worker has been sent, by their keys (`farm.functions` gives these)."""

from __future__ import annotations

from typing import Any

from ..wire import payload
from ..wire.messages import Frame


class FunctionCache:
    """Code as it came, and functions once they are needed."""

    def __init__(self) -> None:
        self._codes: dict[int, Frame] = {}
        self._functions: dict[int, Any] = {}

    def learn(self, key: int, code: Frame | None) -> None:
        """A message has brought a function's code, or only said its key."""
        if code is not None:
            self._codes[key] = code

    def function(self, key: int) -> Any:
        """The function, None for key 0; raises what unpickling it raises."""
        if key and key not in self._functions:
            self._functions[key] = payload.unpack(self._codes[key])
        return self._functions.get(key)

    def forget(self, key: int) -> None:
        """Its map has ended."""
        self._codes.pop(key, None)
        self._functions.pop(key, None)
