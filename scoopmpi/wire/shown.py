"""Users' values in a few characters, for errors: which call was it?

Nothing here runs the user's code: no `__repr__`, no property, no `__len__` of a class that is not
known. So it cannot raise, take long or print a million numbers, whatever the value is. Of other
objects their attributes are shown, as they stand in `__dict__`. Loaded where something fails.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from types import (
    BuiltinFunctionType,
    EllipsisType,
    FunctionType,
    GetSetDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import Any

from .failure import describe

MOST = 80
"""Characters for all arguments of a call: a line of a terminal with the name and the place."""
LEAST = 12
"""Characters for one argument, however many there are."""
DEEPEST = 3
"""Levels of objects in objects."""
MOST_BITS = 1000
"""Of a number that is shown in full, and cut: Python refuses to print those of 4300 digits."""
_DOTS = "..."
_PRINTED = frozenset(
    {"datetime", "decimal", "fractions", "ipaddress", "pathlib", "pathlib._local", "uuid"}
)
"""Modules of the standard library whose classes have a short `__repr__`."""
_SHAPED = frozenset({"cupy", "h5py", "jax", "jaxlib", "numpy", "pandas", "polars", "scipy",
                     "tensorflow", "torch", "xarray"})  # fmt: skip
"""Libraries whose objects may have a shape and a dtype, which are cheap to ask for."""


def called(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any] = {}) -> str:
    """Return a call as users write it, with its arguments shortened."""
    if type(function) is MethodType and function.__module__.startswith("scoopmpi."):
        return str(getattr(function.__self__, "known_as", describe(function)))  # not the user's
    as_written = getattr(type(function), "as_written", None)  # of a wrapper of ours
    given = args if as_written is None else as_written(function, args)
    return f"{describe(function)}({arguments(given, kwargs)})"


def arguments(args: Sequence[Any], kwargs: Mapping[str, Any], most: int = MOST) -> str:
    """Return the arguments of a call as they are written, shortened to `most` characters."""
    named: list[tuple[str, Any]] = [("", value) for value in args]
    named += [(f"{name}=", value) for name, value in kwargs.items()]
    parts: list[str] = []
    left = most
    for place, (name, value) in enumerate(named):
        room = max(LEAST, left // (len(named) - place) - len(name))
        part = name + shown(value, room)
        if len(part) > left and parts:
            parts.append(_DOTS)
            break
        parts.append(part)
        left -= len(part) + 2
    return ", ".join(parts)


def shown(value: Any, room: int = MOST, depth: int = 0) -> str:
    """Return a value in at most so many characters, or a few more."""
    kind = type(value)
    try:
        return _cut(_text(value, kind, room, depth), room)
    except Exception:  # changed by another thread meanwhile, or a library's own trouble
        return _cut(_name(kind), room)


def _text(value: Any, kind: type, room: int, depth: int) -> str:
    found: Callable[[Any, int, int], str] | None = _KINDS.get(kind)
    if found is not None:
        return found(value, room, depth)
    if _module_of(kind).partition(".")[0] in _SHAPED:
        return _shaped(value, kind)
    if _module_of(kind) in _PRINTED:
        return repr(value)
    for known, found in _KINDS.items():
        if issubclass(kind, known):  # known to be one, so its own way to show it is passed over
            return _of_subclass(value, kind, found, room, depth)
    return _object(value, kind, room, depth)


def _of_subclass(
    value: Any, kind: type, found: Callable[[Any, int, int], str], room: int, depth: int
) -> str:
    if "enum" in sys.modules and issubclass(kind, sys.modules["enum"].Enum):
        return _object(value, kind, room, depth)
    if issubclass(kind, tuple):
        for each in _classes(kind):
            if type(fields := _own(each).get("_fields")) is tuple:
                parts = (f"{name}={{}}" for name in fields)
                values = tuple.__iter__(value)
                return _joined(f"{_name(kind)}(", parts, values, ")", room, depth)
    text = found(value, room - len(_name(kind)) - 2, depth)
    return text if _module_of(kind) == "numpy" else f"{_name(kind)}({text})"


# What a class says of itself, past a metaclass that would say something else.


def _name(kind: type) -> str:
    return str(type.__dict__["__name__"].__get__(kind))


def _module_of(kind: type) -> str:
    return str(type.__dict__["__module__"].__get__(kind))


def _classes(kind: type) -> tuple[type, ...]:
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return found


def _own(kind: type) -> Mapping[str, Any]:
    found: Mapping[str, Any] = type.__dict__["__dict__"].__get__(kind)
    return found


def _cut(text: str, room: int) -> str:
    """Return a text with its middle left out where it is too long: paths differ at their ends."""
    if len(text) <= room:
        return text
    head = (room - len(_DOTS)) // 2
    return text[:head] + _DOTS + text[len(text) - (room - len(_DOTS) - head) :]


# What is known.


def _number(value: Any, room: int, depth: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= MOST_BITS else f"int of {bits} bits"


def _string(value: Any, room: int, depth: int) -> str:
    kind: Any = str if issubclass(type(value), str) else bytes
    if kind.__len__(value) > 2 * room:
        value = kind.__getitem__(value, slice(room)) + kind.__getitem__(value, slice(-room, None))
    return str(kind.__repr__(value))


def _sequence(value: Any, room: int, depth: int) -> str:
    plain = next(each for each in (list, tuple, deque) if issubclass(type(value), each))
    start, end = {list: "[]", tuple: "()", deque: ("deque([", "])")}[plain]
    if plain is tuple and tuple.__len__(value) == 1:
        end = ",)"
    values = plain.__iter__(value)
    return _joined(start, _placeholders(), values, end, room, depth)


def _set(value: Any, room: int, depth: int) -> str:
    plain = set if issubclass(type(value), set) else frozenset
    if not plain.__len__(value):
        return f"{plain.__name__}()"
    return _joined("{", _placeholders(), plain.__iter__(value), "}", room, depth)


def _dictionary(value: Any, room: int, depth: int) -> str:
    items = dict.items(value)
    keys = (shown(key, room // 2, depth + 1) for key, _ in items)
    parts = (key.replace("{", "{{").replace("}", "}}") + ": {}" for key in keys)
    return _joined("{", parts, (each for _, each in items), "}", room, depth)


def _placeholders() -> Iterable[str]:
    while True:
        yield "{}"


def _joined(
    start: str, parts: Iterable[str], values: Iterable[Any], end: str, room: int, depth: int
) -> str:
    """Join the values' texts, as many as there is room for."""
    if depth >= DEEPEST:
        return f"{start}{_DOTS}{end}"
    texts: list[str] = []
    left = room - len(start) - len(end) - len(_DOTS) - 2
    for part, value in zip(parts, values, strict=False):
        text = part.format(shown(value, max(LEAST, left - len(part) + 2), depth + 1))
        if len(text) > left and texts:
            texts.append(_DOTS)
            break
        texts.append(text)
        left -= len(text) + 2
    return start + ", ".join(texts) + end


def _function(value: Any, room: int, depth: int) -> str:
    return describe(value)


def _module(value: Any, room: int, depth: int) -> str:
    return f"module {ModuleType.__getattribute__(value, '__name__')}"


def _class(value: Any, room: int, depth: int) -> str:
    return _name(value)


def _dots(value: Any, room: int, depth: int) -> str:
    return _DOTS


def _printed(value: Any, room: int, depth: int) -> str:
    return repr(value)


def _float(value: Any, room: int, depth: int) -> str:
    return float.__repr__(value)


_KINDS: dict[type, Callable[[Any, int, int], str]] = {
    bool: _printed, NoneType: _printed, EllipsisType: _dots, range: _printed,
    slice: lambda value, room, depth: "slice(...)",
    int: _number, float: _float, complex: lambda value, room, depth: complex.__repr__(value),
    str: _string, bytes: _string,
    list: _sequence, tuple: _sequence, deque: _sequence,
    set: _set, frozenset: _set, dict: _dictionary,
    FunctionType: _function, BuiltinFunctionType: _function, MethodType: _function,
    ModuleType: _module, type: _class,
}  # fmt: skip


# What is not.


def _shaped(value: Any, kind: type) -> str:
    """Describe an array or table of a library by its shape; what holds one number, by that."""
    shape = getattr(value, "shape", None)
    dtype = getattr(value, "dtype", None)
    if shape == () and _module_of(kind) == "numpy" and hasattr(value, "item"):
        return shown(value.item())
    if not isinstance(shape, tuple):
        return _name(kind)
    name = "array" if _name(kind) == "ndarray" else _name(kind)
    return f"{name} of shape {tuple(shape)}" + ("" if dtype is None else f" of {dtype}")


def _object(value: Any, kind: type, room: int, depth: int) -> str:
    name = _name(kind)
    if "enum" in sys.modules and issubclass(kind, sys.modules["enum"].Enum):
        return f"{name}.{object.__getattribute__(value, '_name_')}"
    if _module_of(kind) == "functools" and name == "partial":
        return f"partial({_function(value.func, room, depth)})"
    attributes = _attributes(value, kind)
    if not attributes:
        return f"{name}()" if attributes == {} and "__slots__" not in _own(kind) else name
    parts = (f"{key}={{}}" for key in attributes)
    return _joined(f"{name}(", parts, islice(attributes.values(), room), ")", room, depth)


def _attributes(value: Any, kind: type) -> dict[str, Any] | None:
    """Return what stands in an object's `__dict__`; None where it has none of the usual kind."""
    for each in _classes(kind):
        if "__dict__" in _own(each):
            if type(_own(each)["__dict__"]) is not GetSetDescriptorType:
                return None
            found = object.__getattribute__(value, "__dict__")
            return found if type(found) is dict else None
    return None
