"""From the words behind `sweep`, or the script of `--batch`, to a command; all is checked here."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence

from ..items.column_names import LINE
from .command import Command, CommandProblem
from .known_names import check
from .script import read
from .substituted import Substituted
from .words import Words

_NAMES_LINE = re.compile(rf"\$(?:{LINE}\b|\{{{LINE}\b)", re.ASCII)


def opened(
    words: Sequence[str], batch: str | None, substitute: bool,
    columns: Sequence[str], env: Mapping[str, str],
) -> Command:  # fmt: skip
    """Return the command that is asked for; CommandProblem says what is wrong with it.

    batch: the script's file. substitute: put values into its text. columns: of the items.
    env: the environment of this process.
    """
    if batch is None:
        return _words(words, columns, env)
    script = read(batch)
    missing = script.missing(env.get("PATH"))
    if missing is not None:
        raise CommandProblem(
            f"the first line of the script {batch} names {missing}, which is not there on this host"
        )
    return Substituted(script, columns) if substitute else script


def _words(words: Sequence[str], columns: Sequence[str], env: Mapping[str, str]) -> Words:
    if not words:
        raise CommandProblem("which command? ./simulate -t '$temperature', or --batch SCRIPT")
    _refuse_line(words[0], env)
    _refuse_braces(words, columns)
    command = Words(words, env)
    if LINE in columns and not _names_line(command):
        command = Words([*words, f"${LINE}"], env)
    check(command.patterns, columns, env)
    return command


def _refuse_line(word: str, env: Mapping[str, str]) -> None:
    """Raise CommandProblem where a whole line stands in quotes, in the place of a program."""
    program, *behind = word.split(None, 1)
    if not behind or os.path.exists(word):
        return
    if shutil.which(program, path=env.get("PATH")) is not None:
        raise CommandProblem(
            f"{word!r} is one word, and no program is called so: write it without the quotes "
            f"around, or sh -c {shlex.quote(word)} for a line that a shell reads"
        )


def _refuse_braces(words: Sequence[str], columns: Sequence[str]) -> None:
    """Raise CommandProblem where a word is a column as GNU parallel has it."""
    for name in columns:
        if f"{{{name}}}" in words:
            raise CommandProblem(f"{{{name}}} in the command: the column is '${name}' here")


def _names_line(command: Words) -> bool:
    return any(LINE in pattern.names for pattern in command.patterns) or any(
        _NAMES_LINE.search(text) for text in command.texts
    )
