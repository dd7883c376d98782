"""Set up this process as the options want it: directory, paths, priority, where log lines go.

The same in a rank and in the command before mpirun; the program is neither found nor run here.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from .finding import safe_path
from .scoop_options import Options, UsageError

_PROGRAMS_FORMAT = "[%(asctime)s] %(module)s %(levelname)s %(message)s"
_FILES = ("hostfile", "prolog", "task_log", "task_output", "output")


def enter(options: Options) -> Options:
    """Go to the program's directory and extend the path; return the options, free of the old one.

    Raises UsageError where there is no such directory.
    """
    given = {name: getattr(options, name) for name in _FILES}
    absolute: dict[str, Any] = {
        name: os.path.abspath(path) for name, path in given.items() if path is not None
    }
    if options.python is not None and os.sep in options.python:
        absolute["python"] = os.path.abspath(options.python)
    if options.pythonpath is not None:
        absolute["pythonpath"] = _prepend(options.pythonpath)
    if options.path is not None:
        try:
            os.chdir(options.path)
        except OSError as problem:
            raise UsageError(f"--path {options.path}: {problem.strerror}") from None
    if not sys.flags.ignore_environment:  # else the ranks have to be told in another way
        absolute["pythonpath"] = None
    return options._replace(path=None, **absolute)


def _prepend(paths: str) -> str:
    entries = [os.path.abspath(entry) for entry in paths.split(os.pathsep) if entry]
    place = 0 if safe_path() else 1  # behind the program's own directory, as PYTHONPATH is
    sys.path[place:place] = entries
    present = filter(None, (os.environ.get("PYTHONPATH"),))
    os.environ["PYTHONPATH"] = os.pathsep.join([*entries, *present])
    return os.pathsep.join(entries)


def be_nice(level: int | None, tell: bool) -> None:
    """Take a niceness; where that is not allowed it stays as it was.

    level: -20 to 19, None for none. tell: the user is told where it is not allowed.
    """
    if level is None:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, level)
    except OSError as problem:
        if tell:
            logging.getLogger("scoopmpi").warning("--nice %d: %s", level, problem.strerror)


if TYPE_CHECKING:
    _Handler = logging.StreamHandler[TextIO]
else:
    _Handler = logging.StreamHandler  # generic from Python 3.11 on


class _Stderr(_Handler):
    """Writes to what is stderr at that time: on a worker it becomes a way to rank 0."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def log_to_stderr(options: Options) -> None:
    """Show our own messages and those to `scoop.logger`, no others: the root logger is the user's.

    As in SCOOP the program's messages are shown from INFO on, with -q from WARNING on.
    """
    everything = options.verbose or options.debug
    ours = logging.StreamHandler()
    ours.setFormatter(logging.Formatter("%(name)s: %(levelname)s: %(message)s"))
    _attach("scoopmpi", ours, logging.DEBUG if everything else logging.WARNING)
    programs = _Stderr()
    programs.setFormatter(logging.Formatter(_PROGRAMS_FORMAT))
    quiet = logging.WARNING if options.quiet else logging.INFO
    _attach("scoop", programs, logging.DEBUG if everything else quiet)


def _attach(name: str, handler: logging.Handler, level: int) -> None:
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
