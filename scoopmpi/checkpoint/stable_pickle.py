"""Values as digests of their pickles, at the speed of pickle; nothing is kept of the bytes.

The program's functions, classes and modules in a value stand as numbers in the pickle, in the order
in which they are met, and are given back for others to look at. A library's stand by their name and
version. No memo, as far as that goes: whether equal strings are one object differs from run to run.
Sets come in an order of their own in each process (PYTHONHASHSEED): values with sets in them take
a slower way, on which these are sorted.
"""

from __future__ import annotations

import builtins
import copyreg
import functools
import pickle
import re
import sys
import threading
from collections.abc import Callable
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple, TypeAlias

import cloudpickle

from ..tasks.initializer import Initializer
from ..wire import payload
from . import provenance
from .import_effects import ImportEffects
from .module_parts import is_data

PLACES = "scoopmpi.task"
"""The module that tells a task its place."""
PROTOCOL = 5
SIZE = 16
"""Bytes of a digest: two equal ones by chance among 1e9 tasks have a probability of 1e-21."""
WITHOUT_MEMO = 8 << 20
"""Bytes of a pickle without memo, which grows without bounds where objects share others: a third
of a second. Columns of plain numbers and strings may be longer."""
_SETS = (b"\x8f", b"\x91")
"""The opcodes EMPTY_SET and FROZENSET (pickletools); numbers may look the same."""
_REDUCE = {"__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"}
_SORTABLE = ({str}, {int}, {bytes})
_now = threading.local()
"""Of each thread: the sets that are just being looked at, as one may be reached from itself."""


class Digested(NamedTuple):
    """A digest, and what of the program it refers to, in order."""

    digest: bytes
    references: tuple[Any, ...]


Complete: TypeAlias = Callable[[Digested], bytes]
"""Makes one digest of something and of all that it refers to (`digests` has it)."""


class _Token:
    """Stands in a pickle for what is not pickled; never made."""


class Placed:
    """Stands among references for all that tells a task its place."""


class _SetFound(Exception):
    pass


class _Hides(Exception):
    pass


class _TooLong(Exception):
    pass


class _Sink:
    """The file into which a pickler writes."""

    def __init__(self, most: int | None) -> None:
        self.hash = blake2b(digest_size=SIZE)
        self.suspicious = False
        self._most, self._length = most, 0

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self._length += len(data)
        if self._most is not None and self._length > self._most:
            raise _TooLong
        if not self.suspicious and type(data) is bytes:
            self.suspicious = any(opcode in data for opcode in _SETS)
        return len(data)

    def buffer(self, buffer: pickle.PickleBuffer) -> None:
        self.hash.update(blake2b(buffer.raw(), digest_size=SIZE).digest())


class _Reduces:
    """How a hashing pickler reduces what it does not pickle."""

    def begin(self, references: list[Any], complete: Complete, fast: bool) -> None:
        """Start with no references.

        references: gets what the program has made and the values refer to.
        fast: True for a pickle without memo.
        """
        self.references, self.complete = references, complete
        self.numbers: dict[int, int] = {}
        self.fast = fast

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if isinstance(obj, type):
            if obj is _Token:
                return NotImplemented
            if obj.__module__ == "builtins":  # some have no name there, as that of functions
                return NotImplemented if obj in _NAMED else (_Token, (obj.__qualname__,))
            return self.reference(obj)
        if kind is FunctionType or kind is ModuleType or kind is ImportEffects:
            return self.reference(obj)
        if kind is BuiltinFunctionType and isinstance(obj.__self__, ModuleType | None):
            return _Token, (obj.__qualname__, _home(obj.__module__))
        if isinstance(obj, set | frozenset):
            return _Token, (kind, getattr(obj, "__dict__", None), _sorted(obj, self.complete))
        special = _SPECIAL.get(kind)
        return NotImplemented if special is None else (_Token, (kind, *special(obj)))

    def reference(self, obj: Any) -> Any:
        name = provenance.of(obj)
        if name == PLACES and obj is not Placed:
            told = getattr(obj, "__qualname__", "")
            return _Token, (told, _home(name), self.reference(Placed))
        if isinstance(obj, ModuleType):
            if provenance.library(name):
                return _Token, (_home(name),)
        elif _of_library(obj, name) and payload.by_name(obj) and obj is not Placed:
            return _Token, (obj.__qualname__, _home(name))
        number = self.numbers.setdefault(id(obj), len(self.references))
        if number == len(self.references):
            self.references.append(obj)
        return _Token, (number,)


def _of_library(obj: Any, made_in: str | None) -> bool:
    """True but for the program's, and for what a library has made around a function of that."""
    return provenance.library(made_in) and provenance.library(obj.__module__)


def _home(module: str | None) -> str:
    return f"{module} {provenance.version(module)}"


class _Hashing(_Reduces, cloudpickle.Pickler):  # type: ignore[misc]
    """The fast pickler, written in C."""


class _Looking(_Reduces, cloudpickle.Pickler):  # type: ignore[misc]
    """The fast one that raises _SetFound at a set: protocol 3 makes them by calling their type."""

    def reducer_override(self, obj: Any) -> Any:
        if obj is set or obj is frozenset or isinstance(obj, set | frozenset):
            raise _SetFound
        if payload.is_array(obj):
            return _Token, ()  # of numbers
        return super().reducer_override(obj)


class _Telling(_Reduces, cloudpickle.Pickler):  # type: ignore[misc]
    """The fast one that raises _Hides at an object whose class says itself what its pickle has."""

    def reducer_override(self, obj: Any) -> Any:
        kind: Any = type(obj)
        if not isinstance(obj, type) and _says_itself(kind):
            raise _Hides
        return super().reducer_override(obj)


@functools.lru_cache(maxsize=4096)
def _says_itself(kind: Any) -> bool:
    """True for classes of the program with methods of their own for pickles, or of libraries."""
    if kind in copyreg.dispatch_table and not issubclass(kind, re.Pattern | complex):
        return True
    if provenance.library(kind.__module__):
        return False
    return any(not vars(each).keys().isdisjoint(_REDUCE) for each in kind.__mro__[:-1])


def hides(value: Any) -> bool:
    """True for a value whose pickle need not show all that is in it, or that has none."""
    if is_data(value) or isinstance(value, FunctionType | BuiltinFunctionType | ModuleType | type):
        return False
    pickler = _Telling(_Sink(None), PROTOCOL, buffer_callback=_Sink(None).buffer)
    pickler.begin([], _not_asked, False)
    try:
        pickler.dump(value)
    except Exception:
        return True
    return False


class _Sorting(_Reduces, pickle._Pickler):
    """The slow pickler, written in Python: it asks about sets, too."""

    dispatch_table = cloudpickle.Pickler.dispatch_table


def _cells(wrapper: Any) -> tuple[Any, ...]:
    return (wrapper.__wrapped__,)


_SPECIAL: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    # Pickled by name, as if what they wrap could not change.
    type(functools.lru_cache(len)): _cells,
    # It holds a lock up to Python 3.11.
    functools.cached_property: lambda it: (it.func,),
    # Its name is another one in each run.
    Initializer: lambda it: (it.initializer, it.initargs),
}
_NAMED = frozenset(value for value in vars(builtins).values() if isinstance(value, type))


def digest_values(values: tuple[Any, ...], complete: Complete) -> Digested:
    """Return the digest of values by their pickles. Raises what pickling raises.

    complete: asked for each element of a set, which is ordered by that.
    """
    values = tuple(map(_block, values))
    found, sink = _pickled(_Hashing, values, complete)
    if not sink.suspicious or payload.plain_columns(_columns(values)) or not _has_sets(values):
        return found
    return _pickled(_Sorting, values, complete)[0]


def _columns(values: tuple[Any, ...]) -> list[Any]:
    """Return values as columns; those that are none count as one together."""
    return [[value] if type(value) not in (list, tuple, range) else value for value in values]


def _block(value: Any) -> Any:
    """Return a list of numpy's numbers as an array: each alone takes a microsecond and more."""
    if type(value) not in (list, tuple) or len(value) < 10:
        return value
    kind = type(value[0])
    numpy = sys.modules.get("numpy")
    if numpy is None or kind is float or kind not in payload.atoms() or kind.__module__ != "numpy":
        return value
    return (kind.__name__, numpy.array(value)) if set(map(type, value)) == {kind} else value


def _pickled(kind: Any, values: tuple[Any, ...], complete: Complete) -> tuple[Digested, _Sink]:
    try:
        return _attempt(kind, values, complete, True, WITHOUT_MEMO)
    except _TooLong:
        plain = payload.plain_columns(_columns(values))
        return _attempt(kind, values, complete, plain, None)
    except Exception:  # in a circle, or too deep
        return _attempt(kind, values, complete, False, None)


def _attempt(
    kind: Any, values: tuple[Any, ...], complete: Complete, fast: bool, most: int | None
) -> tuple[Digested, _Sink]:
    sink = _Sink(most)
    references: list[Any] = []
    pickler = kind(sink, PROTOCOL, buffer_callback=sink.buffer)
    pickler.begin(references, complete, fast)
    pickler.dump(values)
    return Digested(sink.hash.digest(), tuple(references)), sink


def _has_sets(values: tuple[Any, ...]) -> bool:
    pickler = _Looking(_Sink(None), 3)
    pickler.begin([], _not_asked, False)
    try:
        pickler.dump(values)
    except Exception:
        return True
    return False


def _not_asked(found: Digested) -> bytes:
    """Stand for `complete` where sets are not looked into."""
    return found.digest


def _sorted(obj: set[Any] | frozenset[Any], complete: Complete) -> list[Any]:
    """Return the elements, or their digests, in an order that they have in each process."""
    if set(map(type, obj)) in _SORTABLE:
        return sorted(obj)
    inside: set[int] = _now.__dict__.setdefault("inside", set())
    if id(obj) in inside:
        return []  # a set that is reached from one of its elements
    inside.add(id(obj))
    try:
        return sorted(complete(digest_values((element,), complete)) for element in obj)
    finally:
        inside.discard(id(obj))
