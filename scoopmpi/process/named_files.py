"""Files that options name for what a job says: what their names stand for, and what is there.

The command looks before anything is started, rank 0 or each rank opens them; both ask here. What
is written into them is for others.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{")
_PATTERNS = {"rank": r"\d+", "host": r"[^/]+(?<!\.\d)(?<!\.\d\d)"}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_JOBS = (
    (("SLURM_ARRAY_JOB_ID", "SLURM_JOB_ID", "SLURM_JOBID"), "SLURM_ARRAY_TASK_ID"),
    (("PBS_JOBID",), ""),
    (("LSB_JOBID",), "LSB_JOBINDEX"),
    (("COBALT_JOBID",), ""),
    (("FLUX_JOB_ID",), ""),
    (("OAR_JOB_ID", "OAR_JOBID"), ""),
    (("PJM_SUBJOBID", "PJM_JOBID"), ""),
    (("JOB_ID",), "SGE_TASK_ID"),
)
"""The variables in which batch systems say a job's number, and its place in an array of jobs."""


class NameProblem(ValueError):
    """A file cannot have this name, or cannot be written; the message says why."""


def job_number(env: Mapping[str, str]) -> str | None:
    """Return the number of the batch job, `123_4` for one of an array; None where there is none."""
    for names, place in _JOBS:
        number = next((env[name] for name in names if env.get(name)), None)
        if number is not None:
            part = env.get(place) or "undefined"
            alone = part == "undefined" or (place == "LSB_JOBINDEX" and part == "0")
            return safe(number.partition(".")[0] + ("" if alone else f"_{part}"))
    return None


def safe(text: str, most: int = 80) -> str:
    """Return a text as a part of a file's name: other signs than letters and digits are `_`."""
    return _UNSAFE.sub("_", text).strip("_.")[:most] or "_"


def placeholders(text: str, known: Collection[str]) -> frozenset[str]:
    """Return the placeholders in a name: `{rank}`, and so on.

    known: those that there are. Raises NameProblem where one is none of these.
    """
    found = set()
    for match in _PLACEHOLDER.finditer(text):
        if match[0] in ("{{", "}}"):
            continue
        if match[1] not in known:
            names = ", ".join(f"{{{name}}}" for name in sorted(known))
            do = "do" if len(known) > 1 else "does"
            raise NameProblem(
                f"{match[0]} stands for nothing; {names} {do}, and {{{{ for one brace"
            )
        found.add(match[1])
    return frozenset(found)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a name is made of: a text and no placeholder, or none and a placeholder's name."""
    place = 0
    for match in _PLACEHOLDER.finditer(text):
        yield text[place : match.start()] + (match[0][0] if match[1] is None else ""), ""
        if match[1] is not None:
            yield "", match[1]
        place = match.end()
    yield text[place:], ""


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a name with all its placeholders filled in, and single braces for doubled ones."""
    return "".join(plain or (str(values[name]) if name else "") for plain, name in pieces(text))


def differs(text: str) -> bool:
    """True where the name is another one on each rank or host."""
    return any(name in ("rank", "host") for _, name in pieces(text))


def former_files(text: str) -> list[str]:
    """Return the files that a name with placeholders of ranks and hosts stands for, and are there.

    Not those that were put aside: of `out.{host}` they look like the files of other hosts.
    """
    parts = list(pieces(text))
    wanted = re.compile(
        "".join(re.escape(plain) + _PATTERNS.get(name, "") for plain, name in parts)
    )
    found = glob.glob("".join(glob.escape(plain) + ("*" if name else "") for plain, name in parts))
    return sorted(name for name in found if wanted.fullmatch(name))


def with_job(text: str, number: str) -> str:
    """Return a name with the job's number filled in, and all else as it was."""
    return _PLACEHOLDER.sub(lambda match: number if match[1] == "job" else match[0], text)


def named(option: str, text: str, here: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return the full path of a file that an option of a farm names, on a rank.

    here: what placeholders but `{job}` stand for. Raises NameProblem where there are others, or no
    batch job: the command has filled in another number, under a mpirun of the user's own there is
    none that all ranks know.
    """
    number = job_number(os.environ)
    try:
        asked = placeholders(text, ("job", *here))
        if "job" in asked and number is None:
            raise NameProblem("this is no batch job, {job} has no number")
    except NameProblem as problem:
        raise NameProblem(f"{option} {text} names no file: {problem}") from None
    return os.path.abspath(filled(text, {"job": number, **here}))


def refusal(path: str) -> str | None:
    """Return why a file cannot be written, None where it can, as far as is known beforehand."""
    place = os.path.dirname(path) or "."
    if os.path.isdir(path):
        return "it is a directory"
    if os.path.exists(path):
        return None if os.access(path, os.W_OK) else "it may not be written"
    return _refused(place)


def directory_refusal(path: str) -> str | None:
    """Return why files cannot be made in a directory, None where they can; it may be made first."""
    if os.path.isdir(path):
        return None if os.access(path, os.W_OK | os.X_OK) else "it may not be written"
    if os.path.lexists(path):
        return "it is no directory"
    return _refused(os.path.dirname(path) or ".")


def _refused(place: str) -> str | None:
    if not os.path.isdir(place):
        return f"there is no directory {place}"
    return None if os.access(place, os.W_OK | os.X_OK) else f"{place} may not be written"


def put_aside(path: str) -> str | None:
    """Rename the file of a former run, and return its new name: the first free `path.1`, `path.2` …

    None where there is none with anything in it, or it has to stay: a device, a pipe.
    """
    if not os.path.isfile(path) or os.path.islink(path) or not os.path.getsize(path):
        return None
    number = 1
    while os.path.lexists(f"{path}.{number}"):
        number += 1
    try:
        os.rename(path, f"{path}.{number}")
    except OSError:
        return None
    return f"{path}.{number}"


def moved(option: str, path: str, former: str) -> str:
    """Return the words for the user where `put_aside` has renamed the file that an option names."""
    return f"{option} {path}: that of a former run is now {former}"
