"""The interpreter's own options, which it was given before any of our code ran.

The ranks get them too: `python -O -m scoopmpi PROGRAM` runs PROGRAM as `python -O PROGRAM`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

_ALONE = frozenset("bBdEIOPqRsSuv")
"""Options without a value that mean the same on every rank; -i, -x and -t do not."""
_WITH_VALUE = frozenset("WX")
_HASHES = "--check-hash-based-pycs"


def flags(words: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the interpreter's own options that the ranks' interpreters get too, as words.

    words: its command line, by default that of this process.
    """
    given = iter((sys.orig_argv if words is None else words)[1:])
    return tuple(_flags(given))


def _flags(given: Iterator[str]) -> Iterator[str]:
    for word in given:
        if word == _HASHES:
            yield from (word, next(given, "default"))
        elif word.startswith("--") or not word.startswith("-") or word == "-":
            return  # of Python's options with two dashes the others only print something
        else:
            alone, option, value = _parted(word[1:])
            if alone:
                yield f"-{alone}"
            if option in _WITH_VALUE:
                yield from (f"-{option}", value or next(given, ""))
            elif option:
                return


def _parted(letters: str) -> tuple[str, str, str]:
    """Part `OX` of `-OXdev` into O, X, dev: what is handed on, the option that ends it, a rest."""
    alone = ""
    for place, letter in enumerate(letters):
        if letter in _WITH_VALUE or letter in "cm":
            return alone, letter, letters[place + 1 :]
        alone += letter if letter in _ALONE else ""
    return alone, "", ""
