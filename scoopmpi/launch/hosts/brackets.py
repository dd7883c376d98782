"""Host lists with brackets, `n[01-03,7]-ib`, as Slurm, LSF, Flux and users write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

from .allocation import MOST_HOSTS, AllocationError

_LONGEST = 255
"""Characters of a host name (RFC 1035, 2.3.4). A hundred thousand of any length would fill the
memory, and so many brackets take for ever."""
_SHOWN = 40
"""Characters of what is too long, in its message."""
_PIECE = re.compile(r"([^\[\],]*)(?:\[([^\[\]]+)\])?")
_ITEM = re.compile(r"((?:[^\[\],]|\[[^\[\]]+\])+)(,|\Z)")
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def expanded(text: str, variable: str) -> Iterator[str]:
    """Yield the names of a list: `a[01-03,7]-ib,b` stands for a01-ib, a02-ib, a03-ib, a7-ib, b."""
    place, text = 0, text.strip()
    while True:
        item = _ITEM.match(text, place)
        if item is None:
            raise AllocationError(f"{variable}={text}: {text[place:]!r} is no host list")
        pieces = list(_PIECE.finditer(item[1]))
        if sum(len(piece[1]) + bool(piece[2]) for piece in pieces) > _LONGEST:
            raise AllocationError(f"{variable}: {item[1][:_SHOWN]!r}… is longer than a host name")
        names = [""]
        for piece in pieces:
            endings = _numbers(piece[2], f"{variable}={text}") if piece[2] else iter([""])
            pairs = product(names, first(endings, variable))
            names = first((name + piece[1] + ending for name, ending in pairs), variable)
        yield from names
        if not item[2]:
            return
        place = item.end()


def _numbers(text: str, source: str) -> Iterator[str]:
    for low, high, width in ranges(text, source):
        for number in range(low, high + 1):
            yield str(number).zfill(width)


def ranges(text: str, source: str) -> Iterator[tuple[int, int, int]]:
    """Yield `08-11,7` as (8, 11, 2), (7, 7, 1): first, last, and digits of the first."""
    for item in text.split(","):
        found = _RANGE.fullmatch(item)
        if found is None or int(found[1]) > int(found[2] or found[1]):
            raise AllocationError(f"{source}: {item!r} is no range")
        yield int(found[1]), int(found[2] or found[1]), len(found[1])


def first(names: Iterable[str], variable: str) -> list[str]:
    """Return all the names, unless they are too many."""
    found = list(islice(names, MOST_HOSTS + 1))
    if len(found) > MOST_HOSTS:
        raise AllocationError(f"{variable} names more than {MOST_HOSTS} hosts")
    return found
