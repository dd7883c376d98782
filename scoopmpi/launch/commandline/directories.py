"""Give Open MPI what it needs of an environment: a HOME, and a directory for temporary files.

Without HOME `mpirun` of 5.0.11 says `mca_base_var_init failed`, even when asked for its version;
that of 4.1.4 does without. Of a relative TMPDIR both make one below / and leave files there; one
that does not exist they create and leave. Other libraries need neither.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from ...process.asking import Ask

_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""Where Open MPI looks, and Python's tempfile too, in this order."""
_USUAL = "/tmp"


def with_home(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which every launcher can say its version."""
    return {"HOME": _of_account(), **env}


def needed(env: Mapping[str, str], mpirun: str, ask: Ask) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables to set for Open MPI, and what to say of them.

    ask: asks in `env`; a launcher that cannot say its version there lacks the HOME.
    """
    found, notes = {}, []
    if "HOME" not in env and ask((mpirun, "--version")) is None:
        found["HOME"] = _of_account()
        notes.append(f"HOME is not set, which Open MPI needs: it is told {found['HOME']}")
    name = next((name for name in _TEMPORARY if env.get(name)), None)
    if name is not None and not _usable(env[name]):
        absolute = os.path.abspath(env[name])
        found[name] = absolute if _usable(absolute) else _USUAL
        fault = "no full path" if _usable(absolute) else "no directory that can be written"
        notes.append(f"{name}={env[name]} is {fault}: Open MPI is told {found[name]}")
    return found, tuple(notes)


def _usable(directory: str) -> bool:
    return (
        os.path.isabs(directory)
        and os.path.isdir(directory)
        and os.access(directory, os.W_OK | os.X_OK)
    )


def _of_account() -> str:
    """Return the home of the account; as `login` does it, / where there is none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir or "/"
    except KeyError:
        return "/"
