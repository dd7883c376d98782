"""What is left, in the words of the line that says so."""

from __future__ import annotations

import pytest

from scoopmpi.farm.tasks_left import MapLeft, TasksLeft


@pytest.mark.parametrize(
    ("left", "tasks", "words"),
    [
        (TasksLeft((MapLeft("f", 629, 1000),)), 371, "371 of 1000 tasks of f"),
        (TasksLeft((MapLeft("f", 0, 1),)), 1, "1 of 1 task of f"),
        (TasksLeft((MapLeft("f", 7, None),)), 0, "tasks of f (7 have run)"),
        (TasksLeft((), 2, 9), 2, "2 of 9 submitted calls"),
        (
            TasksLeft((MapLeft("f", 1, 5), MapLeft("g", 2, 3)), 1, 1), 6,
            "4 of 5 tasks of f, 1 of 3 tasks of g and 1 of 1 submitted call",
        ),
        (
            TasksLeft(tuple(MapLeft(f"f{each}", 0, 2) for each in range(6))), 12,
            "2 of 2 tasks of f0, 2 of 2 tasks of f1, 2 of 2 tasks of f2, 2 of 2 tasks of f3 and "
            "2 more maps",
        ),
    ],
)  # fmt: skip
def test_the_words(left: TasksLeft, tasks: int, words: str) -> None:
    assert left and (left.tasks, str(left)) == (tasks, words)


def test_nothing_is_nothing() -> None:
    assert not TasksLeft()
