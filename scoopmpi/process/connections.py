"""TCP connections of this process to other hosts, as the kernel sees them: who still answers?

The kernel of a host answers keep-alive probes whatever its processes do: a worker that computes in
C or is stopped answers, one whose host is off or whose network is cut does not. MPI libraries over
TCP do not ask (Open MPI 4 and 5, Intel MPI 2021.18), or tell nobody what they hear (UCX below MPICH
5), and wait for ever. Linux only: elsewhere, and where MPI has another network, nothing is found.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
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
_INFO = struct.Struct("4B48x2I")
"""Of `struct tcp_info` (linux/tcp.h): the state, two numbers of what was sent again or asked and is
unanswered, and milliseconds since data and since an acknowledgement came."""
_ESTABLISHED = 1
_UNANSWERED = 2
"""Asks in vain: a stopped worker whose buffers are full is asked every two minutes, and answers."""
_ADDRESS_BYTES = 128  # of struct sockaddr_storage


def own_addresses() -> tuple[str, ...]:
    """Return the addresses under which this host is connected to others."""
    return tuple(sorted({_ends(number)[0] for number, _ in _sockets()} - {""}))


class Connections:
    """Looks at the connections of this process, again and again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, str]] = {}  # by descriptor: its socket, the other end

    def silences(self, addresses: Collection[str], probe: float) -> dict[str, float]:
        """Return seconds without an answer for each of these addresses that a connection leads to.

        They count from the last thing that came, once the kernel has asked in vain; else it is 0.
        probe: seconds without traffic after which the kernel shall ask, and ask again.
        """
        found: dict[str, float] = {}
        before, self._known = self._known, {}
        for number, link in _sockets():
            known = before.get(number)
            peer = known[1] if known and known[0] == link else _ends(number)[1]
            self._known[number] = link, peer
            if peer in addresses:
                with contextlib.suppress(OSError):  # closed meanwhile
                    if known is None or known[0] != link:
                        _have_it_probed(number, max(1, round(probe)))
                    age = _silence(number)
                    if age is not None:
                        found[peer] = min(age, found.get(peer, age))
        return found


def _silence(number: int) -> float | None:
    """Return the seconds without an answer; None where the other end has closed it."""
    raw = _option(number, socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    state, _, sent_again, asked, data, answer = _INFO.unpack(raw)
    if state != _ESTABLISHED:
        return None
    return 0.0 if max(sent_again, asked) < _UNANSWERED else min(data, answer) / 1000


def _sockets() -> Iterator[tuple[int, str]]:
    """Yield descriptors of sockets, with the names of these, which no other ever has."""
    if not sys.platform.startswith("linux"):
        return
    for name in os.listdir(_FILES):
        with contextlib.suppress(OSError):
            link = os.readlink(f"{_FILES}/{name}")
            if link.startswith("socket:"):
                yield int(name), link


def _ends(number: int) -> tuple[str, str]:
    """Return the two addresses of a connection to another host; two empty ones for others."""
    try:
        own, peer = _address(number, "getsockname"), _address(number, "getpeername")
    except OSError:  # not connected, or closed meanwhile
        return "", ""
    outward = own and peer and own != peer and not peer.startswith(_OWN)
    return (own, peer) if outward else ("", "")


def _address(number: int, which: str) -> str:
    """Return an address of a connection over IP; an empty one for others.

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
    for level, option, value in (
        (tcp, socket.TCP_KEEPIDLE, seconds), (tcp, socket.TCP_KEEPINTVL, seconds),
        (tcp, socket.TCP_KEEPCNT, _MOST_PROBES), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ):  # fmt: skip
        raw = ctypes.c_int(value)
        _checked(_libc().setsockopt(number, level, option, ctypes.byref(raw), ctypes.sizeof(raw)))


def _option(number: int, level: int, option: int, size: int) -> bytes:
    raw, length = ctypes.create_string_buffer(size), ctypes.c_uint(size)
    _checked(_libc().getsockopt(number, level, option, raw, ctypes.byref(length)))
    return raw.raw


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "a connection cannot be looked at")
