"""Exceptions of a farm's own, which users catch: `from scoopmpi import TaskError`, and so on.

Tracebacks show them under that name, whatever file they are in. How any exception travels to its
caller, and what is said of objects that cannot travel, is in `failure`.
"""

from __future__ import annotations

NOT_TAKEN = "nobody took the values of this map before the program, or the block of its farm, ended"


class TaskError(RuntimeError):
    """A task failed in a way that has no exception of its own: the message says what and why."""

    __module__ = "scoopmpi"


class FarmError(RuntimeError):
    """The farm itself cannot go on; the message says why and what to do."""

    __module__ = "scoopmpi"


class WorkerLost(FarmError):
    """A task died with its worker, again and again; no worker is left, or a host cannot be reached.

    rank, host: of the worker that was lost last, None where it is not known.
    function, index: of the task, None where it is not known.
    """

    __module__ = "scoopmpi"

    rank: int | None = None
    host: str | None = None
    function: str | None = None
    index: int | None = None


class TaskTimeout(TimeoutError):
    """A task took longer than its `task_timeout`: raised inside it, or by the end of its worker.

    function, index: of the task, None where it is not known.
    rank, host: of its worker, None where it is not known.
    seconds: its limit.
    """

    __module__ = "scoopmpi"

    function: str | None = None
    index: int | None = None
    rank: int | None = None
    host: str | None = None
    seconds: float | None = None


class RemoteTraceback(Exception):
    """The traceback on the rank where the task ran; the cause of the exception that you caught."""

    __module__ = "scoopmpi"

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


def timed_out(
    function: str,
    seconds: float,
    rank: int,
    host: str,
    index: int | None = None,
    end: str = "",
    words: str = "",
) -> TaskTimeout:
    """Return the exception of a task that took too long.

    function: the name by which the user knows it.
    seconds: its limit.
    rank, host: of its worker; rank 0 where the task ran beside the program.
    index: of the task, None where it is not known.
    end: what became of its worker, as the end of the sentence.
    words: for the task, as `words` has them; empty where they are not known.
    """
    task = words or function
    place = f" on worker {rank} ({host})" if rank else ""
    error = TaskTimeout(f"{task} took longer than its task_timeout of {seconds:g} s{place}{end}")
    error.function, error.index, error.seconds = function, index, seconds
    error.rank, error.host = rank, host
    return error


def words(call: str, index: int | None, attempt: int = 1) -> str:
    """Return the words for a task in the middle of a sentence.

    call: as `shown.called` has it. index: None for a submitted call.
    """
    found = f"submitted call {call}" if index is None else f"{call}, task {index},"
    return found if attempt == 1 else f"{found.rstrip(',')}, attempt {attempt},"


def add_task(error: BaseException, function: str, index: int | None, words: str) -> None:
    """Say which task it is where the exception is its TaskTimeout, which only says the function.

    function: the name of the task's. index: None where it has none. words: as of `words`.
    """
    if not issubclass(type(error), TaskTimeout):  # isinstance would ask the user's own code
        return
    assert isinstance(error, TaskTimeout)
    text = str(error.args[0]) if error.args else ""
    if error.function == function and text.startswith(f"{function} took longer"):
        error.index = index
        error.args = (words + text.removeprefix(function),)
