"""A fixture: a gigabyte of memory for the tests of a module, so that what wants more fails."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

ROOM = 2**30


@pytest.fixture(autouse=True, scope="module")
def little_memory() -> Iterator[None]:
    """On Linux, where the process's own size can be read; MemoryError beyond."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
