"""What a debugger, or input(), is told where there is no terminal: how to get at one.

A task never has one. The program has it where a user sits before it, not in a batch job. Loaded
only when somebody asks.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from typing import Any

from ..process import identity
from ..wire import failure
from ..wire.errors import TaskError

_CHOICE = "PYTHONBREAKPOINT"
_USUAL = ("", "pdb.set_trace")
_READING = "EOF when reading a line"
"""What input() says at the end of stdin; EOFError has many other reasons."""


class NoTerminal(TaskError):
    """A debugger was asked for in a task."""


def breakpoint_in_task(*args: Any, **kwargs: Any) -> Any:
    """Raise NoTerminal, unless the user has another debugger, or wants none ($PYTHONBREAKPOINT).

    While a worker imports the program it does nothing: rank 0 is where that is looked at.
    """
    if not _pdb():
        return sys.__breakpointhook__(*args, **kwargs)
    if not identity.this.importing:
        raise NoTerminal(_advice("breakpoint() in a task", "INDEX"))


def breakpoint_in_program(*args: Any, **kwargs: Any) -> Any:
    """Begin the debugger where somebody can give it commands.

    Raises RuntimeError where nobody can: a batch job mostly has no stdin.
    """
    if not _pdb():
        return sys.__breakpointhook__(*args, **kwargs)
    if not can_be_asked():
        raise RuntimeError(
            f"breakpoint() in the program: there is no terminal. At one, `{_program('python')}` "
            f"works, and so does `{_program('myscoop')}`; {_CHOICE}=0 has it go on"
        )
    import pdb

    debugger = pdb.Pdb()
    text = (
        kwargs.get("header") or "scoopmpi: breakpoint(): the debugger takes its commands from stdin"
    )
    print(text, file=sys.stderr, flush=True)
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("scoopmpi."):
        frame = frame.f_back
    debugger.set_trace(frame)


def _pdb() -> bool:
    """Return whether breakpoint() means Python's own debugger."""
    return os.environ.get(_CHOICE, "") in _USUAL


def can_be_asked() -> bool:
    """Return whether stdin is a terminal, or has something in it: a pipe, a file."""
    if sys.stdin is None:
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):  # what the program has put there
        return True
    return sys.stdin.isatty() or not stat.S_ISCHR(mode)


def explained(error: BaseException, function: str, index: int) -> BaseException:
    """Return what to raise for an error that may come of a missing terminal.

    function, index: of the task in which it was raised.
    """
    place = f"task {index} of {function}"
    if isinstance(error, NoTerminal):
        new = TaskError(_advice(f"breakpoint() in {place}", f"{function}:{index}"))
    elif type(error).__module__ == "bdb":
        new = TaskError(_advice(f"a debugger in {place}", f"{function}:{index}"))
    else:
        if failure.reason(error).endswith(_READING) or _raised_in(error) == "getpass":
            remedy = "ask in the program, and hand the answer to the task as an argument"
            error.args = (f"input in {place}: only the program has a stdin; {remedy}",)
        return error
    return new.with_traceback(error.__traceback__)


def _advice(what: str, task: str) -> str:
    words = f"--debug-task {shlex.quote(task)}"
    return (
        f"{what}: tasks have no terminal.\n"
        f"    {_program('myscoop', words)}\n        runs this task on rank 0, in the debugger\n"
        f"    {_program('python')}\n        runs all tasks in one process, where debuggers work"
    )


def _program(command: str, *options: str) -> str:
    """Return the command line that runs the program in some way; PROGRAM where it has no file."""
    named = bool(sys.argv) and os.path.isfile(sys.argv[0])
    program = shlex.join(sys.argv) if named else "PROGRAM"
    return " ".join((command, *options, program))


def _raised_in(error: BaseException) -> str:
    """Return the name of the module in which an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
