"""Users' objects to frames and back: functions, arguments, values.

The only file that pickles what belongs to the user. A frame is made with the standard pickle,
which is fast and names functions and classes; what that refuses (lambdas, closures, local
classes) goes by value through cloudpickle. Large buffers (numpy arrays) stay out of the frame
and are never copied here. Nothing here knows jobs, messages or ranks.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple, TypeAlias

from ..program import naming

Frame: TypeAlias = Any
"""One packed object: bytes, or a tuple of bytes and the buffers that travel beside them."""

PROTOCOL = 5
OUT_OF_BAND = 1 << 16
"""Frames from 64 KiB on are wrapped for the transport to send them from where they are."""

_ATOMS: frozenset[Any] = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Grows once, when the program has imported numpy: asked for each batch, so kept."""
_NUMPY_ATOMS = ("float64", "float32", "int64", "int32", "uint64", "bool_")


def _unknown() -> frozenset[str] | None:
    return None


_names = _unknown
"""Says which functions and classes of the program's module all workers have, None where that is
not known. One for the process, as `__main__` is: each pickling asks, also those inside tasks."""
_FIXED = frozenset((int, float, complex, bool, type(None)))
_SMALL = 1000
"""Letters of strings in arguments that go with others in one frame: more are not worth a copy."""


def names_on_workers(source: Callable[[], frozenset[str] | None]) -> None:
    """Tell this module how to ask which names of `__main__` need not travel by value."""
    global _names
    _names = source


def pack(value: object) -> Frame:
    """Return one object as a frame.

    Raises what pickling raises: TypeError, PicklingError, RecursionError or the object's own.
    """
    buffers: list[pickle.PickleBuffer] = []
    if naming.missing_names(_names()) and not _data(value):
        return _framed(_by_value(value, buffers), buffers)
    try:
        data = pickle.dumps(value, PROTOCOL, buffer_callback=buffers.append)
    except Exception:
        buffers.clear()
        data = _by_value(value, buffers)
    return _framed(data, buffers)


def _data(value: Any) -> bool:
    """True where there is no function or class in a value: numbers, strings, arrays of numbers.

    Cloudpickle, which looks for those that are to go by value, takes 45 us for a row, pickle 5.
    """
    if type(value) is tuple:
        return all(map(_data, value))
    return type(value) in atoms() or is_array(value)


def _framed(data: bytes, buffers: list[pickle.PickleBuffer]) -> Frame:
    if buffers:
        return (data, *buffers)
    return data if len(data) < OUT_OF_BAND else pickle.PickleBuffer(data)


def unpack(frame: Frame) -> Any:
    """Return the object in a frame. Raises whatever unpickling it raises."""
    kind = type(frame)
    if kind is tuple:
        return pickle.loads(frame[0], buffers=frame[1:])
    if kind is LentFrame:
        data, *buffers = frame.opened()
        return pickle.loads(data, buffers=buffers)
    return pickle.loads(frame)


def copied(frame: Frame) -> Frame:
    """Return the frame with its buffers in memory of its own, safe from changes by the user."""
    if type(frame) is not tuple:
        return frame
    return tuple(map(own, frame))


def own(part: Any) -> Any:
    """Return a part of a frame in memory of its own; bytes as they are: nobody can change them."""
    return part if type(part) is bytes else pickle.PickleBuffer(bytearray(part.raw()))


def forwarded(frame: Frame) -> Frame:
    """Return a frame that was received as one that can be sent on, without a copy."""
    if type(frame) is tuple:
        return (frame[0], *map(pickle.PickleBuffer, frame[1:]))
    return frame if type(frame) is bytes else pickle.PickleBuffer(frame)


def size(frame: Frame) -> int:
    """Return the number of bytes of a frame and its buffers, without those that are lent."""
    if type(frame) is tuple:
        if frame[0] is None:
            return sum(memoryview(part).nbytes for part in frame[1:] if type(part) is not tuple)
        return sum(memoryview(part).nbytes for part in frame)
    return len(frame) if type(frame) is bytes else memoryview(frame).nbytes


def weight(one: bool, frames: Any) -> int:
    """Return the number of bytes of what a batch sends: one frame for all tasks, or one for each.

    one: whether it is one.
    """
    if one:
        return size(frames)
    return sum(map(len if set(map(type, frames)) <= {bytes} else size, frames))


class LentFrame(NamedTuple):
    """A frame of which parts are lent (`wire.lent`), on a rank that has these.

    parts: the pickle and its buffers, a tuple for each that is lent. lender: opens those.
    """

    parts: tuple[Any, ...]
    lender: Callable[[Any], Any]

    def opened(self) -> list[Any]:
        """Return the pickle and its buffers."""
        lender = self.lender
        return [lender(part) if type(part) is tuple else part for part in self.parts]


def plain(values: Collection[Any]) -> bool:
    """True where all values are numbers, strings or such, or tuples of them.

    Immutable and harmless to unpickle, so that a whole batch may share one pickle. All others get
    a pickle each: one hostile object must not spoil its neighbours, and an object that two tasks
    hand over must arrive twice, whatever the batch size.
    """
    known = atoms()
    kinds = set(map(type, values))
    if kinds <= known:
        return True
    if kinds - known != {tuple}:
        return False
    tuples = (value for value in values if type(value) is tuple)
    return set(map(type, chain.from_iterable(tuples))) <= known


def small(values: Collection[Any]) -> bool:
    """True where values are `plain` and short, so that many of them may share a frame."""
    if _FIXED.issuperset(map(type, values)):
        return True
    if not plain(values):
        return False
    rows = (value if type(value) is tuple else (value,) for value in values)
    return sum(len(each) for row in rows for each in row if type(each) in (str, bytes)) <= _SMALL


def atoms() -> frozenset[Any]:
    """Return the types of values that nobody can change: numbers, strings, numpy's scalars."""
    if (numpy := sys.modules.get("numpy")) is not None:
        scalar = getattr(numpy, "float64", None)  # a half imported numpy has none yet
        if scalar is not None and scalar not in _ATOMS:
            _learn_numpy(numpy)
    return _ATOMS


def _learn_numpy(numpy: Any) -> None:
    global _ATOMS
    _ATOMS |= {getattr(numpy, name) for name in _NUMPY_ATOMS}


def pack_columns(columns: Sequence[Sequence[Any]]) -> Frame | None:
    """Return the arguments of a batch as one frame; None where they are not plain.

    columns: one for each parameter.
    """
    return pack_plain(tuple(columns)) if plain_columns(columns) else None


def pack_plain(value: object) -> Frame:
    """Return as a frame what is known to be plain: no function in it may have to go by value."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, PROTOCOL, buffer_callback=buffers.append)
    return _framed(data, buffers)


def plain_columns(columns: Sequence[Sequence[Any]]) -> bool:
    """True where the arguments of a batch are `plain`, a column for each parameter."""
    return all(map(_plain_column, columns))


def _plain_column(column: Sequence[Any]) -> bool:
    if type(column) is list:  # most are
        return plain(column)
    return isinstance(column, range) or is_array(column) or plain(column)


def is_array(column: Any) -> bool:
    """True where a column is a numpy array of numbers, which travels as a block."""
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    return array is not None and type(column) is array and column.dtype.kind in "biufc"


def by_name(function: object) -> bool:
    """True where other ranks find the function by its name: its frame never goes stale then."""
    if not isinstance(function, FunctionType | BuiltinFunctionType | type):
        return False
    name = function.__qualname__
    if function.__module__ == naming.MAIN and naming.is_missing(name.partition(".")[0], _names()):
        return False
    return _found(function.__module__, name) is function


def _found(module: str | None, name: str) -> object:
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _by_value(value: object, buffers: list[pickle.PickleBuffer]) -> bytes:
    """Pickle by cloudpickle, but by name what other ranks have in the program's module."""
    import cloudpickle  # late: most workers never need it, and an import is files opened per rank

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, FunctionType | type) and _in_program(obj) and by_name(obj):
                return obj.__qualname__
            return super().reducer_override(obj)

    with io.BytesIO() as file:
        Pickler(file, PROTOCOL, buffer_callback=buffers.append).dump(value)
        return file.getvalue()


def _in_program(obj: Any) -> bool:
    return getattr(obj, "__module__", None) in ("__main__", "SCOOP_WORKER")


# Functions by name, one frame each: thousands of calls share them.

_FUNCTIONS = frozenset((FunctionType, BuiltinFunctionType))
_MOST_NAMED = 64
_named: dict[Any, _Named] = {}
"""The latest functions that were found by name; grows to `_MOST_NAMED`, then begins anew."""
_by_frame: dict[bytes, _Named] = {}
"""Those of them that have come here, by their frames."""


class _Named(NamedTuple):
    """A function that is found by its name.

    key: by which `names_on_workers` has it; empty where it is not the program's.
    """

    module: str
    name: str
    key: str
    frame: bytes

    def found(self) -> object:
        """Return what has the name now."""
        return getattr(sys.modules.get(self.module), self.name, None)


def pack_named(function: object) -> bytes | None:
    """Return the frame of a function that other ranks find by its name; None for all else."""
    if type(function) not in _FUNCTIONS:
        return None
    known = _named.get(function) or _learn(function)
    if known is None or known.found() is not function:
        return None
    if known.key and (names := _names()) is not None and known.key not in names:
        return None
    return known.frame


def unpack_named(frame: bytes) -> Any:
    """Return the function in a frame of `pack_named`, as it is found now."""
    known = _by_frame.get(frame)
    if known is not None and (found := known.found()) is not None:
        return found
    function = pickle.loads(frame)
    if type(function) in _FUNCTIONS and (known := _learn(function)) and known.frame == frame:
        _by_frame[frame] = known
    return function


def _learn(function: Any) -> _Named | None:
    module, name = function.__module__, function.__qualname__
    if "." in name or not by_name(function):
        return None
    if len(_named) >= _MOST_NAMED:
        _named.clear()
        _by_frame.clear()
    key = naming.key(name, function) if module == naming.MAIN else ""
    found = _named[function] = _Named(module, name, key, pickle.dumps(function, PROTOCOL))
    return found
