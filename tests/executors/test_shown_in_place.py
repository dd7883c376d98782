"""`progress=` of maps: what it may be, and what a program without ranks shows. No ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from scoopmpi import MPIExecutor, Pool, futures
from scoopmpi.executors import shown_in_place
from scoopmpi.tasks.executor import map_options
from scoopmpi.watching.observer import Observer

pytestmark = pytest.mark.filterwarnings("ignore:the program was not started by scoopmpi")


class Heard(Observer):
    """Says what was told of one map after the other."""

    def __init__(self) -> None:
        self.maps: list[tuple[str, int | None, bool | str | None]] = []
        self.done = self.held = 0
        self.ended = 0

    def job_begun(
        self, job: int, kind: str, name: str, size: int | None, progress: bool | str | None
    ) -> None:
        self.maps.append((name, size, progress))
        self.done = self.held = 0

    def tasks_assigned(self, job: int, worker: int, start: int, tasks: int, attempt: int) -> None:
        self.held = start + tasks

    def tasks_finished(
        self, job: int, worker: int, start: int, tasks: int, failed: int, seconds: float, seen: Any
    ) -> None:
        assert start == self.done and seconds >= 0
        self.done += tasks

    def job_sized(self, job: int, size: int) -> None:
        assert size == self.done

    def job_ended(self, job: int) -> None:
        self.ended += 1


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    found = Heard()
    monkeypatch.setattr(shown_in_place, "_readers", lambda: [found])
    monkeypatch.setattr(shown_in_place, "APART", 0.0)
    return found


def square(x: int) -> int:
    return x * x


def rows(count: int) -> Iterator[int]:
    yield from range(count)


@pytest.mark.parametrize(
    "values",
    [
        lambda it, said: list(futures.map(square, it, progress=said)),
        lambda it, said: list(futures.map_as_completed(square, it, progress=said)),
        lambda it, said: list(MPIExecutor().map(square, it, progress=said)),
        lambda it, said: Pool().map(square, it, progress=said),
        lambda it, said: list(Pool().imap(square, it, progress=said)),
        lambda it, said: list(Pool().imap_unordered(square, it, progress=said)),
    ],
    ids=["map", "map_as_completed", "MPIExecutor", "Pool.map", "imap", "imap_unordered"],
)
def test_maps_in_place_tell_how_far_they_are(
    values: Callable[[Any, Any], Sequence[int]], heard: Heard
) -> None:
    squares = [x * x for x in range(7)]
    assert values(range(7), True) == squares
    assert values([*range(7)], "A title") == values(rows(7), True) == squares
    assert [(size, said) for _, size, said in heard.maps] == [
        (7, True), (7, "A title"), (None, True),
    ]  # fmt: skip
    assert heard.maps[0][0].endswith("square")
    assert (heard.done, heard.ended) == (7, 3)
    assert values(range(7), None) == values(range(7), False) == squares
    assert len(heard.maps) == 3


def test_a_map_that_is_not_read_to_its_end_ends_too(heard: Heard) -> None:
    found = futures.map(square, range(100), progress=True)
    assert [next(found) for _ in range(3)] == [0, 1, 4]
    assert heard.done == 2 and heard.held == 3
    del found
    assert (heard.done, heard.ended) == (3, 1)
    assert list(futures.map(pow, range(10), [2, 2], progress=True)) == [0, 1]
    assert (heard.done, heard.ended) == (2, 2)


def test_tasks_that_map_in_place_have_no_bar(heard: Heard) -> None:
    def outer(x: int) -> int:
        return sum(futures.map(square, range(x), progress=True))

    assert list(futures.map(outer, range(4))) == [0, 0, 1, 5]
    assert heard.maps == []


@pytest.mark.parametrize("bad", [1, 0, 0.5, b"title", ["x"], object()])
def test_only_yes_no_and_a_title_can_be_said(bad: Any, heard: Heard) -> None:
    with pytest.raises(TypeError, match="progress"):
        futures.map(square, [1], progress=bad)
    with pytest.raises(TypeError, match="progress"):
        Pool().imap(square, [1], progress=bad)
    with pytest.raises(TypeError, match="progress"):
        MPIExecutor().map(square, [1], progress=bad)
    assert heard.maps == []


def test_most_maps_have_the_same_options() -> None:
    usual = map_options(square, ([1],))
    assert map_options(square, ([2],)) is usual and usual.progress is None
    assert map_options(square, ([2],), progress=False).progress is False
