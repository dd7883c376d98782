"""What `myscoop` does beside running a program: its own commands, as checkpoint and status.

The name of a command may be that of a program as well: which is meant is decided here, for all of
them. What each does is in its own module.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, ShellComplete

_HELP = ("--help", "-h")


_MODULES: Mapping[str, str] = {
    "checkpoint": ".checkpoint_command",
    "status": ".status_command",
    "summarize": ".summarize_command",
    "trace": ".trace_command",
    "report": ".report_command",
    "results": ".results_command",
    "kernel": ".kernel.command",
    "completion": ".completion_command",
}
"""Where each is, loaded where it is meant: together they take as long as half of the start."""
NAMES = tuple(_MODULES)


class _Own(NamedTuple):
    """One command. takes: whether words are such as only it can be given."""

    command: click.Command
    takes: Callable[[Sequence[str]], bool]


def _own(name: str) -> _Own:
    module = importlib.import_module(_MODULES[name], __package__)
    return _Own(getattr(module, "commands", None) or module.command, module.takes)


def meant(words: Sequence[str]) -> bool:
    """True where words are not a program and its arguments, but one of these commands.

    Where a program of that name lies here the word is the program's, unless what follows is --help,
    or what only the command can be given: a file of its kind.
    """
    if not words or words[0] not in _MODULES:
        return False
    if words[1:2] and words[1] in _HELP:
        return True
    if words[0] == "kernel" and words[1:] and words[1].startswith("-"):
        return False  # a front end's start of one, whose program has that name too
    program = any(map(os.path.exists, (words[0], f"{words[0]}.py")))
    return not program or _own(words[0]).takes(words[1:])


def run(words: Sequence[str]) -> None:
    """Run the command that is meant, and exit as it says; without words for it show its help."""
    name, *given = words
    own, ours = _own(name).command, click.get_current_context(silent=True)
    said = own.main(given or ["--help"], f"myscoop {name}", standalone_mode=False, obj=ours)
    sys.exit(said or 0)


def command(name: str) -> click.Command:
    """Return the command of this name."""
    return _own(name).command


def completed(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Return what may stand behind the words of such a command and begins so, for a shell."""
    name, *given = words
    asked = ShellComplete(_own(name).command, {}, f"myscoop {name}", "")
    return asked.get_completions(given, incomplete)
