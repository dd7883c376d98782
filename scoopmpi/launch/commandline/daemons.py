"""Decide what a launcher's daemons on other hosts do for a farm: how long they wait, and hear.

Open MPI's alone can be told. What a site or a user has set for it in files counts: a word of a
command line would stand above that.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..flavours.ranks import Daemons

_VARIABLE = "SCOOPMPI_HOST_SECONDS"
_USUAL = 60.0
"""As `host_watch.USUAL`: launcher and farm share no import."""
_DEAF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deaf.py")
_NAMES = ("openmpi-mca-params.conf", "prte-mca-params.conf")
_OWN = (".openmpi/mca-params.conf", ".prte/mca-params.conf", ".pmix/mca-params.conf")
_SHELL = re.compile(r"^\s*\w*[rs]sh_agent\s*=", re.MULTILINE)


def of_a_farm(python: str, mpirun: str, env: Mapping[str, str]) -> Daemons:
    """Return what the daemons of a farm shall do.

    python: the path of the ranks' interpreter. mpirun: that of the launcher. env: the environment
    of the caller.
    """
    return Daemons(_patience(env), _deaf(python), _shell_is_ours(mpirun, env))


def _shell_is_ours(mpirun: str, env: Mapping[str, str]) -> bool:
    """True where no file names the remote shell."""
    return not any(_SHELL.search(_text(path)) for path in _files(mpirun, env))


def _patience(env: Mapping[str, str]) -> float | None:
    """Return it as rank 0 reads it, which says what cannot be meant (`host_watch.limit`)."""
    try:
        seconds = float(env.get(_VARIABLE) or _USUAL)
    except ValueError:
        seconds = _USUAL
    return None if seconds in (0, math.inf) else seconds if seconds > 0 else _USUAL


def _deaf(python: str) -> str:
    """Return words in front of a program; "" where they cannot be said.

    Launchers split them at blanks and colons, and a shell of the other host reads them once more.
    """
    plain = all(each.isalnum() or each in "/._-+" for each in python + _DEAF)
    return f"{python} -I -S {_DEAF}" if plain and os.path.isfile(_DEAF) else ""


def _files(mpirun: str, env: Mapping[str, str]) -> Iterator[str]:
    above = {os.path.dirname(os.path.dirname(path)) for path in (mpirun, os.path.realpath(mpirun))}
    for directory in (*(os.path.join(each, "etc") for each in above), "/etc"):
        for name in _NAMES:
            yield os.path.join(directory, name)
            yield os.path.join(directory, "openmpi", name)
    for name in _OWN if "HOME" in env else ():
        yield os.path.join(env["HOME"], name)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
