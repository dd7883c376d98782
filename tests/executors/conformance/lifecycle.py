"""Cases about what still runs: a shutdown that waits returns when nothing of its executor does."""

from __future__ import annotations

import concurrent.futures as standard
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .face import SECONDS, case, leaves_a_mark, parallel, until


@contextmanager
def place() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield directory


def begins_and_ends(directory: str, x: int) -> int:
    """A task that others can see running; the third fails."""
    Path(directory, f"begun {x}").touch()
    time.sleep(0.05 + 0.05 * (x % 3))
    Path(directory, f"ended {x}").touch()
    if x == 2:
        raise LookupError(f"no {x}")
    return x


def running(directory: str) -> set[str]:
    names = os.listdir(directory)
    ended = {name.split()[1] for name in names if name.startswith("ended")}
    return {name.split()[1] for name in names if name.startswith("begun")} - ended


def ended_early(values: Any, how: str) -> None:
    if how == "raised":
        with pytest.raises(LookupError):
            list(values)
    elif how == "timed out":
        with pytest.raises(standard.TimeoutError):
            list(values)
    else:
        next(values)


def waits_for_what_runs(face: Any, how: str, **kwargs: Any) -> None:
    for arguments in (range(60), iter([*range(60)])):
        with place() as directory:
            with face.make() as executor:
                timeout = 0.12 if how == "timed out" else None
                columns = itertools.repeat(directory), arguments
                values = executor.map(begins_and_ends, *columns, timeout=timeout, **kwargs)
                ended_early(values, how)
                del values
            assert not running(directory)
            seen = len(os.listdir(directory))
            time.sleep(0.3)
            assert len(os.listdir(directory)) == seen < 120, "nothing begins afterwards either"


@parallel
def a_block_waits_for_what_runs_of_a_map_that_raised(face: Any) -> None:
    waits_for_what_runs(face, "raised")


@parallel
def a_block_waits_for_what_runs_of_a_map_that_timed_out(face: Any) -> None:
    waits_for_what_runs(face, "timed out")
    waits_for_what_runs(face, "timed out", ordered=False)


@parallel
def a_block_waits_for_what_runs_of_a_map_that_was_dropped(face: Any) -> None:
    waits_for_what_runs(face, "dropped")
    waits_for_what_runs(face, "dropped", buffersize=5)


@parallel
def a_shutdown_waits_for_what_it_has_cancelled_too_late(face: Any) -> None:
    with place() as directory:
        executor = face.make()
        values = executor.map(begins_and_ends, itertools.repeat(directory), range(60))
        until(lambda: bool(running(directory)))
        executor.shutdown(cancel_futures=True)
        assert not running(directory)
        with pytest.raises((standard.CancelledError, LookupError)):
            list(values)


# Maps that nobody reads.


@case
def an_unread_map_of_any_iterable_is_run_by_the_shutdown(face: Any) -> None:
    numbers = dict.fromkeys(range(40))
    for make in (
        lambda: (x for x in numbers), lambda: map(int, numbers), numbers.keys,
        lambda: iter(list(numbers)), lambda: itertools.islice(itertools.count(), 40),
    ):  # fmt: skip
        for kept in (True, False):
            for more in ({}, {"ordered": False}, *([] if kept else [{"buffersize": 3}])):
                with place() as directory:
                    executor = face.make()
                    columns = itertools.repeat(directory), make()
                    values = executor.map(leaves_a_mark, *columns, **more)
                    if not kept:
                        del values
                    executor.shutdown()
                    assert len(os.listdir(directory)) == 40, (more, kept)


@case
def what_is_unread_and_has_no_end_does_not_hold_up_the_shutdown(face: Any) -> None:
    for more in ({}, {"ordered": False}, {"buffersize": 3}):
        for kept in (True, False):
            with place() as directory:
                executor = face.make()
                numbers = itertools.count()
                columns = itertools.repeat(directory), numbers
                values = executor.map(leaves_a_mark, *columns, **more)
                if not kept:
                    del values
                executor.shutdown()
                assert len(os.listdir(directory)) < 300
                assert next(numbers) < 300


@parallel
def an_unread_map_runs_while_the_program_does_something_else(face: Any) -> None:
    with place() as directory, face.make() as executor:
        executor.map(leaves_a_mark, itertools.repeat(directory), (x for x in range(100)))
        until(lambda: len(os.listdir(directory)) == 100)


@parallel
def a_shutdown_wakes_nobody_who_reads_later(face: Any) -> None:
    """A thread that begins to read while the shutdown waits gets all values."""
    found: list[int] = []
    with place() as directory:
        executor = face.make()
        values = executor.map(leaves_a_mark, itertools.repeat(directory), iter(range(200)))
        reader = threading.Thread(target=found.extend, args=(values,), daemon=True)
        ender = threading.Thread(target=executor.shutdown, daemon=True)
        ender.start()
        reader.start()
        for thread in (ender, reader):
            thread.join(SECONDS)
            assert not thread.is_alive()
        assert found == list(range(200))


# The end of a program, as whoever runs it asks for it.


@parallel
def the_end_of_a_program_has_everything_run(face: Any) -> None:
    with place() as directory:
        executor = face.make()
        seen: list[Any] = []
        for x in range(20):
            executor.submit(leaves_a_mark, directory, x).add_done_callback(seen.append)
        executor.shutdown(wait=False)
        other = face.make()
        kept = other.map(leaves_a_mark, itertools.repeat(directory), iter(range(20, 60)))
        other.map(leaves_a_mark, itertools.repeat(directory), iter(range(60, 80)), buffersize=2)
        part = other.map(
            leaves_a_mark, itertools.repeat(directory), (-x for x in itertools.count(1))
        )
        assert next(part) == -1
        executor._handed_in.finish()
        other._handed_in.finish()
        marks = set(map(int, os.listdir(directory)))
        assert {x for x in marks if x >= 0} == set(range(80)) and len(seen) == 20
        assert len(marks) < 400, "what was read in part is read no further"
        del kept
        other.shutdown()
