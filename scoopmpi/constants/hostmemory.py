"""Large buffers once per host: one rank puts them into shared memory, the others map it.

The memory is a file without a name (Linux' memfd). Others open it through /proc/<pid>/fd, and the
kernel frees it with the last process that has it: nothing is left behind, even by kill -9. It is
sealed, nobody can write to it. Where that does not work `publish` or `attach` raises
`NotShared`, and the caller makes a copy of its own. Knows buffers, no frames and no messages.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import pickle
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

ALIGNMENT = 64
"""A cache line, and what numpy and AVX-512 like best."""
TOKEN_BYTES = 16
_SAMPLE = 4096
"""Bytes of a sample, a page: what is changed is changed in runs, mostly."""
PIECE = 1 << 24
"""Written at once; a single write takes less than 2 GiB, and is no faster from 1 MiB on."""

# Of Linux' own interface, which does not change; the names came to Python later.
_MFD_CLOEXEC, _MFD_ALLOW_SEALING = 1, 2
_F_ADD_SEALS = 1033
_SEALS = 1 | 2 | 4 | 8  # no more seals, no shrinking, no growing, no writing


class NotShared(Exception):
    """The memory cannot be shared between these two processes; the message says why."""


class Where(NamedTuple):
    """The place of published buffers on their host, and their sizes in bytes.

    token: what the memory begins with, so that no other file is taken for it.
    """

    pid: int
    fd: int
    sizes: tuple[int, ...]
    token: bytes


class Published:
    """Buffers in shared memory; others can attach to them until it is closed or collected.

    views: the buffers there, read-only. They stay when it is closed.
    """

    def __init__(self, fd: int, where: Where, views: list[memoryview]) -> None:
        self._fd: int | None = fd
        self.where = where
        self.views = views

    @property
    def fd(self) -> int | None:
        """Return the file of the memory, None where it is closed."""
        return self._fd

    def close(self) -> None:
        """Let nobody attach any more."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    __del__ = close


def publish(buffers: Iterable[Any]) -> Published:
    """Copy buffers into memory that other processes of this host can attach to.

    Raises NotShared where the system has no such memory, or not enough.
    """
    raw = [pickle.PickleBuffer(buffer).raw() for buffer in buffers]
    token = os.urandom(TOKEN_BYTES)
    sizes = tuple(view.nbytes for view in raw)
    fd = memory()
    try:
        os.ftruncate(fd, offsets(sizes)[-1])
        _write(fd, token, 0)
        for view, offset in zip(raw, offsets(sizes), strict=False):
            _write(fd, view, offset)
        fcntl.fcntl(fd, _F_ADD_SEALS, _SEALS)
        where = Where(os.getpid(), fd, sizes, token)
        return Published(fd, where, attach(where))  # as the others will: does /proc let them in?
    except (OSError, NotShared) as problem:
        os.close(fd)
        raise NotShared(f"shared memory does not work here: {problem}") from problem


def attach(where: Where) -> list[memoryview]:
    """Return the buffers that another process of this host has published, read-only, not copied.

    They stay valid when that process dies or closes them. Raises NotShared where they cannot be
    opened.
    """
    fd = opened(where)
    try:
        return views(fd, where.sizes)
    except OSError as problem:
        raise NotShared(f"mapping the memory of process {where.pid}: {problem}") from problem
    finally:
        os.close(fd)


def opened(where: Where) -> int:
    """Return the file of what another process of this host has published, which is to be closed.

    Raises NotShared where it cannot be opened.
    """
    path = f"/proc/{where.pid}/fd/{where.fd}"
    fd = None
    try:
        # It is looked at first, as it may be another process's pipe or terminal.
        same = os.stat(path).st_size == offsets(where.sizes)[-1]
        if same:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            same = os.pread(fd, TOKEN_BYTES, 0) == where.token
        if fd is None or not same:
            raise OSError(f"{path} is another file")
    except OSError as problem:
        if fd is not None:
            os.close(fd)
        raise NotShared(f"the memory of process {where.pid} cannot be opened: {problem}") from None
    return fd


def views(fd: int, sizes: Sequence[int]) -> list[memoryview]:
    """Return the buffers in such a file, read-only, not copied. Raises OSError."""
    places = offsets(sizes)
    whole = memoryview(mmap.mmap(fd, places[-1], access=mmap.ACCESS_READ))
    return [whole[place : place + size] for size, place in zip(sizes, places, strict=False)]


def address(buffer: Any) -> int:
    """Return where a contiguous buffer begins in this process's memory, whoever owns it.

    Raises BufferError where it is not contiguous.
    """
    view = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(buffer), ctypes.byref(view), 0)
    try:
        return view.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))


class _Buffer(ctypes.Structure):
    """Python's Py_buffer, part of its stable interface."""

    _fields_ = (
        ("buf", ctypes.c_void_p), ("obj", ctypes.c_void_p), ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t), ("readonly", ctypes.c_int), ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    )  # fmt: skip


def same(one: int, other: int, size: int, most: int) -> bool:
    """True where so many bytes at two addresses are equal; of more than `most`, samples of them."""
    compare = ctypes.CDLL(None).memcmp
    compare.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    if size <= most:
        return not compare(one, other, size)
    step = size * _SAMPLE // most
    starts = (*range(0, size - _SAMPLE, step), size - _SAMPLE)
    return not any(compare(one + start, other + start, _SAMPLE) for start in starts)


def offsets(sizes: Sequence[int]) -> list[int]:
    """Return the offset at which each buffer begins, and behind them the size of it all."""
    found = [ALIGNMENT]  # behind the token
    for size in sizes:
        found.append(found[-1] + -(-size // ALIGNMENT) * ALIGNMENT)
    return found


def _write(fd: int, data: Any, offset: int) -> None:
    view = memoryview(data)
    while view.nbytes:
        written = os.pwrite(fd, view[:PIECE], offset)
        view, offset = view[written:], offset + written


def memory() -> int:
    """Return the descriptor of a new file in memory that can be sealed.

    Not by `os.memfd_create`, which Pythons for many systems (conda's) were built without.
    """
    try:
        create = ctypes.CDLL(None, use_errno=True).memfd_create
    except (AttributeError, OSError):
        raise NotShared(f"the C library on this {sys.platform} has no memfd_create") from None
    fd: int = create(b"scoopmpi", _MFD_CLOEXEC | _MFD_ALLOW_SEALING)
    if fd < 0:
        raise NotShared(f"memfd_create: {os.strerror(ctypes.get_errno())}")
    return fd
