"""The batch file as qsub and sbatch read it: its first line, the directives in front of its body.

Directives end at the first line that is neither empty nor a comment. Pure but for the reading.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from ...sweep.command.command import CommandProblem
from ...sweep.command.script import Script
from .words import Refused

PBS, SLURM = "PBS", "Slurm"
"""Whose directives there are: #PBS, #SBATCH."""
PREFIX = "#PBS"
SHELL = b"#!/bin/bash\n"
"""Stands in front of a batch file that names no interpreter: the framework's items run in bash."""
_BOM = b"\xef\xbb\xbf"
_SLURMS = re.compile(r"#SBATCH\s+(\S.*)")
_NAMES = {PBS: ("-N",), SLURM: ("-J", "--job-name")}
_ARRAYS = {PBS: ("-t", "-J"), SLURM: ("-a", "--array")}
_SHELL_OF_JOB = "-S"
"""Of PBS: which shell runs the job script, not the items, and the one that wsub writes is sh's."""


class Directive(NamedTuple):
    """A line of the batch file to the batch system, with the usual prefix.

    whose: PBS or SLURM. words: what it asks.
    """

    whose: str
    line: str
    words: tuple[str, ...]

    def value(self, names: tuple[str, ...]) -> str | None:
        """Return the value of the option in it, if that is one of these names."""
        for place, word in enumerate(self.words):
            name, equals, text = word.partition("=")
            if name in names:
                behind = self.words[place + 1 : place + 2]
                return text if equals else "".join(behind)
            if word[:2] in names and not word.startswith("--"):
                return word[2:]
        return None


class BatchFile(NamedTuple):
    """What was read. text: with unix line ends, and a first line that names its interpreter.

    changed: what of it is not as in the file, a remark each.
    """

    path: str
    text: bytes
    directives: tuple[Directive, ...]
    changed: tuple[str, ...] = ()

    @property
    def job_name(self) -> str | None:
        """Return the name that a directive gives to the job."""
        names = [each.value(_NAMES[each.whose]) for each in self.directives]
        return next((name for name in reversed(names) if name), None)

    @property
    def variables(self) -> list[str]:
        """Return the lists of variables that directives of PBS give to the job."""
        found = [each.value(("-v",)) for each in self.directives if each.whose == PBS]
        return [text for text in found if text]

    @property
    def for_job(self) -> tuple[str, ...]:
        """Return the directives of the job: all but the shell of PBS, as the script is sh's."""
        return tuple(
            each.line for each in self.directives
            if each.whose != PBS or each.value((_SHELL_OF_JOB,)) is None
        )  # fmt: skip


def read(path: str, prefix: str = PREFIX) -> BatchFile:
    """Return a batch file; prefix: what directives of PBS begin with (-C).

    Raises Refused where it is no script, or asks for an array of jobs.
    """
    with open(path, "rb") as file:
        text = file.read()
    if b"\0" in text:
        raise Refused(f"-batch {path}: that is no script, there are zero bytes in it")
    text, changed = _repaired(text)
    found = BatchFile(path, text, tuple(_directives(text, prefix)), tuple(changed))
    for each in found.directives:
        array = each.value(_ARRAYS[each.whose])
        if array is not None:
            raise Refused(
                f"{path}: {each.line.strip()} makes a job of each number. Take the line away: "
                f"wsub -t {array} makes an item of each, in one job"
            )
    return found


def text_of(path: str) -> bytes:
    """Return the text of a prolog or an epilog, put right as that of a batch file is.

    Raises Refused where it is no script.
    """
    with open(path, "rb") as file:
        text, _ = _repaired(file.read())
    try:
        return Script(text, path).text
    except CommandProblem as problem:
        raise Refused(str(problem)) from None


def _repaired(text: bytes) -> tuple[bytes, list[str]]:
    changed = []
    if text.startswith(_BOM):
        text = text.removeprefix(_BOM)
        changed.append("it begins with a byte order mark; the job has it without")
    if b"\r\n" in text:
        text = text.replace(b"\r\n", b"\n")
        changed.append("lines end as on Windows; the job has them with unix ends")
    if not text.startswith(b"#!"):
        text = SHELL + text
        changed.append("the first line names no interpreter (#!/bin/bash -l): bash is taken")
    return text, changed


def _directives(text: bytes, prefix: str) -> Iterator[Directive]:
    ours = re.compile(rf"\s*{re.escape(prefix)}\s+(\S.*)")
    for line in text.decode(errors="surrogateescape").split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            return
        for whose, form in ((PBS, ours), (SLURM, _SLURMS)):
            if found := form.match(line):
                line = line if whose == SLURM else f"{PREFIX} {found[1]}"
                yield Directive(whose, line, _split(found[1]))


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text, comments=True))
    except ValueError:
        return tuple(text.split())  # the batch system says what is wrong with it
