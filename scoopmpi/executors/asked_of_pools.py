"""What programs ask of executors and pools that this farm does not do: said once, or harmless.

A program that was written for another pool asks for processes, their number, or a fresh one for
each task. The processes are here already. Of each keyword it is decided here whether it is without
a word, because nobody misses it, or with a warning at the user's line that says what holds instead.
"""

from __future__ import annotations

import os
from typing import Any

from ..process import identity
from ..process.users_line import warn
from ..tasks.current_executor import current

_HARMLESS = frozenset(("backoff", "main", "mp_context", "thread_name_prefix", "use_pkl5"))
"""Keywords about how processes start and talk, which no task notices."""
_TELLS_WHY = {
    "env": "let an initializer= set it there",
    "globals": "let an initializer= set them there",
    "path": "let an initializer= extend sys.path there, or myscoop -V PYTHONPATH",
    "wdir": "let an initializer= go there, or python -m scoopmpi --path DIRECTORY",
    "mpi_info": "myscoop or mpirun has chosen their hosts",
    "python_args": "give them to the ranks: python ARGUMENTS -m scoopmpi PROGRAM",
    "python_exe": "start them with it: python -m scoopmpi --python-interpreter PYTHON PROGRAM",
}
"""Keywords whose effect tasks would miss, and what to do instead."""
_LEAKS = "what leaks may run in a process of its own inside the task (docs/when-things-go-wrong.md)"


def check_workers(count: int | None, name: str = "max_workers") -> None:
    """Check how many workers are asked for, and warn where the farm has another number.

    Not where `os.cpu_count()` is asked for and there are more: that means all there are.
    name: the parameter's, to be said. Raises ValueError where nobody can want so many.
    """
    if count is None:
        return
    if count <= 0:
        raise ValueError(f"{name} is {count}, {name} must be greater than 0, or None")
    if identity.this.rank > 0 or identity.this.importing or not identity.this.started:
        return
    workers = current().workers
    if count > workers or (count < workers and count != os.cpu_count()):
        use = "its only worker runs" if workers == 1 else f"all {workers} workers run"
        more = "start more" if count > workers else "start fewer"
        if _first(name):
            warn(f"{name}={count} changes nothing: {use} the tasks. To {more}: myscoop -n {count}")


def check_tasks(count: int | None, name: str) -> None:
    """Check after how many tasks a worker is to be replaced, and warn that none is.

    name: the parameter's, to be said. Raises TypeError where it is no integer, ValueError below 1.
    """
    if count is None:
        return
    if not isinstance(count, int):
        raise TypeError(f"{name} is {count!r}, it must be an integer or None")
    if count <= 0:
        raise ValueError(f"{name} must be >= 1, {name} is {count}")
    if _first(name):
        warn(f"{name}={count} changes nothing: workers stay for all tasks; {_LEAKS}")


def accept(keywords: dict[str, Any], tell: bool = True) -> None:
    """Take the constructor keywords of other executors.

    keywords: all that the constructor does not know. tell: whether to warn.

    Raises TypeError for a keyword that no executor has, and what `check_tasks` raises.
    """
    tasks = "max_tasks_per_child"
    unknown = sorted(keywords.keys() - _HARMLESS - _TELLS_WHY.keys() - {tasks})
    if unknown:
        raise TypeError(f"executors have no keyword argument {unknown[0]!r}")
    check_tasks(keywords.get(tasks), tasks)
    for name in sorted(_TELLS_WHY.keys() & keywords.keys()) if tell else ():
        if keywords[name] is not None and _first(name):
            warn(f"{name}= changes nothing: the workers run already; {_TELLS_WHY[name]}")


def tell_ended(results: int) -> None:
    """Warn where the block of a pool ends before results are there that nobody has taken.

    results: how many. What has not begun of them does not run, as with multiprocessing's pools.
    """
    if results and _first("the block of a Pool"):
        which = "a result" if results == 1 else f"{results} results"
        warn(
            f"the block of this Pool ends, and with it what has not run for {which} that nobody "
            "has waited for. Take them in the block: result.get(), or pool.close() and pool.join()"
        )


def _first(name: str) -> bool:
    """True on rank 0 the first time that the user is told of a keyword."""
    return identity.this.rank == 0 and identity.this.tells(name)
