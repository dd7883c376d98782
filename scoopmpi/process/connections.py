"""TCP connections of this process to other hosts, as the kernel sees them: who still answers?

The kernel of a host answers keep-alive probes whatever its processes do: a worker that computes in
C or is stopped answers, one whose host is off or whose network is cut does not. MPI libraries over
TCP do not ask (Open MPI 4 and 5, Intel MPI 2021.18), or tell nobody what they hear (UCX below MPICH
5), and wait for ever. Linux only: elsewhere, and where MPI has another network, nothing is found.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Collection, Iterator

_FILES = "/proc/self/fd"
_OWN = "127."
"""So begin addresses that every host has."""
_MOST_PROBES = 127
"""The kernel closes a connection after so many in vain. Its limit: who looks on here decides."""
_ESTABLISHED = 1
"""The first byte of `struct tcp_info` then."""
_AGES = struct.Struct("II")
_AGES_AT, _INFO_BYTES = 52, 60
"""There (linux/tcp.h): milliseconds since data and since an acknowledgement came."""
_ADDRESS_BYTES = 128  # of struct sockaddr_storage


def own_addresses() -> tuple[str, ...]:
    """The addresses under which this host is connected to others."""
    return tuple(sorted({own for _, own, _ in _open()}))


def silences(addresses: Collection[str], probe: float) -> dict[str, float]:
    """For each of these addresses that a connection leads to: seconds since an answer came.

    probe: seconds without traffic after which the kernel shall ask, and ask again. Only what has
    been probed that long means anything: a connection without traffic gets no answers.
    """
    found: dict[str, float] = {}
    for number, _, peer in _open():
        if peer in addresses:
            with contextlib.suppress(OSError):  # closed meanwhile
                _have_it_probed(number, max(1, round(probe)))
                info = _option(number, socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                if info[0] != _ESTABLISHED:
                    continue  # the other end has closed it, but not this process
                age = min(_AGES.unpack_from(info, _AGES_AT)) / 1000
                found[peer] = min(age, found.get(peer, age))
    return found


def _open() -> Iterator[tuple[int, str, str]]:
    """Descriptors of connections to other hosts, with their two addresses."""
    for number in _sockets():
        with contextlib.suppress(OSError):  # not connected, or closed meanwhile
            own, peer = _address(number, "getsockname"), _address(number, "getpeername")
            if own and peer and own != peer and not peer.startswith(_OWN):
                yield number, own, peer


def _sockets() -> Iterator[int]:
    if not sys.platform.startswith("linux"):
        return
    for name in os.listdir(_FILES):
        with contextlib.suppress(OSError):
            if os.readlink(f"{_FILES}/{name}").startswith("socket:"):
                yield int(name)


def _address(number: int, which: str) -> str:
    """An end of a connection over IP, else nothing.

    By the C library: a Python socket of it would take it over, and close it or stop it blocking.
    """
    raw = ctypes.create_string_buffer(_ADDRESS_BYTES)
    size = ctypes.c_uint(_ADDRESS_BYTES)
    _checked(getattr(_libc(), which)(number, raw, ctypes.byref(size)))
    family = int.from_bytes(raw.raw[:2], sys.byteorder)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, raw.raw[4:8])
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, raw.raw[8:24]).removeprefix("::ffff:")
    return ""


def _have_it_probed(number: int, seconds: int) -> None:
    tcp = socket.IPPROTO_TCP
    if _number(_option(number, tcp, socket.TCP_KEEPCNT)) == _MOST_PROBES:
        return
    for level, option, value in (
        (tcp, socket.TCP_KEEPIDLE, seconds), (tcp, socket.TCP_KEEPINTVL, seconds),
        (tcp, socket.TCP_KEEPCNT, _MOST_PROBES), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ):  # fmt: skip
        raw = ctypes.c_int(value)
        _checked(_libc().setsockopt(number, level, option, ctypes.byref(raw), ctypes.sizeof(raw)))


def _option(number: int, level: int, option: int, size: int = 4) -> bytes:
    raw, length = ctypes.create_string_buffer(size), ctypes.c_uint(size)
    _checked(_libc().getsockopt(number, level, option, raw, ctypes.byref(length)))
    return raw.raw


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "a connection cannot be looked at")
