"""Files that a job is to write, looked at by the command before anything is started.

So that a name that cannot be is one clear line, and not the end of a job that has waited for days.
Nothing is opened or made here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ..process import named_files
from ..program.scoop_options import Options
from .flavours.ranks import LaunchError


def check(options: Options | None, others: Mapping[str, str | None]) -> None:
    """Raise LaunchError where a file that an option names cannot be written, or is named twice.

    options: of the farm, with full paths. others: further files, by the option that names each.
    """
    log = None if options is None else options.task_log
    directory = None if options is None else options.task_output
    checkpoint = None if options is None else options.checkpoint
    _look("--task-log", log, named_files.refusal)
    _look("--task-output", directory, named_files.directory_refusal)
    named = {"--task-log": log, "--task-output": directory, "--checkpoint": checkpoint, **others}
    seen: dict[str, str] = {}
    for option, path in named.items():
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):
            continue  # a terminal or /dev/null may have both
        real = os.path.realpath(path)
        if real in seen:
            raise LaunchError(f"{seen[real]} and {option} are the same file: {path}")
        seen[real] = option


def _look(option: str, path: str | None, refusal: Callable[[str], str | None]) -> None:
    if path is None:
        return
    try:
        named_files.placeholders(path, ("job",))
    except named_files.NameProblem as problem:
        raise LaunchError(f"{option} {path}: {problem}") from None
    if reason := refusal(path):
        raise LaunchError(f"{option} {path} cannot be written: {reason}")
