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

WELL, FAILED, STALE = 0, 1, 3
"""Exit statuses: it runs or has ended well; it has failed, or was
stopped before the end of its job; nobody writes the file any more."""
_HELP = ("--help", "-h")
_PAUSE = 2.0
"""Seconds between two looks of --watch."""
_CLEARED = "\x1b[H\x1b[2J"
_COLOURS: Mapping[str, Mapping[str, Any]] = {
    shown.GOOD: {"fg": "green"}, shown.BAD: {"fg": "red"}, shown.STRONG: {"bold": True},
    shown.PLAIN: {},
}  # fmt: skip


def meant(words: Sequence[str]) -> bool:
    """True where words are not a program and its arguments, but this command.

    A program may be called `status` as well: where one lies here, the word is the program's, unless
    it is followed by a status file.
    """
    if not words or words[0] != "status":
        return False
    if any(word in _HELP or _is_ours(word) for word in words[1:]):
        return True
    return not any(map(os.path.exists, ("status", "status.py")))


def _is_ours(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        replaced_file.read(path)
    except Unreadable:
        return False
    return True


def main(words: list[str], name: str) -> None:
    """Run the command with its words. name: how the user calls it."""
    sys.exit(command.main(words or ["--help"], prog_name=name, standalone_mode=False) or WELL)


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
    said = replaced_file.read(file)
    gone = _gone(said)
    if gone:  # it may have ended just now
        said = replaced_file.read(file)
    _tell(said, gone, as_json)
    return _status(said, gone)


def _watched(file: str, as_json: bool) -> int:
    """Show the file again and again, until the run has ended or is known to be gone."""
    on_terminal = not as_json and sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"
    written, told_of_none, marked = None, False, False
    try:
        while True:
            said = _read(file)
            if said is None and not told_of_none:
                told_of_none = True
                click.echo(f"{file} is not there yet: waiting for the run to begin", err=True)
            if said is not None:
                gone = _gone(said)
                over = gone or said.get("state") != "running"
                late = shown.stale(said, time.time(), gone)
                if on_terminal:
                    click.echo(_CLEARED, nl=False)
                    _tell(said, gone, as_json)
                elif said.get("written") != written or late != marked or gone:
                    if written is not None and not as_json:
                        click.echo()
                    _tell(said, gone, as_json)
                    written, marked = said.get("written"), late
                if over:
                    return _status(said, gone)
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        return WELL


def _read(file: str) -> Mapping[str, Any] | None:
    """Return what the file says; None where it is not there yet."""
    if not os.path.lexists(file):
        return None
    return replaced_file.read(file)


def _tell(said: Mapping[str, Any], gone: bool, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(said))
        return
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    for line in shown.lines(said, time.time(), gone):
        click.secho(line.text, color=False if plain else None, **_COLOURS[line.mark])


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
