"""The words behind a ready program (`myscoop sanity 40`): its help, and what is wrong with them.

Apart from the programs themselves, as the launcher answers before any rank is there; so nothing
here knows of the farm. What the words do is in `programs`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .finding import READY_PROGRAMS, ProgramNotFound, find
from .scoop_options import UNABLE

HELP = ("--help", "-h")
COUNTERS = range(10)
"""Of `simple_shell` without a range in front of the command, as it always was."""
_RANGE = "[[START:]STOP[:STEP]]"
_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_LONGEST = 86400.0
"""Seconds of a task of `sanity`."""

_SIMPLE_SHELL = """Usage: myscoop simple_shell [[START:]STOP[:STEP]] COMMAND...

Runs COMMAND once for each counter: from START (0) up to STOP, which is not among them, in steps of
STEP (1). Without a range: for 0 to 9. `myscoop 100:200 COMMAND` means the same.

COMMAND is a line for /bin/sh, its words joined by blanks, as with ssh: quote what your own shell
shall not touch. For bash, let it be a script that begins with #!/bin/bash, or bash -c in quotes.

  $SCOOP_COUNTER       the counter
  $SCOOP_WORKER_NAME   the host and the rank that run it

What the commands print comes in the order of the counters. Their stdin is empty. The exit status
is 1 where one has failed; the others go on.

  myscoop simple_shell 100:200 ./weather -t '$SCOOP_COUNTER'
  myscoop 0:50 './model $SCOOP_COUNTER > out.$SCOOP_COUNTER'
  myscoop 0:50 'bash -c "set -o pipefail; ./model $SCOOP_COUNTER | sort"'
"""
_SANITY = """Usage: myscoop sanity [TASKS [SECONDS]]

Shows which worker runs where: for each its host, process, CPUs, threads, GPUs, tasks, and its share
of a CPU; below, what looks wrong. Each of TASKS tasks (20 for each worker) computes for SECONDS
(0.05).

  myscoop sanity
  myscoop sanity 1000 0.5
"""
_PICALC = """Usage: myscoop picalc [BATCHES [TRIES]]

Prints pi by the Monte-Carlo method: BATCHES tasks (3000), each with TRIES random points (5000).

  myscoop picalc 10000 5000
"""


class Answer(NamedTuple):
    """What to print instead of running a ready program: for status 0 on stdout, else on stderr."""

    status: int
    text: str


# What the words mean. Each raises ValueError, whose text is for the user.


def counters(words: Sequence[str]) -> tuple[range, str]:
    """Return the counters and the command in the words of `simple_shell`.

    Raises ValueError for a range that cannot be meant, and where there is no command.
    """
    if words and meant_as_range(words[0]):
        found, words = counter_range(words[0]), words[1:]
    else:
        found = COUNTERS
    command = " ".join(words)
    if not command.strip():
        raise ValueError("which command? For example: 100:200 echo '$SCOOP_COUNTER'")
    if command.startswith("-"):
        raise ValueError(f"{words[0]} is no command; options stand before the program")
    return found, command


def meant_as_range(word: str) -> bool:
    """True for a first word that is no command.

    It is a number, or words and colons with a digit among them.
    """
    letters = word.replace(":", "").translate(str.maketrans("", "", "+-._"))
    if not any(map(str.isdigit, letters)):
        return False
    return letters.isdigit() or (":" in word and letters.isalnum())


def counter_range(text: str) -> range:
    """Return the counters that `[START:]STOP[:STEP]` stands for; ValueError says what is wrong."""
    parts = text.split(":")
    if len(parts) > 3 or not all(map(_WHOLE.fullmatch, parts)):
        raise ValueError(f"{text!r} is not a range: simple_shell {_RANGE} COMMAND, whole numbers")
    numbers = [int(part) for part in parts]
    if len(numbers) == 3 and numbers[2] == 0:
        raise ValueError(f"the step of {text!r} is 0")
    found = range(*numbers)
    if not found and found.start != found.stop:
        turned = f"{found.start}:{found.stop}:{-found.step}"
        raise ValueError(f"the range {text!r} never reaches its end. Is {turned} meant?")
    return found


def tasks_and_seconds(words: Sequence[str]) -> tuple[int | None, float | None]:
    """Return how many tasks, of how many seconds, the words of `sanity` ask for."""
    if len(words) > 2:
        raise ValueError(f"{len(words)} words instead of TASKS and SECONDS")
    tasks = _whole(words[0]) if words else None
    seconds = _seconds(words[1]) if len(words) > 1 else None
    if (tasks is not None and tasks < 1) or (seconds is not None and not 0 < seconds < _LONGEST):
        raise ValueError(f"{' '.join(words)}: TASKS and SECONDS must be above 0")
    return tasks, seconds


def batches_and_tries(words: Sequence[str]) -> tuple[int, int]:
    """Return how many tasks, of how many random points, the words of `picalc` ask for."""
    if len(words) > 2:
        raise ValueError(f"{len(words)} words instead of BATCHES and TRIES")
    batches, tries = [*map(_whole, words), *(3000, 5000)[len(words) :]]
    if batches < 1 or tries < 1:
        raise ValueError(f"{' '.join(words)}: BATCHES and TRIES must be above 0")
    return batches, tries


def _whole(word: str) -> int:
    if not _WHOLE.fullmatch(word):
        raise ValueError(f"{word!r} is no whole number")
    return int(word)


def _seconds(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{word!r} is no number of seconds") from None


class _Ready(NamedTuple):
    usage: str
    meant: Callable[[Sequence[str]], object]


_PROGRAMS: Mapping[str, _Ready] = {
    "simple_shell": _Ready(_SIMPLE_SHELL, counters),
    "sanity": _Ready(_SANITY, tasks_and_seconds),
    "picalc": _Ready(_PICALC, batches_and_tries),
}
NAMES = tuple(_PROGRAMS)


# What is answered.


def answer(name: str, words: Sequence[str]) -> Answer | None:
    """Return what to print instead of running a ready program; None where its words are right."""
    program = _PROGRAMS[name]
    behind = words[1:] if name == "simple_shell" and words and meant_as_range(words[0]) else words
    if behind and behind[0] in HELP:
        return Answer(0, program.usage)
    try:
        program.meant(words)
    except ValueError as problem:
        usage = program.usage.partition("\n")[0]
        return Answer(UNABLE, f"{name}: {problem}\n{usage} (--help tells more)\n")
    return None


def answer_to(words: Sequence[str]) -> Answer | None:
    """Return what to print instead of starting ranks for a command line; mostly None.

    words: the program and its arguments; a program of the user's own that has the name of a ready
    one is not ours to judge.
    """
    if not words or words[0] not in _PROGRAMS:
        return None
    try:
        found = find(words[0])
    except ProgramNotFound:
        return None
    ours = found.module == f"{READY_PROGRAMS}.{words[0]}"
    return answer(words[0], words[1:]) if ours else None


def checked(name: str) -> list[str]:
    """Return the words behind this ready program; ends it where they ask for help, or are wrong."""
    words = sys.argv[1:]
    said = answer(name, words)
    if said is None:
        return words
    print(said.text, end="", file=sys.stderr if said.status else sys.stdout)
    sys.exit(said.status)
