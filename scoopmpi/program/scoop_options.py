"""The options of `python -m scoop` and `python -m scoopmpi`: words in, `Options` out. Pure.

SCOOP's own command line. Every rank may have to read it, so that a table is all it takes; what the
options do is for `launch.scoop_command` (before mpirun), and `setup` and `ranks` (in each rank).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

UNABLE, STOPPED = 2, 75
"""The exit statuses where nothing could be started, as click and argparse have it, and where tasks
are left for another run (EX_TEMPFAIL of sysexits.h). All others are the program's."""


class UsageError(Exception):
    """Says which of the words cannot be meant."""


class Options(NamedTuple):
    """Holds what was asked for.

    words: the program and its arguments.
    ignored: options that mean nothing on MPI, as they were written.
    """

    words: tuple[str, ...] = ()
    workers: int | None = None
    hosts: tuple[str, ...] = ()
    hostfile: str | None = None
    path: str | None = None
    interactive: bool = False
    nice: int | None = None
    verbose: bool = False
    quiet: bool = False
    debug: bool = False
    retries: int | None = None
    task_timeout: float | None = None
    seed: int | None = None
    checkpoint: str | None = None
    keep_failures: bool = False
    restarts: int | None = None
    no_finish: bool = False
    task_log: str | None = None
    task_output: str | None = None
    progress: bool | None = None
    status: str | None = None
    trace: str | None = None
    report: str | None = None
    stop_before: str | None = None
    walltime: float | None = None
    label: bool = False
    output: str | None = None
    debug_task: str | None = None
    profile: bool = False
    python: str | None = None
    pythonpath: str | None = None
    prolog: str | None = None
    rsh: bool = False
    ssh_executable: str | None = None
    help: bool = False
    version: bool = False
    ignored: tuple[str, ...] = ()


_FLAG, _TEXT, _WORKERS, _NICE, _HOSTS, _COUNT, _SECONDS, _SEED, _TASK, _MARGIN, _TIME = range(11)
_OPTIONS: dict[str, tuple[str, int]] = {
    "-n": ("workers", _WORKERS),
    "--host": ("hosts", _HOSTS),
    "--hosts": ("hosts", _HOSTS),
    "--hostfile": ("hostfile", _TEXT),
    "-p": ("path", _TEXT),
    "--path": ("path", _TEXT),
    "-i": ("interactive", _FLAG),
    "--interactive": ("interactive", _FLAG),
    "--nice": ("nice", _NICE),
    "-v": ("verbose", _FLAG),
    "--verbose": ("verbose", _FLAG),
    "-q": ("quiet", _FLAG),
    "--quiet": ("quiet", _FLAG),
    "--debug": ("debug", _FLAG),
    "--retries": ("retries", _COUNT),
    "--task-timeout": ("task_timeout", _SECONDS),
    "--seed": ("seed", _SEED),
    "--checkpoint": ("checkpoint", _TEXT),
    "--keep-failures": ("keep_failures", _FLAG),
    "--restarts": ("restarts", _COUNT),
    "--no-finish": ("no_finish", _FLAG),
    "--task-log": ("task_log", _TEXT),
    "--task-output": ("task_output", _TEXT),
    "--progress": ("progress", _FLAG),
    "--no-progress": ("no_progress", _FLAG),
    "--status": ("status", _TEXT),
    "--trace": ("trace", _TEXT),
    "--report": ("report", _TEXT),
    "--stop-before": ("stop_before", _MARGIN),
    "--walltime": ("walltime", _TIME),
    "--label": ("label", _FLAG),
    "--output": ("output", _TEXT),
    "--debug-task": ("debug_task", _TASK),
    "--profile": ("profile", _FLAG),
    "--python-interpreter": ("python", _TEXT),
    "--pythonpath": ("pythonpath", _TEXT),
    "--prolog": ("prolog", _TEXT),
    "--rsh": ("rsh", _FLAG),
    "--ssh-executable": ("ssh_executable", _TEXT),
    "-h": ("help", _FLAG),
    "--help": ("help", _FLAG),
    "--version": ("version", _FLAG),
    "-b": ("ignored", _TEXT),
    "--tunnel": ("ignored", _FLAG),
    "--external-hostname": ("ignored", _TEXT),
    "--backend": ("ignored", _TEXT),
}
NAMES = ("-n", *(name for name in _OPTIONS if name.startswith("--")))
"""Those that nobody takes for a program's own, but for their meaning there."""
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_SEED_DIGITS = re.compile(r"\d{1,1000}", re.ASCII)
_ONE_TASK = re.compile(r"(?:.+:)?\d{1,18}", re.ASCII | re.DOTALL)
_SECONDS_BEFORE = re.compile(r"\d{1,9}(\.\d*)?", re.ASCII)
_DURATION = re.compile(
    r"(?:(\d{1,5})-)?(?:(\d{1,6}):(?=\d+:))?(?:(\d{1,6}):)?(\d{1,9}(?:\.\d*)?)", re.ASCII
)
_CODE_OR_MODULE = ("-c", "-m")
"""In the place of a program, as under `python`; what they need may hang on them."""


def parse(words: list[str]) -> Options:
    """Read our options up to the program; raises UsageError for what is none."""
    found: dict[str, Any] = {}
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-":
        word = left.pop(0)
        if word == "--":
            break
        if word[:2] in _CODE_OR_MODULE:
            left[:0] = filter(None, (word[:2], word[2:]))
            break
        option, value = _split(word, left)
        name, kind = _OPTIONS[option]
        if name == "ignored":
            found["ignored"] = (*found.get("ignored", ()), option)
            _ = _value(option, value, left) if kind == _TEXT else _no_value(option, value)
        elif name == "no_progress":
            found["progress"] = not _no_value(option, value)
        elif kind == _FLAG:
            found[name] = _no_value(option, value)
        elif kind == _HOSTS:
            found[name] = (*found.get(name, ()), *_hosts(option, value, left))
        else:
            found[name] = _checked(option, kind, _value(option, value, left))
    if found.get("hosts") and "hostfile" in found:
        raise UsageError("--hosts and --hostfile are both given: which hosts?")
    if "keep_failures" in found and "checkpoint" not in found:
        raise UsageError("--keep-failures needs --checkpoint FILE: kept where?")
    if "restarts" in found and "checkpoint" not in found:
        raise UsageError("--restarts needs --checkpoint FILE: from what is it to start again?")
    return Options(words=tuple(left), **found)


def for_ranks(options: Options) -> tuple[str, ...]:
    """Return the options that each rank has to know, as words."""
    flags = (
        ("-v", options.verbose), ("-q", options.quiet), ("--debug", options.debug),
        ("--no-finish", options.no_finish), ("--profile", options.profile),
        ("--label", options.label), ("--keep-failures", options.keep_failures),
        ("-i", options.interactive), ("--progress", options.progress is True),
        ("--no-progress", options.progress is False),
    )  # fmt: skip
    words = [flag for flag, given in flags if given]
    numbers = (
        ("--nice", options.nice), ("--retries", options.retries), ("--seed", options.seed),
        ("--task-timeout", options.task_timeout), ("--walltime", options.walltime),
    )  # fmt: skip
    for name, number in numbers:
        digits = f"{number:.15g}" if isinstance(number, float) else str(number)
        words += [] if number is None else [name, digits]
    texts = (
        ("--checkpoint", options.checkpoint), ("--pythonpath", options.pythonpath),
        ("--task-log", options.task_log), ("--task-output", options.task_output),
        ("--status", options.status), ("--trace", options.trace), ("--report", options.report),
        ("--stop-before", options.stop_before), ("--output", options.output),
        ("--debug-task", options.debug_task),
    )  # fmt: skip
    for name, text in texts:
        words += [] if text is None else [name, text]
    return tuple(words)


def notes(options: Options, launched: bool) -> list[str]:
    """Return what to tell the user of options that do nothing.

    launched: True under a mpirun of the user's own.
    """
    found = []
    if options.ignored:
        names = ", ".join(dict.fromkeys(options.ignored))
        found.append(f"{names}: nothing to do, MPI has no broker")
    decided = {
        "-n": options.workers, "--hosts": options.hosts, "--hostfile": options.hostfile,
        "--restarts": options.restarts,
        "--rsh": options.rsh, "--ssh-executable": options.ssh_executable,
    }  # fmt: skip
    given = [name for name, value in decided.items() if value]
    if launched and given:
        found.append(f"{', '.join(given)}: nothing to do, mpirun has started the ranks already")
    return found


def _split(word: str, left: list[str]) -> tuple[str, str | None]:
    """Return an option's name, and the value that hangs on it; `-vq` leaves -q to come."""
    if not word.startswith("--"):
        option, rest = word[:2], word[2:]
        if option not in _OPTIONS:
            raise UsageError(f"unknown option {option}{_meant(option)}")
        if rest and _OPTIONS[option][1] == _FLAG:
            left.insert(0, f"-{rest}")
            rest = ""
        return option, rest.removeprefix("=") or None
    given, equals, text = word.partition("=")
    known = [name for name in _OPTIONS if name == given]
    known = known or [name for name in _OPTIONS if name.startswith(given)]
    if len({_OPTIONS[name] for name in known}) > 1:
        raise UsageError(f"{given} may be {' or '.join(known)}")
    if not known:
        raise UsageError(f"unknown option {given}{_meant(given)}")
    return known[-1], text if equals else None


def _meant(option: str) -> str:
    """Return what to add to an unknown option: which one may be meant."""
    import difflib  # late: each rank may come by here

    from .option_names import MYSCOOPS

    if option in MYSCOOPS:
        return ", which is one of myscoop"
    close = difflib.get_close_matches(option, NAMES, n=1)
    return f". Did you mean {close[0]}?" if close else ""


def _no_value(option: str, value: str | None) -> bool:
    if value is not None:
        raise UsageError(f"{option} takes no value, not {value!r}")
    return True


def _value(option: str, value: str | None, left: list[str]) -> str:
    if value is None:
        if not left:
            raise UsageError(f"{option} needs a value")
        value = left.pop(0)
    return value


def _hosts(option: str, value: str | None, left: list[str]) -> list[str]:
    """Take all words up to the next option, `--`, or what can only be the program."""
    if value is not None:
        return [value]
    hosts = []
    while left and not left[0].startswith("-") and not left[0].endswith((".py", ".pyc", ".pyz")):
        hosts.append(left.pop(0))
    if not hosts:
        raise UsageError(f"{option} needs the name of a host")
    return hosts


def _checked(option: str, kind: int, value: str) -> str | int | float:
    if kind == _TEXT:
        return value
    if kind == _SECONDS:
        return _seconds(option, value)
    if option == "-n" and value == "p":
        raise UsageError("-np is -n here, as in: -n 4")
    if kind == _SEED:
        if not _SEED_DIGITS.fullmatch(value):
            raise UsageError(f"{option} needs an integer from 0 on, not {value!r}")
        return int(value)
    if kind == _TASK:
        return task(value)
    if kind == _MARGIN:
        return margin(value)
    if kind == _TIME:
        return duration(value)
    if not _WHOLE.fullmatch(value):
        raise UsageError(f"{option} needs a number, not {value!r}")
    number = int(value)
    if kind == _WORKERS and number < 1:
        raise UsageError(f"{option} {value}: at least one worker is needed")
    if kind == _COUNT and number < 0:
        raise UsageError(f"{option} {value}: it is how often, from 0 on")
    if kind == _NICE and not -20 <= number <= 19:
        raise UsageError(f"{option} {value}: niceness is from -20 to 19")
    return number


def task(value: str) -> str:
    """Return which task of a program is meant, as it was written; raises UsageError for none."""
    if not _ONE_TASK.fullmatch(value):
        raise UsageError(
            f"{value!r} is no task: it may be an index (17), behind the name of a map's function "
            "or the map's number from 1 on (fit:17, 2:17), or calls:3 for the submitted calls"
        )
    return value


def margin(value: str) -> str:
    """Return the seconds before the end of the job, as they were written, or "auto".

    Raises UsageError for anything else.
    """
    if value != "auto" and not _SECONDS_BEFORE.fullmatch(value):
        raise UsageError(f"{value!r}: it is how many seconds are to be left of the job, or auto")
    return value


def duration(value: str) -> float:
    """Return a time as batch systems write it, in seconds: 90, 45:00, 12:30:00, 1-12:00:00.

    Raises UsageError for anything else.
    """
    if not (found := _DURATION.fullmatch(value)):
        raise UsageError(f"{value!r}: a time is 90 (seconds), 45:00, 12:30:00 or 1-12:00:00")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not total > 0:
        raise UsageError(f"{value!r}: a time must be above 0")
    return total


def _seconds(option: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise UsageError(f"{option} needs a number of seconds, not {value!r}") from None
    if not seconds > 0:
        raise UsageError(f"{option} {value}: the time of a task must be above 0")
    return seconds
