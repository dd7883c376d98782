"""What `myscoop` does beside running a program: its own commands, as checkpoint and status.

The name of a command may be that of a program as well: which is meant is decided here, for all of
them. What each does is in its own module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, ShellComplete

from . import (
    checkpoint_command,
    completion_command,
    report_command,
    results_command,
    status_command,
    summarize_command,
    trace_command,
)
from .kernel import command as kernel_command

_HELP = ("--help", "-h")


class _Own(NamedTuple):
    """One command. takes: whether words are such as only it can be given."""

    command: click.Command
    takes: Callable[[Sequence[str]], bool]


_COMMANDS: Mapping[str, _Own] = {
    "checkpoint": _Own(checkpoint_command.commands, checkpoint_command.takes),
    "status": _Own(status_command.command, status_command.takes),
    "summarize": _Own(summarize_command.command, summarize_command.takes),
    "trace": _Own(trace_command.command, trace_command.takes),
    "report": _Own(report_command.command, report_command.takes),
    "results": _Own(results_command.command, results_command.takes),
    "kernel": _Own(kernel_command.commands, kernel_command.takes),
    "completion": _Own(completion_command.command, completion_command.takes),
}
NAMES = tuple(_COMMANDS)


def meant(words: Sequence[str]) -> bool:
    """True where words are not a program and its arguments, but one of these commands.

    Where a program of that name lies here the word is the program's, unless what follows is --help,
    or what only the command can be given: a file of its kind.
    """
    own = _COMMANDS.get(words[0]) if words else None
    if own is None:
        return False
    if words[1:2] and words[1] in _HELP:
        return True
    if words[0] == "kernel" and words[1:]:  # behind it a front end names its connection file
        return own.takes(words[1:])
    program = any(map(os.path.exists, (words[0], f"{words[0]}.py")))
    return not program or own.takes(words[1:])


def run(words: Sequence[str]) -> None:
    """Run the command that is meant, and exit as it says; without words for it show its help."""
    name, *given = words
    command, ours = _COMMANDS[name].command, click.get_current_context(silent=True)
    said = command.main(given or ["--help"], f"myscoop {name}", standalone_mode=False, obj=ours)
    sys.exit(said or 0)


def command(name: str) -> click.Command:
    """Return the command of this name."""
    return _COMMANDS[name].command


def completed(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Return what may stand behind the words of such a command and begins so, for a shell."""
    name, *given = words
    asked = ShellComplete(_COMMANDS[name].command, {}, f"myscoop {name}", "")
    return asked.get_completions(given, incomplete)
