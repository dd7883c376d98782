"""The end of a program: its traceback, once, and its exit status, as the interpreter has them.

Our own frames are left out of the traceback. What comes after the program is in `ranks.leaving`.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable

from ..concurrency.signal_handlers import AROUND_A_HANDLER
from . import streams

SIGNALLED = 128
"""Above it, an exit status is that of a program which a signal has ended."""
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def status_of(run: Callable[[], object]) -> int:
    """Run the user's program, show its traceback once, and return its exit status."""
    try:
        try:
            run()
        finally:
            wait_for_threads()
        return _flushed(0)
    except SystemExit as leaving:
        return _flushed(_exit_status(leaving))
    except KeyboardInterrupt:
        print_traceback()
        return _flushed(130)
    except BaseException:
        print_traceback()
        return _flushed(1)


def wait_for_threads() -> None:
    """Wait as the interpreter does: the program is over when its last non-daemon thread is.

    Its own function for that also tells thread pools to end theirs, which a plain join would not.
    """
    getattr(threading, "_shutdown")()  # noqa: B009 (not in the type stubs)


def _exit_status(leaving: SystemExit) -> int:
    """Return the interpreter's status: None is success, a text goes to stderr and means 1."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def forget_handlers(error: BaseException | None) -> None:
    """Have what Ctrl-C has raised, once or again, end where the program was, not where we were."""
    while isinstance(error, KeyboardInterrupt):
        last, trace = None, error.__traceback__
        while trace is not None:
            if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
                last = trace
            trace = trace.tb_next
        if last is not None:
            last.tb_next = None
        error = error.__context__


def _forget_waiting(error: BaseException | None) -> None:
    """Have what a handler of the program's has raised come from there, as without a farm."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            while (below := trace.tb_next) and below.tb_frame.f_code in AROUND_A_HANDLER:
                trace.tb_next = below.tb_next
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def print_traceback() -> None:
    """Print the traceback of the running exception, from the user's own code on."""
    kind, error, trace = sys.exc_info()
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if sys.stdout is not None:  # the program may have put anything there
        sys.stdout.flush()
    if kind is None or error is None:
        return
    forget_handlers(error)
    _forget_waiting(error)
    print("".join(traceback.format_exception(kind, error, trace)), end="", file=sys.stderr)


def _flushed(status: int) -> int:
    for name in ("stdout", "stderr"):
        try:
            stream = getattr(sys, name)
            if stream is not None and (status <= SIGNALLED or streams.is_read(stream)):
                stream.flush()
        except AttributeError:
            pass  # what a program has put there instead
        except (OSError, ValueError) as problem:
            status = status or 120  # as the interpreter does where stdout is gone
            setattr(sys, name, None)  # or it would say so too
            _tell_of_output(name, problem)
    return status


def _tell_of_output(name: str, problem: Exception) -> None:
    try:
        print(f"scoopmpi: {name} is lost: {problem}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass  # stderr is what is gone
