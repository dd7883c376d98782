"""A script in whose text the values themselves stand, as the worker framework has it: for `wsub`.

There a shell reads values as parts of its program, for good or bad; scripts that rely on it have
variables within single quotes, or in texts of other languages. `\\$name` stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from os import fsencode

from .command import Call
from .script import Script


class Substituted:
    """A script, and the columns whose `$name` and `${name}` in it become values."""

    def __init__(self, script: Script, columns: Sequence[str]) -> None:
        self.name = script.name
        self._script = script
        names = b"|".join(map(fsencode, columns))
        # a backslash before the dollar quotes it, where it is not itself quoted by one
        pattern = re.compile(
            rb"(?<!\\)((?:\\\\)*)\$(?:(" + names + rb")(?![A-Za-z0-9_])|\{(" + names + rb")\})"
        )
        parts = pattern.split(script.text)
        # text, backslashes, name or None, name or None, text, …
        self._parts: list[bytes | str] = []
        for place in range(0, len(parts) - 1, 4):
            text, slashes, bare, braced = parts[place : place + 4]
            self._parts += [text + slashes, (bare or braced).decode()]
        self._parts.append(parts[-1])

    def digest(self) -> bytes:
        """Return a digest of the script, another one than without substitution."""
        return blake2b(b"substituted\0" + self._script.digest()).digest()

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return what to start: the text with the item's values in it."""
        text = b"".join(
            part if isinstance(part, bytes) else fsencode(variables[part]) for part in self._parts
        )
        return Call(list(self._script.interpreter), text)
