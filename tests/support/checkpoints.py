"""Checkpoint files for tests: one that is filled, what is in it, and processes that write one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from scoopmpi.checkpoint.file import CheckpointFile, Saved
from scoopmpi.wire import payload
from tests.support.libraries import ROOT

DIGEST = b"d" * 16


def part(start: int, stop: int, values: Any = None, digest: bytes = DIGEST) -> Saved:
    """Outcomes of tasks in one frame."""
    values = [x * x for x in range(start, stop)] if values is None else values
    return Saved(start, stop, digest, True, payload.pack(values), ())


def opened(saved: Saved) -> list[Any]:
    return (
        payload.unpack(saved.outcomes)
        if saved.plain
        else [payload.unpack(x) for x in saved.outcomes]
    )


def filled(path: Path) -> Path:
    """A file with jobs of all kinds."""
    file = CheckpointFile(path, "a program")
    for start in range(0, 1000, 50):
        save(file, 1, "squares", b"f", part(start, start + 50))
    values = (payload.pack(numpy.arange(20000.0)), payload.pack([1, "x"]), payload.pack("no"))
    save(file, 2, "arrays", b"g", Saved(0, 3, DIGEST, False, values, (2,)))
    save(file, 0, "six", b"s", Saved(5, 6, DIGEST, False, (payload.pack(6),), ()))
    file.close(ended=True)
    return path


def save(file: CheckpointFile, job: int, name: str, function: bytes, saved: Saved) -> None:
    """Have outcomes of a function with that name and digest written."""
    file.save(job, file.function(name, function), saved)


def saved_of(file: CheckpointFile, job: int) -> list[Saved]:
    """All that can be read of a job, what this run has written included."""
    file.flush()
    if not file._usable:
        return []
    with file._writer.guard:
        places = file._database.places(job)
    parts = [file.part(place) for place in places]
    return [part for part in parts if part is not None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.ckpt"


def python(code: str, *words: Any, **options: Any) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, text=True, **{**pipes, **options})
