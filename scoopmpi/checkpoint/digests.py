"""Digests of values and functions: the same in each run of the same program, others elsewhere.

Values are compared by their pickles; functions, classes and modules in them by what they are and
do, see `code_digest`. What has no digest cannot be compared, and is never used again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

from ..wire import payload
from .code_digest import digest_code
from .stable_pickle import SIZE, Digested, Placed, digest_values

_known: WeakKeyDictionary[Any, tuple[Any, bytes | None, bool]] = WeakKeyDictionary()
"""The code and the digest of functions that workers find by name, as when first asked for."""
_now = threading.local()
"""Of each thread: whether what is digested asks for the place of its task."""


def digest(*values: Any) -> bytes | None:
    """Return the digest of any values; None where they cannot be pickled, so not compared."""
    try:
        return _complete(digest_values(values, _complete))
    except KeyboardInterrupt:
        raise
    except BaseException:  # a hostile __reduce__ may even call sys.exit
        return None


def located(place: tuple[int | None, ...], *values: Any) -> bytes | None:
    """Return the digest of arguments; with the place of their task, where these ask for it.

    place: the program's seed, the number of the task's map, and its index.
    """
    found, placed = with_place(*values)
    return digest(found, place) if placed and found is not None else found


def described(target: Callable[..., Any]) -> tuple[bytes | None, bool]:
    """Return the digest of a function, and whether it asks for the place of its task.

    The digest is that of its code and of all of the program that it reaches; None where something
    cannot be pickled that would have to travel with it. A function that workers find by its name
    is what it was when it was first asked for, see `code_digest`.
    """
    if not payload.by_name(target):
        return with_place(target)
    code = getattr(target, "__code__", None)
    known = _known.get(target)
    if known is None or known[0] is not code:
        known = _known[target] = code, *with_place(target)
    return known[1:]


def with_place(*values: Any) -> tuple[bytes | None, bool]:
    """Return the digest of any values, and whether a function in them asks for a task's place."""
    _now.placed = False
    found = digest(*values)
    return found, _now.placed


def _complete(found: Digested) -> bytes:
    """Return the digest of something and of all that it refers to, each once, circles or not."""
    if not found.references:
        return found.digest
    whole = blake2b(digest_size=SIZE)
    numbers: dict[int, int] = {}
    met: list[Any] = []

    def add(one: Digested) -> None:
        places = []
        for reference in one.references:
            places.append(numbers.setdefault(id(reference), len(met)))
            if places[-1] == len(met):
                met.append(reference)
        whole.update(repr((one.digest, places)).encode())

    add(found)
    for reference in met:  # grows meanwhile
        if reference is Placed:
            _now.placed = True
        add(digest_code(reference, _complete))
    return whole.digest()
