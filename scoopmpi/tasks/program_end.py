"""The end of the program: what it has left to its executor runs before the process ends.

Nothing is finished where a signal has ended the program, nor in a child that it has forked.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable

from ..process import identity
from .executor import Executor
from .serial import SerialExecutor


def to_its_end(
    run: Callable[[], None],
    current: Callable[[], Executor],
    end_threads: Callable[[], None],
    wait: bool = True,
) -> None:
    """Run the program; when it is over, by itself or by an exception, finish what it has left.

    current: gives the executor of the process.
    end_threads: waits for the program's threads, and ends Python's thread pools, which callbacks
        may use until then.
    wait: False where maps and calls that nobody waits for end with the program.
    """
    pid = os.getpid()
    try:
        run()
    finally:
        if not others() and os.getpid() == pid and not cut_short(current()):
            current().finish(maps=wait and ended_well())
        end_threads()
        if os.getpid() == pid and not cut_short(current()):
            current().finish(maps=wait and ended_well())


def finish_at_exit(serial: SerialExecutor) -> None:
    """Have Python do so at its exit, as nobody has started this process for us."""
    pid = os.getpid()

    def finish() -> None:
        problem = None if hasattr(sys, "ps1") else getattr(sys, "last_type", None)
        if os.getpid() == pid and problem is not KeyboardInterrupt:
            serial.finish(maps=problem is None)

    def finish_early() -> None:
        if not others():
            finish()

    def finish_last() -> None:
        finish()
        identity.this.program_ended()

    try:
        import concurrent.futures.thread  # noqa: F401 (its own part comes after ours then)

        getattr(threading, "_register_atexit")(finish_early)  # noqa: B009 (not in the type stubs)
    except RuntimeError:  # a thread is the first to come here, and the main thread has ended
        pass
    atexit.register(finish_last)


def others() -> bool:
    """Return whether the program has threads of its own that go on: they may still take values."""
    pools = sys.modules.get("concurrent.futures.thread")
    idle = {threading.main_thread(), *getattr(pools, "_threads_queues", ())}
    return any(not thread.daemon and thread not in idle for thread in threading.enumerate())


def ended_well() -> bool:
    """Return whether no exception is on its way out, but for one that says so."""
    error = sys.exc_info()[1]
    return error is None or (isinstance(error, SystemExit) and error.code in (None, 0))


def cut_short(executor: Executor) -> bool:
    """Return whether a signal ends the program.

    Its exception, or one that came of it, is on its way then.
    """
    error, seen = sys.exc_info()[1], set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if error is executor.interruption or isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
