"""Files that items have written become one, in the order of the items: `--reduce`, wcat, wreduce.

Which files, is for others to say. The one has its name when it is whole, never before.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from ...process.launcher_variables import without_place
from .sink import OutputProblem

BLOCK = 1 << 20
NAMED = 3
"""So many missing files are named."""


class Text(NamedTuple):
    """What is left out of each file.

    skip_first: lines at its beginning. keep_blank: its last line stays, though it is blank.
    """

    skip_first: int = 0
    keep_blank: bool = True


class Reduced(NamedTuple):
    """What has become of it: how many files were joined, how many are missing, some of these."""

    files: int
    missing: int
    first: tuple[str, ...]


def checked(target: str, reductor: str | None = None) -> None:
    """Raise OutputProblem where a file of that name could not be made, or not by that program."""
    if reductor is not None:
        _program(reductor)
    folder = os.path.dirname(os.path.realpath(target))
    if os.path.isdir(target):
        raise _problem(target, "it is a directory", "give the name of a file")
    if not os.path.isdir(folder):
        raise _problem(target, "there is no such directory", "make it first")
    if not os.access(folder, os.W_OK) and _is_plain(target):
        raise _problem(target, "its directory cannot be written", "give another name")


def joined(
    names: Iterable[str], target: str, text: Text = Text(), remove: bool = False
) -> Reduced:  # fmt: skip
    """Write files into one, each name once; a last line without its end gets one between two.

    names: in their order. remove: the files, once they are joined.
    """
    with _made(target) as path, open(path, "wb") as file:
        ended = True

        def add(name: str) -> None:
            nonlocal ended
            with open(name, "rb") as one:
                ended = _copied(one, file, text, ended)

        found = _each(names, target, add)
    return _finished(found, remove)


def reduced(names: Iterable[str], target: str, reductor: str, remove: bool = False) -> Reduced:
    """Have a program join files: `PROGRAM TARGET FILE` adds one, or makes TARGET of the first.

    names: in their order, each is taken once. reductor: the program, and words before the two.
    remove: the files, once they are joined.
    """
    words = _program(reductor)
    env = without_place(os.environ)
    with _made(target) as path:

        def add(name: str) -> None:
            status = subprocess.run(
                [*words, path, name], env=env, stdin=subprocess.DEVNULL, check=False
            ).returncode
            if status:
                raise _problem(target, f"{reductor} failed at {name}: {status}", "nothing was made")

        found = _each(names, target, add)
        if not os.path.exists(path):
            if found.names:
                raise _problem(target, f"{reductor} has not made its first argument", "see it")
            with open(path, "wb"):
                pass
    return _finished(found, remove)


class _Found(NamedTuple):
    names: dict[str, None]
    missing: dict[str, None]


def _each(names: Iterable[str], target: str, add: Callable[[str], None]) -> _Found:
    found = _Found({}, {})
    for name in names:
        if name in found.names or name in found.missing:
            continue
        if os.path.realpath(name) == os.path.realpath(target):
            raise _problem(target, "it is one of the files to be joined", "give another name")
        try:
            if not os.path.exists(name):
                raise FileNotFoundError
            add(name)
            found.names[name] = None
        except FileNotFoundError:
            found.missing[name] = None
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise _problem(target, f"at {name}: {reason}", "nothing was made") from None
    if found.missing and not found.names:  # joined and removed before, or the pattern is wrong
        count = len(found.missing)
        first = next(iter(found.missing))
        raise _problem(target, f"none of {count} files is there, as {first}", "nothing was made")
    return found


def _finished(found: _Found, remove: bool) -> Reduced:
    if remove:
        for name in found.names:
            os.unlink(name)
    return Reduced(len(found.names), len(found.missing), tuple(found.missing)[:NAMED])


@contextmanager
def _made(target: str) -> Iterator[str]:
    """Give the name of a file that becomes the target at the end of the block, or goes."""
    checked(target)
    if not _is_plain(target):  # a pipe, or /dev/stdout
        yield target
        return
    real = os.path.realpath(target)
    folder, name = os.path.split(real)
    try:
        place = tempfile.mkdtemp(prefix=f".{name}.", dir=folder)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise _problem(target, f"it cannot be made: {reason}", "give another name") from None
    try:
        path = os.path.join(place, name)  # by its ending a program may know what to write
        yield path
        with open(path, "rb") as file:
            os.fsync(file.fileno())  # after a power cut the name stands for all of it, or the old
        os.replace(path, real)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise _problem(target, f"it cannot be written: {reason}", "nothing was made") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _is_plain(target: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(target).st_mode)
    except OSError:
        return True


def _program(reductor: str) -> list[str]:
    """Return its words; a program that lies here needs no `./`, as for the worker framework."""
    words = shlex.split(reductor)
    if not words:
        raise OutputProblem("--reductor: which program?")
    if "/" not in words[0] and shutil.which(words[0]) is None and os.path.exists(words[0]):
        words[0] = os.path.join(os.curdir, words[0])
    if shutil.which(words[0]) is None:
        remedy = "is its path right, and may it be executed (chmod +x)?"
        raise OutputProblem(f"--reductor {reductor}: there is no such program; {remedy}")
    return words


def _copied(one: BinaryIO, to: BinaryIO, text: Text, ended: bool) -> bool:
    """Copy a file; return whether its last line has an end, or needs none.

    ended: the same of what stands before it.
    """
    for _ in range(text.skip_first):
        one.readline()
    size = _end(one, text) - one.tell()
    if size <= 0:
        return ended
    if not ended:
        to.write(b"\n")
    block, binary = b"", None
    while size and (block := one.read(min(BLOCK, size))):
        binary = b"\0" in block if binary is None else binary  # as grep tells
        to.write(block)
        size -= len(block)
    return bool(binary) or block.endswith(b"\n")


def _end(one: BinaryIO, text: Text) -> int:
    """Return where the part that is copied ends: before the last line where that is blank."""
    size = os.fstat(one.fileno()).st_size
    if text.keep_blank or not size:
        return size
    start = max(0, size - BLOCK)
    tail = os.pread(one.fileno(), BLOCK, start)
    last = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    return size if tail[last:].strip() or (start and not last) else start + last


def _problem(target: str, what: str, remedy: str) -> OutputProblem:
    return OutputProblem(f"{target}: {what}; {remedy}")
