"""A task that nobody wants any more is interrupted where its own code runs, and nowhere else."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from scoopmpi.process.signals import OWN
from scoopmpi.tasks.limit import Limited
from scoopmpi.tasks.pedigree import Strand, program, runs_strand
from scoopmpi.wire import payload
from scoopmpi.worker import given_up
from scoopmpi.worker.given_up import GivenUp

GROUP = 5


@runs_strand
def run(strand: Strand, task: Callable[[], Any]) -> Any:
    return task()


class World:
    """What the worker's parts say: who runs now."""

    def __init__(self) -> None:
        self.strand: Any = Strand.of((1, 0, 1, 0, GROUP), None)
        self.given = GivenUp(lambda: self.strand)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    before = signal.signal(OWN, lambda _, frame: made.given.called(frame))
    yield made
    signal.signal(OWN, before)


def looking(world: World, over: threading.Event) -> threading.Thread:
    """The progress thread."""

    def look() -> None:
        while not over.is_set():
            world.given.look()
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def interrupted(world: World, task: Callable[[], Any]) -> float:
    """Seconds after which a task was interrupted, that has begun before its group was given up."""
    over = threading.Event()
    thread = looking(world, over)
    begun = time.monotonic()
    threading.Timer(0.05, lambda: world.given.add([GROUP])).start()
    try:
        with pytest.raises(KeyboardInterrupt, match="given up"):
            run(world.strand, task)
    finally:
        over.set()
        thread.join()
    return time.monotonic() - begun


def spins() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "task",
    (spins, lambda: time.sleep(30), Limited(spins, 60.0), lambda: threading.Event().wait(30)),
    ids=("computes", "sleeps", "has-a-limit", "waits"),
)
def test_it_is_interrupted_whatever_it_does(world: World, task: Callable[[], Any]) -> None:
    assert interrupted(world, task) < 10


def test_what_goes_on_all_the_same_gets_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_up, "AGAIN_SECONDS", 0.05)
    came = []

    def stubborn() -> None:
        while len(came) < 3:
            try:
                time.sleep(30)
            except KeyboardInterrupt:
                came.append(time.monotonic())
        time.sleep(30)

    interrupted(world, stubborn)
    assert all(later - sooner >= 0.05 for sooner, later in itertools.pairwise(came))


def test_its_clean_up_is_not_interrupted_at_once(world: World) -> None:
    cleaned = []

    def tidy() -> None:
        try:
            time.sleep(30)
        finally:
            time.sleep(0.3)
            cleaned.append(True)

    interrupted(world, tidy)
    assert cleaned


def test_others_go_on(world: World) -> None:
    world.given.add([GROUP + 1])
    assert not world.given.look()
    world.strand = program
    world.given.add([GROUP])
    assert not world.given.look()
    world.given.called(sys._getframe())


def frame_in(task: Callable[[], FrameType]) -> FrameType:
    return run(Strand.of((1, 0, 1, 0, GROUP), None), task)  # type: ignore[no-any-return]


class Packs:
    """What is pickled runs code of the user's on top of code of ours."""

    def __init__(self) -> None:
        self.frame: FrameType | None = None

    def __reduce__(self) -> Any:
        self.frame = sys._getframe()
        raise ValueError


def test_code_of_ours_is_never_interrupted(world: World) -> None:
    world.given.add([GROUP])
    with pytest.raises(KeyboardInterrupt):
        world.given.called(frame_in(lambda: sys._getframe()))
    world.strand = Strand.of((1, 0, 2, 0, GROUP), None)
    packs = Packs()

    def packed() -> FrameType:
        with pytest.raises(ValueError):
            payload.pack(packs)
        assert packs.frame is not None
        return packs.frame

    frame_in(packed)
    world.given.called(packs.frame)  # it waits for the task's own code
    world.given.called(None)

    class Last:
        def __del__(self) -> None:
            world.given.called(sys._getframe())

    frame_in(lambda: (Last(), sys._getframe())[1])
