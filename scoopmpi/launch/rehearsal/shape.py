"""The shape of a job in a word, `slurm:3x4x8`: nodes, tasks on each, cores for each task. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..hosts.allocation import MOST_HOSTS, MOST_SLOTS

EXAMPLE = "slurm:3x4x8 (3 nodes, 4 tasks on each, 8 cores for each task), slurm:3x4, slurm:12"
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_TIMES = re.compile(r"[xX*×]")


class ShapeError(ValueError):
    """The word is no shape; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a job asks for.

    text: as the user wrote it. system: the batch system, as the user calls it, in small letters.
    nodes: None where the batch system may take any. tasks: on each node, or in all.
    cores: for each task, None where nothing is said of them.
    """

    text: str
    system: str
    nodes: int | None
    tasks: int
    cores: int | None

    @property
    def hosts(self) -> int:
        """Return the number of nodes, one where any will do."""
        return self.nodes or 1

    @property
    def cores_of_host(self) -> int:
        """Return the cores that the tasks of a node have together."""
        return self.tasks * (self.cores or 1)

    def __str__(self) -> str:
        """Return it in words."""
        if self.nodes is None:
            return _count(self.tasks, "task")
        parts = [_count(self.nodes, "node"), f"{_count(self.tasks, 'task')} on each"]
        parts += [] if self.cores is None else [f"{_count(self.cores, 'core')} a task"]
        return ", ".join(parts)


def shape(text: str) -> Shape:
    """Return the shape that a word stands for; raises ShapeError with an example."""
    system, colon, rest = text.partition(":")
    words = _TIMES.split(rest.strip())
    if not colon or not 1 <= len(words) <= 3 or not all(map(_NUMBER.fullmatch, words)):
        raise ShapeError(f"{text!r} is no shape of a job, as in {EXAMPLE}")
    numbers = [int(word) for word in words]
    if not all(numbers):
        raise ShapeError(f"{text!r}: each number must be 1 or more, as in {EXAMPLE}")
    nodes = numbers[0] if len(numbers) > 1 else None
    tasks, cores = numbers[0 if nodes is None else 1], numbers[2] if len(numbers) > 2 else None
    if (nodes or 1) > MOST_HOSTS or (nodes or 1) * tasks * (cores or 1) > MOST_SLOTS:
        most = f"{MOST_HOSTS} nodes and {MOST_SLOTS} cores at most"
        raise ShapeError(f"{text!r} is larger than any machine: {most}")
    return Shape(text, system.strip().lower(), nodes, tasks, cores)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
