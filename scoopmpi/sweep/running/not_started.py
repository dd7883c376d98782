"""What keeps a command from starting, in the user's words, with the status that a shell gives."""

from __future__ import annotations

import errno
import os

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit statuses of a shell that cannot start a command."""


class NotStarted(Exception):
    """Says why the command did not start for an item.

    status: the item's exit status.
    """

    def __init__(self, why: str, status: int = NOT_EXECUTABLE) -> None:
        super().__init__(why)
        self.status = status


def no_directory(path: str, why: str) -> NotStarted:
    """Return what to say of a directory in which the command cannot run."""
    return NotStarted(f"it cannot run in the directory {path!r}: {why}")


def no_program(program: str, found: str | None, error: OSError | ValueError) -> NotStarted:
    """Return what to say of a program that did not start.

    found: where it is; None where it is nowhere.
    """
    if isinstance(error, ValueError):
        return NotStarted(f"{program!r} cannot be started: {error} in its words or variables")
    unseen = isinstance(error, PermissionError) and found is None and "/" not in program
    if isinstance(error, FileNotFoundError) or unseen:  # a directory of PATH may be locked
        if found is not None:
            text = f"{found!r} cannot be started: the interpreter in its first line is not there"
            return NotStarted(text)
        where = "no such file" if "/" in program else "it is in no directory of PATH"
        return NotStarted(f"{program!r} is not found: {where}", NOT_FOUND)
    if isinstance(error, PermissionError):
        if os.path.isdir(found or program):
            return NotStarted(f"{program!r} is a directory, no program")
        return NotStarted(f"{program!r} may not be executed: chmod +x makes it a program")
    if error.errno == errno.E2BIG:
        text = "its words and variables are longer than this system takes (getconf ARG_MAX)"
        return NotStarted(f"{program!r} cannot be started: {text}")
    return NotStarted(f"{program!r} cannot be started: {error.strerror}")
