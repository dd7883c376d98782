"""`myscoop status FILE`: the file that `--status FILE` keeps, for a person on any host; by click.

What the file says and how it reads is in `watching.status`; here are the words, the terminal, and
the look whether rank 0 is still there.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..program.scoop_options import UNABLE
from ..watching.status import replaced_file, shown
from ..watching.status.replaced_file import Unreadable
from .coloured_lines import coloured

WELL, FAILED, STALE = 0, 1, 3
"""Exit statuses: it runs or has ended well; it has failed, or was
stopped before the end of its job; nobody writes the file any more."""
_HELP = ("--help", "-h")
_PAUSE = 2.0
"""Seconds between two looks of --watch."""
_GIVEN_UP = 260.0
"""Seconds for which --watch goes on with a file that nobody writes: five minutes in all. A job that
is suspended may go on, one that was killed on another host does not."""
_HOME, _TO_ITS_END, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
"""What clears a terminal without a flicker: each line to its end, and then all that is below."""


def takes(words: Sequence[str]) -> bool:
    """True where one of the words is a status file."""
    return any(map(_is_ours, words))


def _is_ours(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        replaced_file.read(path)
    except Unreadable:
        return False
    return True


@click.command(context_settings={"help_option_names": list(_HELP)})
@click.argument("file", metavar="FILE")
@click.option("--watch", is_flag=True, help="Go on until the run has ended.")
@click.option("--json", "as_json", is_flag=True, help="What the file says, for programs.")
def command(file: str, watch: bool, as_json: bool) -> int:
    """Show how a run goes that was started with --status FILE, from any host that sees FILE.

    \b
    What runs, is done and left; when it ends, beside the end of the batch job;
    the tasks that run longest, hosts, memory, failures, lost workers.

    \b
    The exit status is 0 where the run goes on or has ended well, 1 where it has
    failed or was stopped before the end of its job, 3 where it has died without
    a word, 2 where FILE cannot be shown.
    """
    try:
        return _watched(file, as_json) if watch else _shown(file, as_json)
    except Unreadable as problem:
        click.echo(f"Error: {problem}", err=True)
        return UNABLE


def _shown(file: str, as_json: bool) -> int:
    said, gone = _look(file)
    click.echo("\n".join(_lines(said, gone, as_json)))
    return _status(said, gone)


def _watched(file: str, as_json: bool) -> int:
    """Show the file again and again, until the run has ended or died."""
    show = _redraw if not as_json and _on_terminal() else _Blocks(apart=not as_json).show
    try:
        if not os.path.lexists(file):
            click.echo(f"{file} is not there yet: waiting for the run to begin", err=True)
        while not os.path.lexists(file):
            time.sleep(_PAUSE)
        while True:
            said, gone = _look(file)
            late = shown.stale(said, time.time(), gone)
            show((said.get("written"), late), _lines(said, gone, as_json))
            over = gone or said.get("state") != "running"
            if over or shown.stale(said, time.time() - _GIVEN_UP):
                return _status(said, gone)
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        return WELL


def _look(file: str) -> tuple[Mapping[str, Any], bool]:
    """Return what the file says, and whether rank 0 is known to be gone."""
    said = replaced_file.read(file)
    if not _gone(said):
        return said, False
    said = replaced_file.read(file)  # it may have ended just now
    return said, _gone(said)


def _lines(said: Mapping[str, Any], gone: bool, as_json: bool) -> list[str]:
    if as_json:
        import json

        return [json.dumps(said)]
    return coloured(shown.lines(said, time.time(), gone))


def _on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _redraw(which: object, lines: list[str]) -> None:
    """Show lines in the place of those before, as many as the terminal has."""
    rows = os.get_terminal_size(sys.stdout.fileno()).lines  # no variable: it may be another now
    room = max(rows - 1, 1) if rows else len(lines)
    text = "".join(f"{line}{_TO_ITS_END}\n" for line in lines[:room])
    click.echo(f"{_HOME}{text}{_BELOW}", nl=False)


class _Blocks:
    """Shows lines below those before, where the file is another one. apart: with an empty line."""

    def __init__(self, apart: bool) -> None:
        self._apart = apart
        self._before: object = None

    def show(self, which: object, lines: list[str]) -> None:
        """Show lines, unless they were shown; which: differs from one file to the next."""
        if self._before == which:
            return
        if self._apart and self._before is not None:
            click.echo()
        self._before = which
        click.echo("\n".join(lines))


def _status(said: Mapping[str, Any], gone: bool) -> int:
    if shown.stale(said, time.time(), gone):
        return STALE
    return FAILED if said.get("state") in ("failed", "stopped") else WELL


def _gone(said: Mapping[str, Any]) -> bool:
    """True where rank 0 has run on this host, and its process is not there any more."""
    pid = said.get("pid")
    if said.get("state") != "running" or said.get("host") != socket.gethostname():
        return False
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is another user's
    return False
