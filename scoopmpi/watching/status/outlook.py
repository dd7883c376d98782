"""When the work ends, beside when the batch system ends the job: what to say and to do. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..estimate import Estimate
from ..verbose import many
from .words import duration

_TIGHT = 0.1
"""Less than this share of the time that the work needs to spare is said to be tight."""


class Outlook(NamedTuple):
    """Says whether the work fits.

    expected: when all known tasks will be done. ends: when the job is ended. Seconds since 1970,
    None where nobody knows.
    spare: seconds between the two, below 0 where the work does not fit.
    hint: what to do then.
    """

    expected: float | None = None
    ends: float | None = None
    spare: float | None = None
    hint: str | None = None


def outlook(
    estimate: Estimate, left: int, now: float, ends: float | None,
    checkpoint: str | None = None, stops: bool = False, held: bool = False,
) -> Outlook:  # fmt: skip
    """Return how the work stands to the end of its job.

    left: tasks without an outcome. now: seconds since 1970. ends: of the job, where that is known.
    checkpoint: the file in which outcomes are kept. stops: whether --stop-before is given.
    held: whether tasks do not begin any more because of it.
    """
    if held and ends is not None:
        text = "no task begins any more that would not end before the job does"
        return Outlook(ends=ends, hint=f"{text}; {_again(checkpoint)}")
    if estimate.seconds is None or not left:
        return Outlook(ends=ends)
    expected = now + estimate.seconds
    if ends is None:
        return Outlook(expected)
    spare = ends - expected
    if spare < 0:
        hint = _too_much(estimate.seconds, left, ends - now, checkpoint, stops)
        return Outlook(expected, ends, spare, hint)
    if spare < _TIGHT * estimate.seconds:
        text = f"it will be tight: the job ends {duration(spare)} after the work is expected to"
        return Outlook(expected, ends, spare, text)
    return Outlook(expected, ends, spare)


def _too_much(needed: float, left: int, there: float, checkpoint: str | None, stops: bool) -> str:
    """Return what to do where the work needs more seconds than there are."""
    there = max(there, 0.0)
    cut = max(round(left * (1 - there / needed)), 1)
    text = (
        f"the work does not fit: it needs {duration(needed)}, the job ends in {duration(there)}; "
        f"about {many(cut, 'task')} of the {left} that are left will not be done"
    )
    text += "; " + _again(checkpoint)
    if not stops:
        text += "; --stop-before auto begins no task that would be cut"
    return text


def _again(checkpoint: str | None) -> str:
    if checkpoint is None:
        return "with --checkpoint FILE another run would go on from there"
    return f"run it again with --checkpoint {checkpoint}: it goes on from there"
