"""Some cases of each test, for runs under one interpreter more: which, depends on its version.

Every test runs, but of a hundred seeds and samples only a few: those that the other interpreters
have in other runs are others.
"""

from __future__ import annotations

import platform
import zlib
from collections import defaultdict
from collections.abc import Sequence

import pytest


def left_out(items: Sequence[pytest.Item], cases: int) -> set[pytest.Item]:
    """Return the cases beyond so many of each test."""
    of_tests = defaultdict(list)
    for item in items:
        of_tests[item.nodeid.partition("[")[0]].append(item)
    beyond = (sorted(some, key=_chance)[cases:] for some in of_tests.values())
    return {item for some in beyond for item in some}


def _chance(item: pytest.Item) -> int:
    """A number that is the same in all processes of one run."""
    return zlib.crc32(f"{platform.python_version()} {item.nodeid}".encode())
