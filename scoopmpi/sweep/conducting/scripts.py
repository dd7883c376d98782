"""The prolog and the epilog of a sweep: scripts that run once, on the host of rank 0.

As the script of --batch runs: by the interpreter that its first line names, in the directory and
with the variables of the job. What they print goes to the user as it comes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

from ..asked import SweepOptions
from ..command.command import Call
from ..command.script import read
from ..running.group import Group
from ..running.not_started import NotStarted
from ..running.script_file import ScriptFile
from ..running.warden import warden


class Scripts(NamedTuple):
    """The scripts of a sweep, each as it was before anything has begun."""

    prolog: Call | None = None
    epilog: Call | None = None

    @classmethod
    def of(cls, options: SweepOptions) -> Scripts:
        """Return the scripts that are asked for; CommandProblem says why one cannot be run."""
        return cls(_call(options.prolog), _call(options.epilog))


def _call(path: str | None) -> Call | None:
    return None if path is None else read(path).call({})


def run(call: Call, env: Mapping[str, str]) -> str | None:
    """Run a script; return how it has failed, None where it has not.

    env: all its variables.
    """
    file = ScriptFile()  # it is there until this function returns
    words = call.words if call.script is None else [*call.words, file.named(call.script)]
    sys.stdout.flush()
    sys.stderr.flush()
    with ExitStack() as opened:
        try:
            group = Group(words, env, None, _descriptor(1, opened), _descriptor(2, opened))
        except NotStarted as problem:
            return str(problem)
    warden().waited(group, None)
    if group.status < 0:
        return f"it was ended by signal {-group.status}"
    return f"its exit status is {group.status}" if group.status else None


def _descriptor(number: int, opened: ExitStack) -> int:
    """Return a stream of this process; where that is closed one to nowhere, for as long."""
    try:
        os.fstat(number)
    except OSError:
        return opened.enter_context(open(os.devnull, "wb")).fileno()
    return number
