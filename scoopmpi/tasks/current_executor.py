"""Which executor this process has: `futures` speaks to it, and every executor without a base.

Rank 0 has the farm's, a worker one for the calls of its tasks, every other process the serial one.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..process import identity
from .executor import Executor
from .serial import SerialExecutor

_serial = SerialExecutor()
_current: Executor = _serial
"""The one of this process; only `install` changes it, where the process begins or ends its part."""


def install(executor: Executor | None) -> None:
    """Make an executor the one that `futures` speaks to; None for the serial one."""
    global _current
    _current = _serial if executor is None else executor


os.register_at_fork(after_in_child=lambda: install(None))  # what it has forked is no rank of MPI


def current() -> Executor:
    """Return the executor of this process."""
    return _current


def wait_until(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait until `done()` for what the current executor brings about; False after `timeout`."""
    return _current.wait_until(done, timeout)


def usable() -> Executor:
    """Return the executor of this process, for a program that wants to hand out work.

    Raises RuntimeError while a worker imports the program; warns, once, where nothing is parallel.
    """
    if identity.this.importing:
        raise RuntimeError(
            "the program calls the farm while a worker imports it. Put what the program does below "
            'the line\n    if __name__ == "__main__":\nso that workers only get its functions.'
        )
    if not identity.this.started and identity.this.warns():
        from ..process.users_line import warn
        from .program_end import finish_at_exit  # late: a worker has been started

        finish_at_exit(_serial)
        warn(
            "the program was not started by scoopmpi, its tasks run one after the other. "
            "Start it with: myscoop PROGRAM, or python -m scoopmpi PROGRAM"
        )
    return _current
