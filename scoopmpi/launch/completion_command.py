"""`myscoop completion SHELL`: what makes a shell complete all our commands, by click.

The texts are made in `cli.completion`; here is which command gets which, and the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from .cli import completion

if TYPE_CHECKING:
    from .worker_framework.command_line import CommandLine

ASKED = ("myscoop", "mympirun")
LISTED = ("wsub", "wresume", "wsummarize", "wload", "wcat", "wreduce")
"""The commands that are asked at each TAB, and those whose options stand in the text."""
_HELP = ("--help", "-h")


def takes(words: Sequence[str]) -> bool:
    """True where the words are shells and commands of ours."""
    known = {*completion.SHELLS, *ASKED, *LISTED}
    return bool(words) and words[0] in completion.SHELLS and known.issuperset(words)


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(completion.SHELLS))
@click.argument("names", metavar="[COMMAND]...", nargs=-1, type=click.Choice((*ASKED, *LISTED)))
def command(shell: str, names: tuple[str, ...]) -> None:
    """Print what makes a shell complete our commands: options, their values, programs, files.

    Of all of them, or of each COMMAND. A line of the shell's own file reads it, for all sessions:

    \b
    ~/.bashrc                    eval "$(myscoop completion bash)"
    ~/.zshrc, behind compinit    eval "$(myscoop completion zsh)"
    ~/.config/fish/config.fish   myscoop completion fish | source

    Where it is installed together with the commands, in share below their prefix, bash and fish
    find it by themselves.
    """
    click.echo("\n".join(text_for(name, shell) for name in names or (*ASKED, *LISTED)), nl=False)


def text_for(name: str, shell: str) -> str:
    """Return what a shell reads to complete the words of one command."""
    if name in ASKED:
        return completion.asking(name, shell)
    line = framework_command(name)
    options = [
        completion.Listed(f"{option.dash}{option.name}", option.metavar, option.help)
        for option in line.options if option.help
    ]  # fmt: skip
    return completion.listed(name, shell, options)


def framework_command(name: str) -> CommandLine:
    """Return what the command line of one of the worker framework's commands has."""
    found: CommandLine = import_module(f"{__package__}.worker_framework.{name}").COMMAND
    return found
