"""The numbers of a job array, `-t 1-10,15`, as Torque, PBS, Slurm and Grid Engine spell them. Pure.

No list is made of them: a range of 10^9 is a few numbers here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import gcd

from .item import Item, ItemsProblem

ARRAY_ID = "PBS_ARRAYID"
"""The column of items that are numbers of an array; Torque's name, as the worker framework has."""
ARRAY_NAMES = ("PBS_ARRAY_INDEX", "SLURM_ARRAY_TASK_ID", "SGE_TASK_ID", "LSB_JOBINDEX")
"""What other batch systems call it: variables of each item too."""
_PART = re.compile(r"(\d{1,18})(?:-(\d{1,18})(?::(\d{1,18}))?)?", re.ASCII)
"""18 digits fit into the 64 bits that a number has in a database."""
_FORMS = "numbers from 0 on, as in 1-100 or 1-10,15 or 0-90:10"


class Numbers:
    """The items of an array: each number is its item's number and its only value."""

    columns: tuple[str, ...] = (ARRAY_ID,)
    name = "-t"

    def __init__(self, text: str) -> None:
        self._parts = _parts(text)
        self.size: int | None = sum(map(_length, self._parts))
        self.variables: Mapping[str, str] = _variables(self._parts, self.size)

    def __iter__(self) -> Iterator[Item]:
        for part in self._parts:
            for number in part:
                yield Item(number, (str(number),))


def _length(part: range) -> int:
    return (part.stop - 1 - part.start) // part.step + 1  # len() ends at 2^63


def _variables(parts: Sequence[range], size: int) -> dict[str, str]:
    """Return what Slurm and Grid Engine say of the whole array."""
    low, high = str(min(part[0] for part in parts)), str(max(part[-1] for part in parts))
    step = str(parts[0].step if len(parts) == 1 else 1)
    return {
        "SLURM_ARRAY_TASK_MIN": low, "SLURM_ARRAY_TASK_MAX": high,
        "SLURM_ARRAY_TASK_STEP": step, "SLURM_ARRAY_TASK_COUNT": str(size),
        "SGE_TASK_FIRST": low, "SGE_TASK_LAST": high, "SGE_TASK_STEPSIZE": step,
    }  # fmt: skip


def _parts(text: str) -> list[range]:
    whole, at_once, limit = text.partition("%")
    if at_once:
        raise ItemsProblem(
            f"-t {text}: how many run at once is how many workers there are: "
            f"-t {whole}, and -n {limit.strip() or 'N'} for myscoop"
        )
    parts = [_part(word.strip(), text) for word in whole.split(",")]
    _refuse_doubles(parts, text)
    return parts


def _part(word: str, text: str) -> range:
    found = _PART.fullmatch(word)
    if found is None:
        raise ItemsProblem(f"-t {text}: {word!r} is no range; {_FORMS}")
    first = int(found[1])
    last, step = int(found[2] or first), int(found[3] or 1)
    if last < first:
        raise ItemsProblem(f"-t {text}: {word} goes backwards; {last}-{first} is meant?")
    if not step:
        raise ItemsProblem(f"-t {text}: {word} has no step; {first}-{last} is meant?")
    return range(first, last + 1, step)


def _refuse_doubles(parts: Sequence[range], text: str) -> None:
    """Raise ItemsProblem where a number is in two parts: each number is one item."""
    open_parts: list[range] = []
    for part in sorted(parts, key=lambda each: each.start):
        open_parts = [each for each in open_parts if each[-1] >= part.start]
        for other in open_parts:
            twice = _in_both(other, part)
            if twice is not None:
                raise ItemsProblem(f"-t {text}: {twice} is there twice; each number is one item")
        open_parts.append(part)


def _in_both(one: range, two: range) -> int | None:
    """Return the least number that is in both ranges, None without one; `two` begins later."""
    common = gcd(one.step, two.step)
    apart = one.start - two.start
    if apart % common:
        return None
    # two.start + k * two.step is in the steps of `one` for the least such k >= 0:
    turns = one.step // common
    k = apart // common * pow(two.step // common, -1, turns) % turns if turns > 1 else 0
    found = two.start + k * two.step
    return found if found <= min(one[-1], two[-1]) else None
