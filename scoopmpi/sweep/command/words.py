"""A command that is given as words: variables are replaced in each word, no shell reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from string import Template

from .command import Call


class Words:
    """A program and its arguments, in which `$NAME` and `${NAME}` stand for variables."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [Template(word) for word in words]
        self.name = words[0]

    def digest(self) -> bytes:
        """Return a digest of the words."""
        return blake2b("\0".join(word.template for word in self._words).encode()).digest()

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return the words with the variables' values."""
        return Call([word.safe_substitute(variables) for word in self._words])
