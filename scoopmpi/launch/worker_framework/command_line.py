"""What the framework's commands have in common: help, errors in a line, exit statuses. By click."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import click

from ...program.scoop_options import UNABLE
from .words import Given, Option, Refused, read

_WIDTH = 100
_OF_SIGNALS = 128
"""What shells add to a signal's number, for an exit status."""
_HELP = Option("help", "Show this and exit.")
_SHORT = Option("help", "Show this and exit.", also=("h",))


class CommandLine(NamedTuple):
    """One of the commands.

    usage: its words, behind its name. about: what it does. examples: lines below the options.
    others: where words go that are not its own; empty where there are none.
    """

    name: str
    usage: str
    about: str
    options: tuple[Option, ...]
    examples: tuple[str, ...] = ()
    others: str = ""

    def main(self, run: Callable[[Given], int]) -> None:
        """Run the command with the words of this process, and exit as it says."""
        sys.exit(self.status(sys.argv[1:], run))

    def status(self, words: Sequence[str], run: Callable[[Given], int]) -> int:
        """Return the exit status of the command with these words; what is wrong is on stderr."""
        try:
            given = read(
                words, (*self.options, _HELP if self.others else _SHORT), bool(self.others)
            )
            if given.has("help"):
                click.echo(self.help(), nl=False)
                return 0
            return run(given)
        except Refused as problem:
            self.say(str(problem))
        except KeyboardInterrupt:
            return _OF_SIGNALS + signal.SIGINT
        except BrokenPipeError:  # whoever reads has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _OF_SIGNALS + signal.SIGPIPE
        except OSError as problem:
            name = "stdout" if problem.filename is None else os.fsdecode(problem.filename)
            self.say(f"{name}: {problem.strerror}")
        return UNABLE

    def say(self, text: str) -> None:
        """Tell the user something beside the command's answer, which is on stdout."""
        click.echo(f"{self.name}: {text}", err=True)

    def show(self, lines: Iterable[str]) -> None:
        """Print the command's answer, in whatever encoding files and words have."""
        stdout = sys.stdout.buffer
        for line in lines:
            stdout.write(os.fsencode(line) + b"\n")
        stdout.flush()

    def help(self) -> str:
        """Return what -help shows."""
        formatter = click.HelpFormatter(width=_WIDTH)
        formatter.write_usage(self.name, self.usage)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.about)
        with formatter.section("Options"):
            formatter.write_dl([_shown(option) for option in (*self.options, _HELP) if option.help])
            if self.others:
                formatter.write_paragraph()
                formatter.write_text(self.others)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples))
        return formatter.getvalue()


def _shown(option: Option) -> tuple[str, str]:
    return f"{option.dash}{option.name} {option.metavar}".rstrip(), option.help
