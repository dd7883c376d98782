"""A small JSON file that is replaced as a whole: who reads it never meets half of one.

The new one is written beside it under a hidden name and renamed, which is atomic on NFS too, where
a reader may find nothing, or a stale file, for a moment. Which files are ours is decided here.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from ...process import named_files

FORMAT = "scoopmpi status"
VERSION = 1
_LARGEST = 1 << 24
"""Bytes: a file that is larger is none of ours."""
_FOR_A_MOMENT = (errno.ENOENT, errno.ESTALE)
_TRIES, _PAUSE = 5, 0.1
"""How often, and after how many seconds, a file is looked for again that is not there."""


class Unreadable(Exception):
    """Says why a file cannot be shown."""


def refusal(path: str) -> str | None:
    """Return why a status cannot be kept in a file, None where it can, as far as is known before.

    Only a status of a former run is overwritten, and an empty file.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        return "it is no file"
    target = os.path.realpath(path)
    if reason := named_files.refusal(target):
        return reason
    place = os.path.dirname(target)
    if not os.access(place, os.W_OK | os.X_OK):
        return f"it is replaced by a new file each time, and {place} may not be written"
    if not os.path.exists(path) or not os.path.getsize(path):
        return None
    try:
        read(path)
    except Unreadable as problem:
        return f"it holds something else: {problem}"
    return None


def write(path: str, said: Mapping[str, Any], lasting: bool = False) -> None:
    """Put what is said into a file, in the place of what was there; raises OSError.

    lasting: wait until the disk has it.
    """
    target = os.path.realpath(path)  # of a link what it points to is replaced
    directory, name = os.path.split(target)
    beside = os.path.join(directory, f".{name}.new")
    data = json.dumps(said, ensure_ascii=False, separators=(", ", ": ")) + "\n"
    try:
        with open(beside, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError:
        try:
            os.unlink(beside)
        except OSError:
            pass  # it is not there, or it cannot be: the next one has the same name
        raise


def read(path: str) -> dict[str, Any]:
    """Return what a file says; raises Unreadable where it is none of ours."""
    text = _text(path)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Unreadable(f"{path} is no status file: --status FILE of a run makes one")
    version = said.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise Unreadable(f"{path} is of a newer scoopmpi (version {version} of status files)")
    return said


def _text(path: str) -> str:
    for left in reversed(range(_TRIES)):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(_LARGEST)
        except OSError as problem:
            if problem.errno not in _FOR_A_MOMENT or not left:
                raise Unreadable(f"{path} cannot be read: {problem.strerror}") from None
        time.sleep(_PAUSE)
    raise AssertionError("unreachable")
