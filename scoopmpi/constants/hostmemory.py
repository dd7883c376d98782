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
    fd = _memory()
    try:
        os.ftruncate(fd, _offsets(sizes)[-1])
        _write(fd, token, 0)
        for view, offset in zip(raw, _offsets(sizes), strict=False):
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
    fd = _open(where)
    try:
        return _views(fd, where)
    except OSError as problem:
        raise NotShared(f"mapping the memory of process {where.pid}: {problem}") from problem
    finally:
        os.close(fd)


def _open(where: Where) -> int:
    path = f"/proc/{where.pid}/fd/{where.fd}"
    fd = None
    try:
        # It is looked at first, as it may be another process's pipe or terminal.
        same = os.stat(path).st_size == _offsets(where.sizes)[-1]
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


def _views(fd: int, where: Where) -> list[memoryview]:
    offsets = _offsets(where.sizes)
    whole = memoryview(mmap.mmap(fd, offsets[-1], access=mmap.ACCESS_READ))
    return [
        whole[offset : offset + size] for size, offset in zip(where.sizes, offsets, strict=False)
    ]


def _offsets(sizes: Sequence[int]) -> list[int]:
    """Return the offset at which each buffer begins, and behind them the size of it all."""
    offsets = [ALIGNMENT]  # behind the token
    for size in sizes:
        offsets.append(offsets[-1] + -(-size // ALIGNMENT) * ALIGNMENT)
    return offsets


def _write(fd: int, data: Any, offset: int) -> None:
    view = memoryview(data)
    while view.nbytes:
        written = os.pwrite(fd, view[:PIECE], offset)
        view, offset = view[written:], offset + written


def _memory() -> int:
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
