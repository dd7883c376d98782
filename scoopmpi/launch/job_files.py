"""Files that a job is to write, and its end, looked at by the command before anything is started.

So that what cannot be is one clear line, and not the end of a job that has waited for days.
Nothing is opened or made here; what a former run has left gets another name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ..process import named_files, time_kept_free
from ..program.scoop_options import Options
from ..watching.status import replaced_file
from .commandline.launch import output_name
from .flavours.ranks import LaunchError


def check(options: Options | None, others: Mapping[str, str | None]) -> None:
    """Raise LaunchError where a file that an option names cannot be written, or is named twice, or
    where it is certain that nobody will say when the job ends, and an option needs that.

    options: of the farm, with full paths. others: further files, by the option that names each.
    """
    given = Options() if options is None else options
    named: dict[str, str | None] = {
        "--task-log": given.task_log, "--status": given.status, "--trace": given.trace,
        "--report": given.report,
    }  # fmt: skip
    for option, path in named.items():
        replaced = option == "--status"
        _look(option, path, replaced_file.refusal if replaced else named_files.refusal)
    _look("--task-output", given.task_output, named_files.directory_refusal)
    named |= {"--task-output": given.task_output, "--checkpoint": given.checkpoint, **others}
    seen: dict[str, str] = {}
    for option, path in named.items():
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):
            continue  # a terminal or /dev/null may have both
        real = os.path.realpath(output_name(path))
        if real in seen:
            raise LaunchError(f"{seen[real]} and {option} are the same file: {path}")
        seen[real] = option
    if given.stop_before is not None:
        reason = time_kept_free.refusal(given.stop_before, given.walltime, os.environ)
        if reason is not None:
            raise LaunchError(f"--stop-before {given.stop_before} cannot be kept: {reason}")


def _look(option: str, path: str | None, refusal: Callable[[str], str | None]) -> None:
    if path is None:
        return
    try:
        named_files.placeholders(path, ("job",))
    except named_files.NameProblem as problem:
        raise LaunchError(f"{option} {path} names no file: {problem}") from None
    if reason := refusal(named_files.filled(output_name(path), {})):
        raise LaunchError(f"{option} {path} cannot be written: {reason}")


def output(path: str | None, tell: Callable[[str], None]) -> str | None:
    """Return the file that the command opens for --output; None where each rank opens its own.

    What a former run has left there gets another name, and `tell` hears of it.
    Raises LaunchError where the name cannot be.
    """
    if path is None:
        return None
    try:
        named_files.placeholders(path, ("host", "job", "rank"))
    except named_files.NameProblem as problem:
        raise LaunchError(f"--output {path} names no file: {problem}") from None
    full = output_name(path)
    if not named_files.differs(full):
        full = named_files.filled(full, {})
        if former := named_files.put_aside(full):
            tell(named_files.moved("--output", path, former))
        elif os.path.isfile(full) and os.path.getsize(full):
            tell(f"--output {path}: that of a former run is overwritten")
        return full
    place = os.path.dirname(full)
    if not named_files.differs(place) and (reason := named_files.directory_refusal(place)):
        raise LaunchError(f"--output {path} cannot be written: {reason}")
    moved = [new for old in named_files.former_files(full) if (new := named_files.put_aside(old))]
    if moved:
        more = f" and {len(moved) - 1} more" if moved[1:] else ""
        tell(f"--output {path}: those of a former run are now {moved[0]}{more}")
    return None
