"""The ports that a front end has chosen for its kernel: kept free for it while ranks start.

A front end looks which ports are free, and leaves them to a kernel that it believes to be there
soon. Ranks take a second, and launchers open ports too: one of these would be the kernel's. A
socket that is bound and does not listen keeps others away, but not who may reuse the address, as
ZeroMQ does. Where one cannot be had the kernel says so itself.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from .spec import CONNECTION

_OPTION = CONNECTION[0]
_ENDS_IN = "_port"


@contextmanager
def kept(words: Sequence[str]) -> Iterator[list[int]]:
    """Keep the ports of a kernel for as long as a block lasts; gives those that are kept.

    words: of the kernel, which name the file of its connection.
    """
    held = []
    with ExitStack() as open_ones:
        for ip, port in _addresses(_connection(words)):
            own = open_ones.enter_context(socket.socket())
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError, OverflowError):
                own.bind((ip, port))
                held.append(port)
        yield held


def _connection(words: Sequence[str]) -> Any:
    """Return what the file says, None where it does not say it as Jupyter does."""
    if _OPTION not in words[:-1]:
        return None
    try:
        with open(words[words.index(_OPTION) + 1], encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _addresses(said: Any) -> list[tuple[str, int]]:
    if not isinstance(said, dict) or said.get("transport") != "tcp":
        return []
    ip = said.get("ip")
    ports = [port for name, port in said.items() if name.endswith(_ENDS_IN)]
    return [(ip, port) for port in ports if isinstance(ip, str) and type(port) is int and port > 0]
