"""A file for what each item prints, and one for its errors: how they are called, and made.

Their names say the number only, so a later run finds them again, and sort by it. They have their
names from the beginning, so that one can watch them grow; whether an item has ended says the log.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import NamedTuple

from ..items.ended import Ended
from ..items.item import Item
from .sink import Kept, OutputProblem

SHARD = 10_000
"""Items whose files share a directory: shared file systems get slow with some 10^5 names in one."""
_MODE = 0o666


class Paths(NamedTuple):
    """The files of an item."""

    out: str
    err: str


def paths(directory: str, number: int) -> Paths:
    """Return where an item writes: `0007.out` at the top, beyond 9999 below `from_00010000`."""
    name = f"{number:04d}"
    if number >= SHARD:
        name = f"from_{number // SHARD * SHARD:08d}/{number:08d}"
    return Paths(os.path.join(directory, f"{name}.out"), os.path.join(directory, f"{name}.err"))


def prepared(directory: str) -> str:
    """Return its full path; made where it is not there. Raises OutputProblem."""
    try:
        os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return os.path.abspath(directory)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise OutputProblem(
            f"--output-dir {directory}: no files can be made there: {reason}; give another one"
        ) from None


class Files:
    """The files of an item that runs, empty and open; those of an earlier run are gone.

    out, err: descriptors, the same where errors go where the rest does.
    Raises OSError where they cannot be made.
    """

    def __init__(self, directory: str, number: int, merged: bool = False) -> None:
        self.paths = paths(directory, number)
        try:
            self.out = _made(self.paths.out)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.paths.out), exist_ok=True)
            self.out = _made(self.paths.out)
        try:
            if merged:
                _removed(self.paths.err)
            self.err = self.out if merged else _made(self.paths.err)
        except BaseException:
            os.close(self.out)
            raise

    def close(self) -> None:
        """Close them. No errors, no file: a million of them would be a burden."""
        os.close(self.out)
        if self.err != self.out:
            empty = not os.fstat(self.err).st_size
            os.close(self.err)
            if empty:
                _removed(self.paths.err)


def _made(path: str) -> int:
    """Open a file that nobody else has open: what an earlier attempt has left may still write."""
    while True:
        _removed(path)
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            return os.open(path, flags, _MODE)


def _removed(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class InFiles:
    """Is told of outputs that workers have written themselves."""

    earlier: int | None = None

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def expected(self, item: Item) -> None:
        """Do nothing: the item's files are made where it runs."""

    def add(self, ended: Ended) -> None:
        """Say that its output is kept."""
        self._kept(ended)

    def show(self) -> None:
        """Print nothing."""

    def close(self, hurry: bool = False) -> int:
        """Return 0: an item whose files could not be made has failed."""
        return 0
