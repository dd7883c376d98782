"""Hosts that the user names, in the place of a batch system: words, or a host file.

A line of a host file, in the spellings of SCOOP, Open MPI and Hydra; `#` begins a comment:

    n1 4            n1 slots=4 max_slots=8            n1:4            n[01-03] 4            n1

A host without a number has as many workers as this machine has cores, unless the file repeats
hosts: then each line stands for one worker, as in the node file of PBS.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from pathlib import Path

from .allocation import LOCAL, Allocation, AllocationError, Host, merged
from .brackets import expanded

THIS_MACHINE = frozenset(("localhost", "127.0.0.1", "::1"))
_WORD = re.compile(r"(?P<names>[^:=/]+)(?:[:=/](?P<count>\d{1,9}))?", re.ASCII)
_SETTING = re.compile(r"([A-Za-z_-]+) ?= ?(\S+)", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_COUNTS = ("slots", "cpu", "cpus", "workers")
"""What the number is called; other settings (max_slots, port, user) say nothing of workers."""


def from_words(words: Iterable[str]) -> Allocation:
    """Hosts as words, `n1 n[2-3]:2`; a repeated one has more workers."""
    named = [pair for word in words for pair in _names(word, "--hosts")]
    counted = [(name, 1 if count is None else count) for name, count in named]
    return _allocation(counted, "--hosts")


def from_file(path: str, cores: Callable[[], int]) -> Allocation:
    """The hosts of a file; AllocationError names the file and the line.

    cores: asked where a line has no number.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise AllocationError(f"the host file {path} cannot be read: {problem.strerror}") from None
    return from_text(text, f"host file {path}", cores)


def from_text(text: str, source: str, cores: Callable[[], int]) -> Allocation:
    """The hosts of a host file's text, as of a file."""
    found: list[tuple[str, int | None]] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.partition("#")[0].strip()
        if stripped:
            found += _line(stripped, f"{source}, line {number}")
    repeats = len({name for name, _ in found}) < len(found)
    other = 1 if repeats or all(count is not None for _, count in found) else cores()
    return _allocation([(name, other if n is None else n) for name, n in found], source)


def _line(line: str, source: str) -> list[tuple[str, int | None]]:
    word, *others = line.split(None, 1)
    rest = "".join(others)
    settings = dict(_SETTING.findall(rest.lower()))
    bare = _SETTING.sub("", rest).split()[:1]  # Grid Engine has a queue behind it
    counts = [settings[name] for name in _COUNTS if name in settings] or bare
    if len(counts) > 1 or not all(map(_COUNT.fullmatch, counts)):
        raise AllocationError(f"{source}: {line!r} is no host and number, as in: n1 4")
    pairs = _names(word, source)
    return [(name, int(counts[0])) for name, _ in pairs] if counts else pairs


def _names(word: str, source: str) -> list[tuple[str, int | None]]:
    """`n[1-2]:4,n7` as (n1, 4), (n2, 4), (n7, None)."""
    pairs: list[tuple[str, int | None]] = []
    for item in re.findall(r"(?:[^,\[\]]|\[[^\[\]]*\]?|\])+", word):
        if item in THIS_MACHINE:
            pairs.append((item, None))
            continue
        found = _WORD.fullmatch(item)
        if found is None:
            raise AllocationError(f"{source}: {item!r} is no host, as in: n1, n1:4, n[01-03]")
        count = None if found["count"] is None else int(found["count"])
        pairs += [(name, count) for name in expanded(found["names"], source)]
    return pairs


def _allocation(counted: Sequence[tuple[str, int]], source: str) -> Allocation:
    """All on this machine counts as local: no remote shell is needed."""
    own = {*THIS_MACHINE, (name := socket.gethostname()), name.partition(".")[0]}
    if counted and own.issuperset(map(itemgetter(0), counted)):
        slots = sum(count for _, count in counted)
        if slots < 1:
            raise AllocationError(f"{source} names no host with a slot")
        return Allocation(LOCAL, (Host("localhost", slots),), (source,))
    return Allocation("hosts", merged([Host(*pair) for pair in counted], source), (source,))
