"""Words that choose tasks of a checkpoint: `3`, `3:10-20,25`, `calls`, `calls:7`. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

CALLS = "calls"
"""How people write the number of the submitted calls, 0."""
_JOB = re.compile(rf"\d{{1,9}}|{CALLS}", re.ASCII)
_TASKS = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


class Chosen(NamedTuple):
    """Tasks of a job: the spans of their numbers, None for all of them."""

    job: int
    spans: tuple[range, ...] | None

    def has(self, task: int) -> bool:
        """True where a task is among them."""
        return self.spans is None or any(task in span for span in self.spans)


def chosen(word: str) -> Chosen:
    """Return which tasks a word means. Raises ValueError, whose text is for the user."""
    job, colon, tasks = word.partition(":")
    if not _JOB.fullmatch(job):
        raise ValueError(
            f"{word!r} chooses nothing: give the number of a map, or {CALLS}, and its tasks where "
            "not all are meant, as in 3:10-20,25"
        )
    number = 0 if job == CALLS else int(job)
    if not colon:
        return Chosen(number, None)
    return Chosen(number, tuple(_span(part, word) for part in tasks.split(",")))


def _span(part: str, word: str) -> range:
    found = _TASKS.fullmatch(part.strip())
    if found is None:
        raise ValueError(f"{part!r} in {word!r} is no task and no range of tasks, such as 10-20")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if last < first:
        raise ValueError(f"the range {part!r} ends before it begins. Is {last}-{first} meant?")
    return range(first, last + 1)


def named(job: int) -> str:
    """Return the word for a job's number."""
    return str(job) if job else CALLS
