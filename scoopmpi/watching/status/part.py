"""Parts of a status file, taken as they are meant, whatever is there: anybody may write one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FARTHEST = 1e15
"""Of numbers: a thousand terabytes."""


class Part:
    """One object of a file. What is missing, or of another kind, is empty, or 0."""

    def __init__(self, said: object) -> None:
        self._said: Mapping[str, Any] = said if isinstance(said, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._said)

    def has(self, name: str) -> bool:
        """True where something is known of this name."""
        return self._said.get(name) is not None

    def number(self, name: str) -> float:
        """Return a number."""
        found = self._said.get(name)
        if not isinstance(found, int | float) or not abs(found) <= _FARTHEST:
            return 0.0
        return float(found)

    def count(self, name: str) -> int:
        """Return a whole number."""
        return int(self.number(name))

    def text(self, name: str, most: int = 1000) -> str:
        """Return a text of so many characters at most, without signs that move a cursor."""
        found = self._said.get(name)
        text = "" if found is None else str(found)
        plain = "".join(letter if letter.isprintable() else " " for letter in text).strip()
        return plain if len(plain) <= most else plain[: most - 3] + "..."

    def part(self, name: str) -> Part:
        """Return an object in this one."""
        return Part(self._said.get(name))

    def parts(self, name: str) -> list[Part]:
        """Return the objects of a list."""
        found = self._said.get(name)
        return [part for each in found if (part := Part(each))] if isinstance(found, list) else []
