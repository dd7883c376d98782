"""When the batch system ends this job, as its variables and commands say it. Pure.

Each batch system that is found in the environment is asked; where several are, as one runs inside
another, the first end counts. What is asked is a time that is left rather than a date where there
is a choice: dates come in the format and the time zone that the user has set. Tried with Slurm
22.05 and Grid Engine 8.1.9, and with what OpenPBS 23.06 has answered; all else by documentation.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from .asking import Ask

_DAYS_CLOCK = re.compile(r"(?:(?:(\d{1,5})-)?(\d{1,7}):)?(\d{1,7}):(\d{1,9})(?:\.\d*)?", re.ASCII)
_DAYS_HOURS = re.compile(r"(\d{1,5})-(\d{1,7})(?::(\d{1,7}))?", re.ASCII)
_DATE = re.compile(
    r"[A-Z][a-z]{2} +([A-Z][a-z]{2}) +(\d{1,2}) +(\d{1,2}):(\d\d):(\d\d) +(\d{4})", re.ASCII
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEVER = ("UNLIMITED", "INFINITY", "INFINITE", "NONE", "UNDEFINED")
_YEAR = 365 * 86400.0
"""Slurm writes this end into the variables of a job without one."""
_FAR = 1e11
"""Above this an epoch is in milliseconds, as Univa's and Altair's Grid Engine have it."""


class JobEnd(NamedTuple):
    """Says when a job is ended.

    at: seconds since 1970; infinite where the batch system says that there is no limit.
    source: what says so: the name of a variable or of a command.
    began: when the job began, where that is known.
    """

    at: float
    source: str
    began: float | None = None


Made: TypeAlias = Callable[[str], float | None]
"""When a file was made that the batch system writes as the job begins; None where there is none."""


def file_made(path: str) -> float | None:
    """Return when a file was written last; None where it is not there."""
    try:
        return os.stat(path).st_mtime
    except (OSError, ValueError):
        return None


def job_end(env: Mapping[str, str], ask: Ask, now: float, made: Made = file_made) -> JobEnd | None:
    """Return when this batch job is ended; None where there is none, or nobody tells.

    ask: asks the batch system's commands. now: seconds since 1970.
    """
    found = []
    for _, variables, system in _SYSTEMS:
        job = _first(env, variables)
        end = system(job, env, ask, now, made) if job else None
        found += [] if end is None else [end]
    return min(found, key=_at) if found else None


def in_job(env: Mapping[str, str]) -> bool:
    """True where this is a job of a batch system that may tell its end."""
    return manager(env) is not None


def manager(env: Mapping[str, str]) -> str | None:
    """Return the batch system whose job this is, by its short name; None where there is none."""
    return next((name for name, variables, _ in _SYSTEMS if _first(env, variables)), None)


def _at(end: JobEnd) -> float:
    return end.at


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((env[name] for name in names if env.get(name)), None)


def duration(text: str) -> float | None:
    """Return the seconds of `90`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`, `D-HH:MM:SS`.

    Infinite for the words that stand for no limit; None for what is none of these.
    """
    plain = text.strip()
    if plain.upper() in _NEVER:
        return math.inf
    if found := _DAYS_CLOCK.fullmatch(plain):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    elif found := _DAYS_HOURS.fullmatch(plain):
        days, hours, minutes = (int(part or 0) for part in found.groups())
        seconds = 0
    else:
        return _number(plain)
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _counted(began: float | None, limit: float | None, source: str) -> JobEnd | None:
    """Return the end of a job of which its beginning and its limit are known."""
    if limit is None or (began is None and math.isfinite(limit)):
        return None
    return JobEnd((began or 0.0) + limit, source, began)


# Slurm.


def _slurm(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    # Of a heterogeneous job each component has a line.
    lines = (ask(("squeue", "-h", "-j", job, "-o", "%L %M")) or "").splitlines()
    told = [one for line in lines if (one := _left(line, now)) is not None]
    if told:
        return min(told, key=_at)
    end, began = (_number(env.get(f"SLURM_JOB_{name}_TIME")) for name in ("END", "START"))
    if not end:
        return None
    unlimited = began is not None and end - began >= _YEAR
    return JobEnd(math.inf if unlimited else end, "SLURM_JOB_END_TIME", began)


def _left(line: str, now: float) -> JobEnd | None:
    """Return what `1:30 0:30` says: the time that is left, and that has passed."""
    left, _, passed = line.strip().partition(" ")
    seconds = 0.0 if left == "INVALID" else duration(left)  # so where it is below zero
    used = duration(passed)
    if seconds is None:
        return None
    return JobEnd(now + seconds, "squeue", None if used is None else now - used)


# OpenPBS, PBS Pro, Torque.


def _pbs(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    answer = ask(("qstat", "-f", job)) if job[0].isdigit() else None
    said = _attributes(answer or "")
    limit = duration(said.get("Resource_List.walltime", ""))
    remaining = _number(said.get("Walltime.Remaining"))
    began = _date(said.get("stime") or said.get("start_time") or "")
    used = duration(said.get("resources_used.walltime", ""))
    if remaining is not None:  # Torque
        return JobEnd(now + remaining, "qstat -f", began)
    if began is None and used is not None:
        began = now - used
    if "job_state" in said:
        return _counted(began, math.inf if limit is None else limit, "qstat -f")
    seconds = _number(env.get("PBS_WALLTIME"))  # of Torque; its node file is made with the job
    return _counted(made(env.get("PBS_NODEFILE", "")), seconds, "PBS_WALLTIME")


def _attributes(text: str) -> Mapping[str, str]:
    """Return what an answer of `qstat -f` for one job says; long values go on after a tab."""
    lines = text.replace("\r\n", "\n").replace("\n\t", "").split("\n")
    pairs = (line.partition(" = ") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _date(text: str) -> float | None:
    """Return the moment of `Sun Nov 22 15:44:03 2026`, in this process's time zone."""
    found = _DATE.match(text.strip())
    if found is None or found[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(found[place]) for place in (2, 3, 4, 5, 6))
    month = _MONTHS.index(found[1]) + 1
    try:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        return None


# Grid Engine.

_REQUEST = re.compile(r"<CE_name>([hs]_rt)</CE_name>.*?<CE_stringval>([^<]*)</", re.DOTALL)
_TASK = re.compile(r"<JAT_task_number>(\d+)</JAT_task_number>.*?<JAT_start_time>(\d+)</", re.DOTALL)


def _grid_engine(
    job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made
) -> JobEnd | None:
    if not env.get("SGE_ROOT"):
        return None  # other programs have a JOB_ID too
    answer = ask(("qstat", "-j", job, "-xml")) or ""
    limits = [duration(text) for _, text in _REQUEST.findall(answer)]
    if not limits and "<JB_job_number>" in answer:
        limits = list(_limits_of_queue(ask(("qconf", "-sq", env.get("QUEUE", ""))) or ""))
    task = env.get("SGE_TASK_ID", "")
    starts = dict(_TASK.findall(answer))
    began = _number(starts.get(task if task.isdigit() else "1"))
    if began is not None and began > _FAR:
        began /= 1000
    if not began:
        began = made(env.get("SGE_JOB_SPOOL_DIR", "") + "/pid")
    return _counted(began, min(filter(None, limits), default=None), "qstat -j")


def _limits_of_queue(text: str) -> Iterator[float | None]:
    """Yield what `qconf -sq` says of run times: `24:00:00,[n1=1:0:0]` has one for some hosts."""
    for line in text.splitlines():
        name, _, values = line.partition(" ")
        if name in ("h_rt", "s_rt"):
            parts = (part.rpartition("=")[2].strip(" []\\") for part in values.split(","))
            yield from map(duration, parts)


# Others.


def _lsf(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    """Ask for `12 second(s)|0:47 L`: hours and minutes that are left until the run limit (L)."""
    place = env.get("LSB_JOBINDEX") or "0"
    words = ("bjobs", "-noheader", "-o", "run_time time_left delimiter='|'")
    answer = ask((*words, job if place == "0" else f"{job}[{place}]")) or ""
    passed, _, left = answer.strip().partition("|")
    used = _number(passed.partition(" ")[0])
    began = None if used is None else now - used
    if left.strip() == "-":
        return JobEnd(math.inf, "bjobs", began)
    found = re.match(r"(\d{1,7}):(\d{1,2}) *([LX])", left.strip(), re.ASCII)
    if found is None:  # E: an estimate, which ends nothing
        return None
    seconds = 0 if found[3] == "X" else int(found[1]) * 3600 + int(found[2]) * 60
    return JobEnd(now + seconds, "bjobs", began)


def _flux(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    text = (ask(("flux", "job", "timeleft")) or "").strip()
    left = math.inf if text in ("infinity", "inf") else _number(text)
    return None if left is None else JobEnd(now + left, "flux job timeleft")


def _cobalt(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    end = _number(env.get("COBALT_ENDTIME"))
    return JobEnd(end, "COBALT_ENDTIME", _number(env.get("COBALT_STARTTIME"))) if end else None


def _oar(job: str, env: Mapping[str, str], ask: Ask, now: float, made: Made) -> JobEnd | None:
    limit = _number(env.get("OAR_JOB_WALLTIME_SECONDS"))
    began = made(env.get("OAR_NODEFILE") or env.get("OAR_FILE_NODES", ""))
    return _counted(began, limit, "OAR_JOB_WALLTIME_SECONDS")


_System: TypeAlias = Callable[[str, Mapping[str, str], Ask, float, Made], JobEnd | None]
_SYSTEMS: tuple[tuple[str, tuple[str, ...], _System], ...] = (
    ("slurm", ("SLURM_JOB_ID", "SLURM_JOBID"), _slurm),
    ("pbs", ("PBS_JOBID",), _pbs),
    ("lsf", ("LSB_JOBID",), _lsf),
    ("flux", ("FLUX_JOB_ID", "FLUX_URI"), _flux),
    ("cobalt", ("COBALT_JOBID",), _cobalt),
    ("oar", ("OAR_JOB_ID", "OAR_JOBID"), _oar),
    ("sge", ("JOB_ID",), _grid_engine),
)
"""Each batch system, the variables that have the number of a job, and what reads the job's end."""
