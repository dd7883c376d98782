"""Large objects of each kind that users send, made anew each time, and how two are compared.

Those of libraries that are not installed are left out.
"""

from __future__ import annotations

import array
import collections
import ctypes
import functools
import importlib
import pickle
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import cloudpickle
import numpy as np

COUNT = 1 << 17
"""Numbers in each object: with 8 bytes a number 1 MiB, above all that is treated as small."""


class Kind(NamedTuple):
    """A kind of object.

    make: returns one, with the same content each time. beside: whether its memory travels beside
    its pickle, not in it.
    """

    make: Callable[[], Any]
    beside: bool


KINDS: dict[str, Kind] = {}
LIBRARIES = ("pandas", "pyarrow", "scipy.sparse", "xarray", "torch")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


pd, pa, sparse, xarray, torch = map(_library, LIBRARIES)


def kind(name: str, beside: bool) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Note how one of a kind is made; the first word of a name is its library's."""

    def note(make: Callable[[], Any]) -> Callable[[], Any]:
        KINDS[name] = Kind(make, beside)
        return make

    return note


def numbers() -> Any:
    return np.arange(float(COUNT)) * 0.5


def table() -> Any:
    return numbers().reshape(-1, 64)


# numpy


class Named(np.ndarray):
    """An array of a class of the user's own."""


kind("numpy C", True)(table)
kind("numpy Fortran", True)(lambda: np.asfortranarray(table()))
kind("numpy transposed", True)(lambda: table().T)
kind("numpy every other", False)(lambda: numbers()[::2])
kind("numpy backwards", False)(lambda: numbers()[::-1])
kind("numpy columns of a table", False)(lambda: table()[:, 5:30])
kind("numpy rows of a table", True)(lambda: table()[100:900])
kind("numpy broadcast", False)(lambda: np.broadcast_to(np.arange(64.0), (COUNT // 64, 64)))
kind("numpy bool", True)(lambda: numbers() % 3 > 1)
kind("numpy complex", True)(lambda: numbers() * (1 - 2j))
kind("numpy half", True)(lambda: (numbers() % 100).astype("f2"))
kind("numpy of the other byte order", True)(lambda: numbers().astype(">f8"))
kind("numpy texts", True)(lambda: np.array(["abc", "defgh"] * (COUNT // 8)))
kind("numpy datetime64", False)(lambda: numbers().astype("datetime64[s]"))
kind("numpy timedelta64", False)(lambda: numbers().astype("timedelta64[ms]"))
kind("numpy objects", False)(lambda: np.array([None, "x", 3.5, (1, 2)] * 5000, dtype=object))
kind("numpy subclass", False)(lambda: table().view(Named))
kind("numpy masked", False)(lambda: np.ma.masked_array(numbers(), numbers() % 3 > 1))
kind("numpy 0-d", True)(lambda: np.array(3.5))
kind("numpy of no rows", True)(lambda: np.zeros((0, 64)))
kind("numpy of no columns", True)(lambda: np.zeros((COUNT, 0)))


@kind("numpy structured", True)
def _structured() -> Any:
    made = np.zeros(COUNT // 4, [("x", "f8"), ("name", "S7"), ("at", "i4", (3,))])
    made["x"], made["name"], made["at"] = np.arange(COUNT // 4), b"abc", (1, 2, 3)
    return made


@kind("numpy records", False)
def _records() -> Any:
    return _structured().view(np.recarray)


@kind("numpy read-only", True)
def _read_only() -> Any:
    made = numbers()
    made.setflags(write=False)
    return made


@kind("numpy unaligned", True)
def _unaligned() -> Any:
    whole = np.zeros(8 * COUNT + 1, "u1")
    whole[1:].view("f8")[:] = numbers()
    return whole[1:].view("f8")


@kind("numpy memmap", False)
def _memmap() -> Any:
    with tempfile.TemporaryFile() as file:
        made = np.memmap(file, "f8", shape=(COUNT,))
        made[:] = numbers()
        return made


@kind("numpy twice and a view", True)
def _twice() -> Any:
    made = numbers()
    return [made, made, {"part": made[10:]}]


# Python


class Numbers(ctypes.Structure):
    """As programs have that call C; an array without a structure has no class to be found by."""

    _fields_ = (("numbers", ctypes.c_int * COUNT),)


kind("python bytes", False)(lambda: numbers().tobytes())
kind("python bytearray", False)(lambda: bytearray(numbers().tobytes()))
kind("python str", False)(lambda: "aé€😀" * (COUNT // 4))
kind("python array", False)(lambda: array.array("d", numbers()))
kind("python memoryview of bytes", False)(lambda: memoryview(numbers().tobytes()))
kind("python memoryview, sliced", False)(lambda: memoryview(bytearray(range(256)) * 4096)[3::2])
kind("python memoryview of an array", False)(lambda: memoryview(table()))
kind("python ctypes", False)(lambda: Numbers((ctypes.c_int * COUNT)(*range(COUNT))))
kind("python list of numbers", False)(lambda: list(range(20000)))
kind("python dict of arrays", True)(lambda: {f"{n}": numbers() + n for n in range(3)})
kind("python many arrays", True)(lambda: [np.full(100, n) for n in range(1000)])
kind("python deque", True)(lambda: collections.deque([numbers(), "x", table()], 5))


class Own:
    """As users write classes that hold memory: its buffers go beside the pickle.

    parts: memory; of some of it there may be several.
    """

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce_ex__(self, protocol: int) -> Any:
        return Own, tuple(pickle.PickleBuffer(part) for part in self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.contents == other.contents

    @property
    def contents(self) -> list[tuple[bytes, bool]]:
        """What is in each part, and whether nobody may change it."""
        views = [memoryview(part) for part in self.parts]
        return [(bytes(view), view.readonly) for view in views]


kind("own class", True)(lambda: Own(bytearray(numbers()), numbers().tobytes()))


@kind("own class, one buffer twice", True)
def _buffer_twice() -> Any:
    part = bytearray(numbers())
    return Own(part, part, memoryview(part)[100:2000])


@kind("own class, empty buffers between", True)
def _empty_buffers() -> Any:
    return Own(b"", bytearray(), bytearray(numbers()), b"", b"x")


# Libraries

if pd is not None:
    kind("pandas frame", True)(lambda: pd.DataFrame(table()))
    kind("pandas series", True)(lambda: pd.Series(numbers(), name="x"))
    kind("pandas part of a frame", True)(lambda: pd.DataFrame(table()).iloc[100:900, 3:20])
    kind("pandas nullable", True)(lambda: pd.Series([*range(COUNT), None], dtype="Int64"))
    kind("pandas objects", False)(lambda: pd.Series(["x", None, 3, 2.5] * 9999, dtype=object))
    kind("pandas categories", True)(
        lambda: pd.DataFrame({"x": pd.Categorical(["ab", "c"] * COUNT), "y": range(2 * COUNT)})
    )
    kind("pandas empty", False)(lambda: pd.DataFrame({"x": [], "y": []}))

    @kind("pandas mixed", False)
    def _mixed() -> Any:
        made = pd.DataFrame({"x": numbers(), "n": np.arange(COUNT)})
        made["text"] = np.array(["ab", "cde"] * (COUNT // 2), dtype=object)
        made["at"] = pd.date_range("2020", periods=COUNT, freq="s")
        made["local"] = pd.date_range("2020", periods=COUNT, freq="s", tz="Europe/Brussels")
        return made

    @kind("pandas many levels", True)
    def _levels() -> Any:
        index = pd.MultiIndex.from_product([range(COUNT // 4), list("abcd")], names=["n", "l"])
        return pd.DataFrame({"x": numbers()}, index)


if pa is not None:
    kind("arrow array", True)(lambda: pa.array(numbers()))
    kind("arrow slice", True)(lambda: pa.array(numbers())[5:9000])
    kind("arrow chunks", True)(lambda: pa.chunked_array([numbers(), numbers()[7:]]))
    kind("arrow nulls", True)(lambda: pa.array([1, None, 3] * COUNT))
    kind("arrow lists", True)(lambda: pa.array([[1, 2], [], None, [3]] * (COUNT // 4)))
    kind("arrow buffer", True)(lambda: pa.py_buffer(numbers()))
    kind("arrow batch", True)(lambda: pa.record_batch({"x": numbers()}))
    kind("arrow table", True)(
        lambda: pa.table({"x": numbers(), "text": pa.array(["ab", None] * (COUNT // 2))})
    )
    kind("arrow dictionary", True)(lambda: pa.array(["ab", "c"] * COUNT).dictionary_encode())

if sparse is not None:
    kind("scipy csr", True)(lambda: sparse.random(999, 888, 0.1, "csr", rng=3))
    kind("scipy csc array", True)(
        lambda: sparse.csc_array(sparse.random(999, 888, 0.1, "csc", rng=3))
    )
    kind("scipy coo", True)(lambda: sparse.random(999, 888, 0.1, "coo", rng=3))

if xarray is not None:
    kind("xarray array", True)(
        lambda: xarray.DataArray(table(), dims=("x", "y"), coords={"y": range(64)})
    )
    kind("xarray set", True)(
        lambda: xarray.Dataset({"v": (("x", "y"), table()), "w": ("x", numbers()[:2048])})
    )

if torch is not None:
    kind("torch tensor", False)(lambda: torch.arange(float(COUNT)))
    kind("torch view", False)(lambda: torch.arange(float(COUNT)).reshape(-1, 64).T[3:9])
    kind("torch bool", False)(lambda: torch.arange(COUNT) % 3 == 0)
    kind("torch parameter", False)(lambda: torch.nn.Parameter(torch.arange(float(COUNT))))
    kind("torch shared twice", False)(lambda: (lambda made: [made, made[5:]])(torch.ones(COUNT)))


def in_full(value: Any) -> Any:
    """Return what pickling makes of an object, all of it in one piece."""
    return pickle.loads(cloudpickle.dumps(value, 5))


@functools.cache
def expected(name: str) -> Any:
    """Return what has to arrive of a kind; nobody may change it."""
    return in_full(KINDS[name].make())


def equal(a: Any, b: Any) -> bool:
    """True where two objects are of the same type, layout and content, and as read-only."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return _as_array(a) == _as_array(b) and _equal_arrays(a, b)
    if isinstance(a, list | tuple | collections.deque):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(equal, a.values(), b.values()))
    return _equal_of_libraries(a, b)


def _as_array(a: Any) -> tuple[Any, ...]:
    return a.dtype, a.shape, a.strides, a.flags.writeable, a.flags.c_contiguous


def _equal_arrays(a: Any, b: Any) -> bool:
    if isinstance(a, np.ma.MaskedArray):
        return equal(a.data, b.data) and equal(a.mask, b.mask)
    return a.tolist() == b.tolist() if a.dtype.hasobject else a.tobytes("A") == b.tobytes("A")


def _equal_of_libraries(a: Any, b: Any) -> bool:
    if isinstance(a, ctypes.Structure):
        return bytes(a) == bytes(b)
    if pd is not None and isinstance(a, pd.DataFrame | pd.Series):
        types = [str(each.dtypes) for each in (a, b)]
        return types[0] == types[1] and a.equals(b) and a.index.equals(b.index)
    if sparse is not None and sparse.issparse(a):
        return a.format == b.format and a.shape == b.shape and (a != b).nnz == 0
    if xarray is not None and isinstance(a, xarray.DataArray | xarray.Dataset):
        return bool(a.identical(b))
    if torch is not None and isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.stride() == b.stride() and torch.equal(a, b)
    return bool(a == b)
