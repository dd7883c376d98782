"""The arguments of tasks in a checkpoint: keys by which a task is found again, and what is shown.

A key is of one task's arguments alone, whatever batch it is in. Arguments that are plain stand in
the file as a batch has them, a range in a few bytes, and their keys are made when somebody asks;
of all others the keys stand there, and the arguments where they are small. Nothing here knows
functions, jobs or places.
"""

from __future__ import annotations

import marshal
import pickle
from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any, TypeAlias

from ..wire import payload
from ..wire.payload import Frame
from . import digests
from .stable_pickle import SIZE

SHOWN = 1024
"""Bytes of a task's arguments up to which they are kept beside its outcome, to be shown."""
_SEAL = 8
"""Bytes of a checksum in front: arguments are looked at before the rest of their part."""
_COLUMNS, _KEYS, _NAMED, _PLAIN = b"c", b"k", b"n", b"m"
_ATOMS = frozenset({int, float, complex, bool, str, bytes, type(None)})
_STABLE = 2
"""The version of marshal that writes equal values as equal bytes: later ones count references."""
_ABSENT = (1 << 64) - 1

Call: TypeAlias = "tuple[tuple[Any, ...], Mapping[str, Any]]"
"""A task's arguments by their place, and by their name."""


def key(row: tuple[Any, ...], place: tuple[int | None, ...] = ()) -> bytes | None:
    """Return the key of a task with these arguments; None where they cannot be compared.

    place: of the task, see `digests.located`; a function among them may ask for it.
    """
    text = _plain_text(row)
    return digests.located(place, row) if text is None else _hash(text)


def keys_of(
    columns: Sequence[Sequence[Any]], where: tuple[int | None, ...] = (), first: int = 0
) -> list[bytes | None]:
    """Return the keys of tasks with these arguments, a column for each parameter.

    where, first: the place of the first of them, its index apart.
    """
    rows = zip(*columns, strict=True)
    if all(type(column) is range or set(map(type, column)) <= _ATOMS for column in columns):
        return [_hash(marshal.dumps(row, _STABLE)) for row in rows]
    return [key(row, (*where, index)) for index, row in enumerate(rows, first)]


def _plain_text(row: tuple[Any, ...]) -> bytes | None:
    """Return numbers and strings as bytes; None where there is anything else."""
    kinds = set(map(type, row))
    if not kinds <= _ATOMS:
        inner = chain.from_iterable(value for value in row if type(value) is tuple)
        kinds = (kinds - {tuple}).union(map(type, inner))
        if not kinds <= _ATOMS:
            if not kinds <= payload.atoms():
                return None
            row = tuple(map(_named, row))
    return marshal.dumps(row, _STABLE)


def _named(value: Any) -> Any:
    """Return a number of numpy's with its type, as a list: no plain argument is one."""
    kind = type(value)
    if kind is tuple:
        return tuple(map(_named, value))
    return value if kind in _ATOMS else [kind.__name__, value.item()]


def _hash(text: bytes) -> bytes:
    return blake2b(text, digest_size=SIZE, person=b"plain").digest()


def of_batch(columns: Sequence[Sequence[Any]]) -> tuple[bytes | None, bytes]:
    """Return the digest of a batch of plain arguments, and how they stand in the file."""
    data = pickle.dumps(tuple(columns), payload.PROTOCOL)
    digest = digests.digest(*columns)
    if len(data) <= SHOWN * len(columns[0]):
        return digest, _sealed(_COLUMNS + data)
    found = keys_of(columns)
    return digest, of_keys(found, [None] * len(found))


def of_keys(
    keys: Sequence[bytes | None], frames: Sequence[Frame | None], kind: bytes = _KEYS
) -> bytes:
    """Return how the keys of tasks and, where these are small, their packed arguments stand."""
    if not all(keys):
        return b""
    small = [frame if type(frame) is bytes and len(frame) <= SHOWN else None for frame in frames]
    sizes = array("Q", [_ABSENT if frame is None else len(frame) for frame in small])
    texts = [frame for frame in small if frame is not None]
    return _sealed(b"".join([kind, *filter(None, keys), sizes.tobytes(), *texts]))


def of_call(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], place: tuple[int | None, ...] = ()
) -> tuple[bytes | None, bytes]:
    """Return the key of a submitted call, and how its arguments stand in the file.

    Without keywords it is that of a task of a map with these arguments.

    place: see `key`.
    """
    text = None if kwargs else _plain_text(args)
    found: bytes | None
    if text is not None:
        found = _hash(text)
        if len(text) <= SHOWN:
            return found, _sealed(_PLAIN + text)
        return found, of_keys([found], [None])
    found = digests.located(place, args, kwargs) if kwargs else digests.located(place, args)
    if found is None:
        return None, b""
    if kwargs:
        return found, of_keys([found], [payload.pack((args, dict(kwargs)))], _NAMED)
    return found, of_keys([found], [payload.pack(args)])


def _sealed(content: bytes) -> bytes:
    return blake2b(content, digest_size=_SEAL).digest() + content


def _opened(text: bytes) -> tuple[bytes, bytes]:
    """Return the kind and the content of arguments in the file; empty where they are damaged."""
    content = text[_SEAL:]
    if not content or blake2b(content, digest_size=_SEAL).digest() != text[:_SEAL]:
        return b"", b""
    return content[:1], content[1:]


def keys(text: bytes, tasks: int) -> list[bytes | None]:
    """Return the keys of so many tasks, from what stands in the file; None where nobody knows."""
    kind, content = _opened(text)
    found: list[bytes | None] = []
    if kind == _COLUMNS:
        found = keys_of(pickle.loads(content))
    elif kind in (_KEYS, _NAMED):
        found = [content[place : place + SIZE] for place in range(0, tasks * SIZE, SIZE)]
    elif kind == _PLAIN:
        found = [_hash(content)]
    return found if len(found) == tasks else [None] * tasks


def cut(text: bytes, first: int, last: int, tasks: int) -> tuple[bytes | None, bytes]:
    """Return the digest of some tasks of a part, and how their arguments stand in the file.

    first, last: their places among the part's tasks, which are so many.
    """
    kind, content = _opened(text)
    if kind == _COLUMNS:
        return of_batch([column[first : last + 1] for column in pickle.loads(content)])
    found = keys(text, tasks)[first : last + 1]
    if kind not in (_KEYS, _NAMED) or not all(found):
        return None, b""
    frames = list(_frames(content, tasks))[first : last + 1]
    return digests.digest(*found), of_keys(found, frames, kind)


def shown(text: bytes, tasks: int) -> list[Call | None]:
    """Return the arguments of so many tasks, None where the file has not got them.

    Unpickles what the program's tasks were given: runs its code.
    """
    kind, content = _opened(text)
    found: list[Call | None] = []
    if kind == _COLUMNS:
        found = [(row, {}) for row in _rows(content)]
    elif kind in (_KEYS, _NAMED):
        found = [_call(frame, kind == _NAMED) for frame in _frames(content, tasks)]
    elif kind == _PLAIN:
        found = [(marshal.loads(content), {})]
    return found if len(found) == tasks else [None] * tasks


def _rows(content: bytes) -> Iterator[tuple[Any, ...]]:
    return zip(*pickle.loads(content), strict=True)


def _frames(content: bytes, tasks: int) -> Iterator[bytes | None]:
    sizes, place = array("Q"), tasks * (SIZE + 8)
    sizes.frombytes(content[tasks * SIZE : place])
    for size in sizes:
        if size == _ABSENT:
            yield None
        else:
            yield content[place : place + size]
            place += size


def _call(frame: bytes | None, named: bool) -> Call | None:
    if frame is None:
        return None
    try:
        found: Any = payload.unpack(frame)
        args, kwargs = found if named else (found, {})
        return tuple(args), kwargs
    except BaseException:  # a class that this process has not got, or worse
        return None
