"""Which executor this process has: `futures` speaks to it, and every executor without a base.

Rank 0 has the farm's, a worker one for the calls of its tasks, every other process the serial one.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import warnings
from collections.abc import Callable

from ..process import identity
from .executor import Executor
from .serial import SerialExecutor
from .unfinished import others, to_its_end

_serial = SerialExecutor()
_current: Executor = _serial


def install(executor: Executor | None) -> None:
    """Make an executor the one that `futures` speaks to; None for the serial one."""
    global _current
    _current = _serial if executor is None else executor


def current() -> Executor:
    """Return the executor of this process."""
    return _current


def wait_until(done: Callable[[], bool], timeout: float | None = None) -> bool:
    """Wait for what the current executor brings about; False after `timeout` seconds."""
    return _current.wait_until(done, timeout)


def usable() -> Executor:
    """Return the executor of this process, for a program that wants to hand out work.

    Raises RuntimeError while a worker imports the program; warns, once, where nothing is parallel.
    """
    if identity.importing:
        raise RuntimeError(
            "the program calls the farm while a worker imports it. Put what the program does below "
            'the line\n    if __name__ == "__main__":\nso that workers only get its functions.'
        )
    if not identity.started and not identity.warned:
        identity.warned = True
        _finish_at_exit()
        warnings.warn(
            "the program was not started by scoopmpi, its tasks run one after the other. "
            "Start it with: myscoop PROGRAM, or python -m scoopmpi PROGRAM",
            RuntimeWarning,
            stacklevel=3,
        )
    return _current


def run_to_its_end(run: Callable[[], None], end_threads: Callable[[], None]) -> None:
    """Run the program, and then what it has left to the executor of this process.

    end_threads: waits for the program's threads, and ends Python's thread pools.
    """
    to_its_end(run, current, end_threads)


def _finish_at_exit() -> None:
    """Finish what is left at exit, as `to_its_end` does: nobody has started this process for us."""
    pid = os.getpid()

    def finish() -> None:
        problem = None if hasattr(sys, "ps1") else getattr(sys, "last_type", None)
        if os.getpid() == pid and problem is not KeyboardInterrupt:
            _serial.finish(maps=problem is None)

    def finish_early() -> None:
        if not others():
            finish()

    def finish_last() -> None:
        finish()
        identity.ended = True

    try:
        import concurrent.futures.thread  # noqa: F401 (its own part comes after ours then)

        getattr(threading, "_register_atexit")(finish_early)  # noqa: B009 (not in the type stubs)
    except RuntimeError:  # a thread is the first to come here, and the main thread has ended
        pass
    atexit.register(finish_last)
