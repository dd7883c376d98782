"""Tell by its name whether a host is this machine. Asks the resolver, so not for long lists."""

from __future__ import annotations

import socket

NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


def names() -> frozenset[str]:
    """Return what this machine is called, as far as it knows itself."""
    name = socket.gethostname()
    return NAMES | {name, name.partition(".")[0]}


def is_this(name: str) -> bool:
    """True where the host of this name is this machine, maybe by another of its names."""
    if name in names():
        return True
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return False
    return any(_own(family, address) for family, _, _, _, address in found)


def _own(family: int, address: tuple[object, ...]) -> bool:
    """True for an address of this machine: only such a one can be bound."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
