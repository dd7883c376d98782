"""The file that a front end reads of a kernel, `kernel.json`: what is in it, and where it lies.

Its command is that of this environment, by full paths, as front ends run in others. It names the
program by its module: a file `kernel.py` beside a notebook is somebody else's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM = "scoopmpi.programs.kernel"
CONNECTION = ("-f", "{connection_file}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)
_BELOW = ("share", "jupyter", "kernels")


class SpecError(Exception):
    """A kernel cannot be written down so; the message is for the user."""


def name_of(text: str) -> str:
    """Return the name of a kernel as front ends have it, in small letters. Raises SpecError."""
    name = text.lower()
    if not _NAME.fullmatch(name):
        raise SpecError(f"{text!r} cannot be the name of a kernel: letters, digits, and - _ . only")
    return name


def content(options: Sequence[str], title: str) -> dict[str, Any]:
    """Return what `kernel.json` says.

    options: of `myscoop`. title: what menus of front ends show.
    """
    return {
        "argv": [*_command(), *options, PROGRAM, *CONNECTION],
        "display_name": title,
        "language": "python",
        # A signal to the process group would end mpirun, and not come to another host.
        "interrupt_mode": "message",
        "metadata": {"debugger": False},  # it would stop the farm's loop at each breakpoint
    }


def _command() -> list[str]:
    """Return the words of `myscoop`: as a script, so that no file beside a notebook is imported."""
    script = Path(sys.executable).with_name("myscoop")
    found = os.access(script, os.X_OK)
    return [sys.executable, str(script)] if found else [sys.executable, "-m", "scoopmpi.myscoop"]


def directory(name: str, prefix: str | None, user: bool) -> Path:
    """Return where the kernel is written down.

    prefix: the directory above share/jupyter; None for this environment's, where it is one of the
    user's own. user: among the user's own kernels, also where this environment has a place.
    """
    if prefix is not None:
        return Path(os.path.abspath(os.path.expanduser(prefix)), *_BELOW, name)
    if user or not _own_environment():
        from jupyter_core.paths import jupyter_data_dir  # late: others need no Jupyter

        return Path(jupyter_data_dir(), "kernels", name)
    return Path(sys.prefix, *_BELOW, name)


def _own_environment() -> bool:
    return sys.prefix != sys.base_prefix or Path(sys.prefix, "conda-meta").is_dir()


def found_by_jupyter(place: Path) -> bool:
    """True where a front end of this environment looks there."""
    from jupyter_core.paths import jupyter_path

    return str(place.parent) in jupyter_path("kernels")


def owner(place: Path) -> str | None:
    """Return whose kernel lies there: "" for one of ours, its title for another's, None for none.

    A directory that holds no kernel is another's.
    """
    if not os.path.lexists(place):
        return None
    try:
        said = json.loads((place / "kernel.json").read_text())
        ours = PROGRAM in said["argv"]
        return "" if ours else str(said.get("display_name") or said["argv"][0])
    except (OSError, ValueError, LookupError, TypeError):
        return str(place)


def write(place: Path, said: dict[str, Any]) -> None:
    """Write the file; a front end sees the one before or this one. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    new = place / f".kernel.json.{os.getpid()}"
    try:
        new.write_text(json.dumps(said, indent=1) + "\n")
        new.replace(place / "kernel.json")
    finally:
        new.unlink(missing_ok=True)
