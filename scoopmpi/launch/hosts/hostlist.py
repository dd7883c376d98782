"""Hosts that the user names, in the place of a batch system: words, or a host file.

A line of a host file, in the spellings of SCOOP, Open MPI and Hydra; `#` begins a comment:

    n1 4       n1 slots=4 max_slots=8       n1:4       n[01-03] 4       n1 X 4       n1

A host without a number has as many workers as this machine has cores, unless the file repeats
hosts: then each line stands for one worker, as in the node file of PBS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from . import thishost
from .allocation import LOCAL, MOST_HOSTS, Allocation, AllocationError, Host, merged
from .brackets import expanded

MOST_BYTES = 32 * 2**20
"""A line for each core of ten thousand hosts; a longer file is none of hosts, or has no end."""
MOST_NAMES = 10 * MOST_HOSTS
"""All names of a file, which may repeat a host for each of its cores."""
_WORD = re.compile(r"(?P<names>[^:=/]+)(?:[:=/](?P<count>\d{1,9}))?", re.ASCII)
_SETTING = re.compile(r"([A-Za-z_-]+) ?= ?(\S+)", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_TIMES = re.compile(r"[xX×*=:/]?(\d{1,9})", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_COUNTS = ("slots", "cpu", "cpus", "workers")
"""What the number is called; other settings (max_slots, port, user) say nothing of workers."""


def from_words(words: Iterable[str]) -> Allocation:
    """Return the hosts of words, `n1 n[2-3]:2`; a repeated one has more workers."""
    named = _some(chain.from_iterable(_names(word, "--hosts") for word in words), "--hosts")
    return _allocation([Host(name, 1 if n is None else n) for name, n in named], "--hosts")


def from_file(path: str, cores: Callable[[], int]) -> Allocation:
    """Return the hosts of a file; AllocationError names the file and the line.

    cores: asked where a line has no number.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as problem:  # ValueError: a null byte in the path
        said = problem.strerror if isinstance(problem, OSError) else problem
        raise AllocationError(f"the host file {path} cannot be read: {said}") from None
    if len(content) > MOST_BYTES:
        raise AllocationError(f"the host file {path} has more than {MOST_BYTES} bytes")
    return from_text(content.decode(errors="replace"), f"host file {path}", cores)


def from_text(text: str, source: str, cores: Callable[[], int]) -> Allocation:
    """Return the hosts of a host file's text, as of a file."""
    return _allocation(hosts(text, source, cores), source)


def hosts(text: str, source: str, cores: Callable[[], int]) -> list[Host]:
    """Return what the lines of a host file name, one after the other, repeated or not."""
    named = chain.from_iterable(_pairs(text, source))
    found = _some(named, source)
    repeats = len({name for name, _ in found}) < len(found)
    other = 1 if repeats or all(count is not None for _, count in found) else cores()
    return [Host(name, other if count is None else count) for name, count in found]


def _pairs(text: str, source: str) -> Iterator[Iterable[tuple[str, int | None]]]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.partition("#")[0].strip()
        if stripped:
            yield _line(stripped, f"{source}, line {number}")


def _some(named: Iterable[tuple[str, int | None]], source: str) -> list[tuple[str, int | None]]:
    found = list(islice(named, MOST_NAMES + 1))
    if len(found) > MOST_NAMES:
        raise AllocationError(f"{source} names more than {MOST_NAMES} hosts")
    return found


def _line(line: str, source: str) -> Iterable[tuple[str, int | None]]:
    word, *others = line.split(None, 1)
    rest = "".join(others)
    settings = dict(_SETTING.findall(rest.lower()))
    counts = [settings[name] for name in _COUNTS if name in settings]
    counts = counts or _bare(_SETTING.sub("", rest).split())
    if len(counts) > 1 or not all(map(_COUNT.fullmatch, counts)):
        raise AllocationError(f"{source}: {line!r} is no host and number, as in: n1 4")
    pairs = _names(word, source)
    return ((name, int(counts[0])) for name, _ in pairs) if counts else pairs


def _bare(words: list[str]) -> list[str]:
    """Return the number among the words behind a host: the first word with a digit, also `X 4`.

    What stands behind it is of no matter: Grid Engine has a queue there.
    """
    word = next(filter(_DIGIT.search, words), "".join(words[:1]))
    found = _TIMES.fullmatch(word)
    return [found[1] if found else word] if words else []


def _names(word: str, source: str) -> Iterator[tuple[str, int | None]]:
    """Yield `n[1-2]:4,n7` as (n1, 4), (n2, 4), (n7, None)."""
    for item in re.findall(r"(?:[^,\[\]]|\[[^\[\]]*\]?|\])+", word):
        if item in thishost.NAMES:
            yield item, None
            continue
        found = _WORD.fullmatch(item)
        if found is None:
            raise AllocationError(f"{source}: {item!r} is no host, as in: n1, n1:4, n[01-03]")
        count = None if found["count"] is None else int(found["count"])
        yield from ((name, count) for name in expanded(found["names"], source))


def _allocation(counted: list[Host], source: str) -> Allocation:
    """Return the allocation; all on this machine counts as local: no remote shell is needed."""
    if counted and thishost.names().issuperset(host.name for host in counted):
        slots = sum(host.slots for host in counted)
        if slots < 1:
            raise AllocationError(f"{source} names no host with a slot")
        return Allocation(LOCAL, (Host("localhost", slots),), (source,))
    return Allocation("hosts", merged(counted, source), (source,))
