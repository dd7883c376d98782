"""The words of a rank's command line as variables, where a launcher cannot hand on so many.

Open MPI, 4 and 5, gives each rank all of its words once more in one variable, OMPI_ARGV, and Linux
takes none above 128 KiB (MAX_ARG_STRLEN): execve fails. Several variables are no problem, and leave
no file behind.
"""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping, Sequence

PREFIX = "SCOOPMPI_WORDS_"
MOST_BYTES = 131_072 - 1_024
"""Of all words, with a blank behind each: MAX_ARG_STRLEN, less something for the name."""
_PIECE = 100_000
_WORD = re.compile(rb"(\d+):")


def size(words: Sequence[str]) -> int:
    """Return the number of bytes of words with a blank behind each."""
    return sum(len(os.fsencode(word)) + 1 for word in words)


def as_variables(words: Sequence[str]) -> dict[str, str]:
    """Return variables that `taken` makes the same words of."""
    encoded = map(os.fsencode, words)
    text = b"".join(b"%d:%s" % (len(word), word) for word in encoded)
    pieces = range(0, len(text), _PIECE)
    return {
        f"{PREFIX}{place}": os.fsdecode(text[start : start + _PIECE])
        for place, start in enumerate(pieces)
    }


def taken(env: MutableMapping[str, str]) -> list[str] | None:
    """Take the words out of these variables; None where there are none."""
    pieces: list[bytes] = []
    while f"{PREFIX}{len(pieces)}" in env:
        pieces.append(os.fsencode(env.pop(f"{PREFIX}{len(pieces)}")))
    return list(map(os.fsdecode, _parted(b"".join(pieces)))) if pieces else None


def _parted(text: bytes) -> list[bytes]:
    words: list[bytes] = []
    place = 0
    while found := _WORD.match(text, place):
        place = found.end() + int(found[1])
        words.append(text[found.end() : place])
    return words
