"""Names by which SCOOP's programs ask about their process: `scoop.IS_RUNNING`, `SIZE`, `worker`….

They are looked up when they are asked for, as most become known only when the ranks have met. Facts
of SCOOP 0.7.2 that programs rely on: `worker` is bytes, `host:number`; `logger` shows INFO unless
-q.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from ..process import identity

_configuration: dict[str, Any] = {}
_STDIN = "<stdin>"
"""What Python calls the file of a program that came from there; -c and the prompt have none."""


class BrokerInfo(NamedTuple):
    """Says what `scoop.BROKER` has been; MPI has no broker, so it is this host, without ports."""

    hostname: str
    task_port: int
    info_port: int
    externalHostname: str


def worker() -> bytes:
    """Return this process's name, unique in the job."""
    return f"{socket.gethostname()}:{identity.this.rank}".encode()


def main_module() -> str | None:
    """Return the program's file; None in the interactive shell and where nothing was started."""
    main = sys.modules.get("__main__")
    if not identity.this.started or _is_shell(main):
        return None
    return getattr(main, "__file__", None)


def configuration() -> dict[str, Any]:
    """Return the same dictionary at each call, empty until something was started."""
    if identity.this.started and not _configuration:
        shell = _is_shell(sys.modules.get("__main__"))
        _configuration.update(headless=shell, backend="MPI")
    return _configuration


def broker() -> BrokerInfo:
    """Return this host, without ports."""
    name = socket.gethostname()
    return BrokerInfo(name, 0, 0, name)


def _is_shell(main: Any) -> bool:
    return getattr(main, "__file__", _STDIN) == _STDIN


_FOUND_BY: dict[str, Callable[[], Any]] = {
    "IS_RUNNING": lambda: identity.this.started,
    "IS_ORIGIN": lambda: identity.this.rank == 0,
    "SIZE": lambda: max(1, identity.this.size - 1),
    "worker": worker,
    "logger": lambda: logging.getLogger("scoop"),
    "DEBUG": lambda: identity.this.debug,
    "MAIN_MODULE": main_module,
    "CONFIGURATION": configuration,
    "BROKER": broker,
    "WORKING_DIRECTORY": os.getcwd,
    "SHUTDOWN_REQUESTED": lambda: False,
    # Of versions before 0.7, and set by programs that do without `python -m scoop`.
    "VALID": lambda: identity.this.started,
    "WORKER_NAME": worker,
    "BROKER_NAME": lambda: socket.gethostname().encode(),
}
NAMES = frozenset(_FOUND_BY)


def value(name: str) -> Any:
    """Return what a name of `NAMES` stands for in this process, now."""
    return _FOUND_BY[name]()
