"""What the command of a sweep can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """What is to be started for an item.

    words: the program and its arguments. script: what is in a file whose name is the last argument,
    made where the item runs; None without one.
    """

    words: list[str]
    script: bytes | None = None


class Command(Protocol):
    """Words or a script."""

    name: str
    """What users call it: the program's name, or the script's."""

    def digest(self) -> bytes:
        """Return the digest of all that makes it another command."""

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return what to start where variables have these values: all of the item's environment."""


class CommandProblem(Exception):
    """Says what is wrong with a command or a script, and the remedy."""
