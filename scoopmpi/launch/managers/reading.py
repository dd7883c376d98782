"""Read numbers in variables, and the files that variables name, for all managers.

Whatever is wrong is an AllocationError with the variable and its value. What the numbers and the
lines mean is each manager's own.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from itertools import islice

from ..hosts.allocation import AllocationError

MOST_BYTES = 32 * 2**20
"""A line of 25 characters for each core of ten thousand hosts of 128; longer is no node file."""
MOST_LINES = 2**21
"""A line for each core of ten thousand hosts of 200; each takes more memory than characters."""
_WORD = re.compile(r"\S+")
_NUMBER_AMONG = re.compile(r"\s\d+(\s|$)", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


def number(text: str, source: str, least: int = 0) -> int:
    """Return a count from a text; the source says where it stands."""
    if not _NUMBER.fullmatch(text.strip()) or int(text) < least:
        raise AllocationError(f"{source}: {text!r} is no number from {least} on")
    return int(text)


def count(env: Mapping[str, str], variable: str, least: int = 0) -> int | None:
    """Return the number in a variable, None where it is not set."""
    text = env.get(variable)
    return number(text, f"{variable}={text}", least) if text else None


def lines(path: str, variable: str) -> list[str]:
    """Return the lines of the file that a variable names, without blanks and blank ones.

    Regular files only: a pipe or a device would make us wait, or never end.
    """
    source = f"{variable}={path}"
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise AllocationError(f"{source} is no regular file")
            if about.st_size > MOST_BYTES:
                raise AllocationError(
                    f"{source} has {about.st_size} bytes: that is no list of hosts"
                )
            text = file.read(MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError) as problem:  # ValueError: a path with a null byte in it
        said = problem.strerror if isinstance(problem, OSError) else problem
        raise AllocationError(f"{source} cannot be read: {said}") from None
    if (many := text.count("\n")) > MOST_LINES:
        raise AllocationError(f"{source} has {many} lines: that is no list of hosts")
    return [line.strip() for line in text.splitlines() if line.strip()]


def names(path: str, variable: str) -> list[str]:
    """Return the hosts in the file that a variable names: a line for each, or several on a line.

    A line with a number among its words is of another kind of file; it stays whole, as no name.
    """
    found = list(islice(_words(lines(path, variable)), MOST_LINES + 1))
    if len(found) > MOST_LINES:
        raise AllocationError(f"{variable}={path} names more than {MOST_LINES} hosts")
    return found


def _words(each: list[str]) -> Iterator[str]:
    for line in each:
        if _NUMBER_AMONG.search(line):
            yield line
        else:
            yield from (word[0] for word in _WORD.finditer(line))


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
