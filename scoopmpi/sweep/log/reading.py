"""A log in blocks, whatever its size: the entries of each, in the order of the file.

Whether a file is a log at all is decided here too, from its first bytes. What entries say of items
is for others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .lines import ENTRIES, HEADER, Entry

BLOCK = 1 << 22
"""Bytes that are read at once: some 30,000 items, 60 MB while they are looked at."""
LOOKED_AT = 1 << 16
"""Bytes from which it is told what a file is."""


class NoLog(ValueError):
    """The file is not the log of a sweep; the message says so."""


def blocks(file: BinaryIO) -> Iterator[list[Entry]]:
    """Return the entries of a file from its beginning.

    Of a last line without an end nothing is said: it is still being written, or was torn.
    """
    kept = b""
    while data := file.read(BLOCK):
        text = kept + data
        cut = _cut(text)
        if cut:
            yield _entries(text, cut)
        kept = text[cut:]
    cut = kept.rfind(b"\n") + 1
    if cut:
        yield _entries(kept, cut)


def _cut(text: bytes) -> int:
    """Return where to divide: behind a whole line, but for a remark; the end that it is of follows.

    Of a block that is one remark nothing is taken.
    """
    cut = text.rfind(b"\n") + 1
    last = text.rfind(b"\n", 0, max(cut - 1, 0)) + 1
    return last if text.startswith(b"#", last) else cut


def _entries(text: bytes, stop: int) -> list[Entry]:
    return ENTRIES.findall(text, 0, stop)  # tuples, in the order of Entry


def check(path: str, begin: bytes) -> None:
    """Raise NoLog unless a file that begins so is a log, or has nothing in it yet.

    begin: LOOKED_AT bytes, or all.
    """
    stop = begin.rfind(b"\n") + 1
    for found in ENTRIES.finditer(begin, 0, stop):
        entry = Entry(*found.groups(b""))
        if entry.ended or entry.lone or entry.remark.startswith(HEADER):
            return
    torn = not stop and HEADER.startswith(begin[: len(HEADER)])
    if begin.strip() and not torn:
        raise NoLog(f"{path} is not the log of a sweep: it begins with {_shown(begin)}")


def _shown(begin: bytes) -> str:
    return repr(begin.lstrip()[:40].split(b"\n")[0].decode(errors="backslashreplace"))
