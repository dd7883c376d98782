"""`--halt`: when a sweep ends before all its items have run, in the words of GNU parallel. Pure.

    now|soon , fail|success|done = N | N%      never      and as short for the first ones: 1, 2, 5%

`soon`: no item begins any more, those that run end. `now`: these are ended too. Percentages are of
all items, which have to be known.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NOW, SOON, NEVER = "now", "soon", "never"
FAIL, SUCCESS, DONE = "fail", "success", "done"
_CONDITION = re.compile(rf"({NOW}|{SOON}),({FAIL}|{SUCCESS}|{DONE})=(\d+)(%?)", re.ASCII)
_SHORT = {"0": NEVER, "1": "soon,fail=1", "2": "now,fail=1"}
_SHORT |= {"-1": "soon,success=1", "-2": "now,success=1"}
_SHARE = re.compile(r"(\d+)%", re.ASCII)


class Counts(NamedTuple):
    """How many items of a sweep have ended for good: failed ones, and those that are done."""

    failed: int = 0
    well: int = 0


class Halt(NamedTuple):
    """Says when to end early.

    now: whether items that run are ended too. why: which items count. number: so many of them.
    share: whether that is a percentage of all items.
    """

    text: str
    now: bool
    why: str
    number: int
    share: bool

    def reached(self, counts: Counts, items: int | None) -> bool:
        """Return whether it is time to end.

        counts: of the items that have ended. items: how many there are, None while nobody knows.
        """
        counted = sum(counts)
        if self.why == FAIL:
            counted = counts.failed
        elif self.why == SUCCESS:
            counted = counts.well
        if not self.share:
            return counted >= self.number
        return items is not None and counted * 100 >= self.number * items and counted > 0

    @property
    def well(self) -> bool:
        """True where a sweep that was ended so has what was wanted of it."""
        return self.why == SUCCESS


def read(text: str) -> Halt | None:
    """Return what `--halt` asks for, None for never; ValueError says what is wrong with it."""
    words = _SHORT.get(text, text)
    if share := _SHARE.fullmatch(words):
        words = f"{SOON},{FAIL}={share[1]}%"
    if words == NEVER:
        return None
    found = _CONDITION.fullmatch(words)
    if found is None:
        raise ValueError(
            f"--halt {text} cannot be read: it is soon or now, and fail, success or done with a "
            "number, as in soon,fail=1 or now,success=20%, or never"
        )
    when, why, number, share_sign = found.groups()
    if not int(number):
        raise ValueError(f"--halt {text}: the number is 0, so when? 1 ends the sweep at the first")
    if share_sign and int(number) > 100:
        raise ValueError(f"--halt {text}: it would never end, as {number}% is more than all items")
    return Halt(words, when == NOW, why, int(number), bool(share_sign))


def problem(text: str) -> str | None:
    """Return what is wrong with what `--halt` is given; None where nothing is."""
    try:
        read(text)
    except ValueError as wrong:
        return str(wrong)
    return None
