"""What a site or a user has set for Open MPI in files: a word of a command line stands above it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

_NAMES = ("openmpi-mca-params.conf", "prte-mca-params.conf")
_OWN = (".openmpi/mca-params.conf", ".prte/mca-params.conf", ".pmix/mca-params.conf")


def chosen(name: str, mpirun: str, env: Mapping[str, str]) -> bool:
    """Whether a file sets the parameter, under its name or a longer one that ends so."""
    setting = re.compile(rf"^\s*\w*{re.escape(name)}\s*=", re.MULTILINE)
    return any(setting.search(_text(path)) for path in _files(mpirun, env))


def _files(mpirun: str, env: Mapping[str, str]) -> Iterator[str]:
    prefixes = {
        os.path.dirname(os.path.dirname(path)) for path in (mpirun, os.path.realpath(mpirun))
    }
    for directory in (*(f"{prefix}/etc" for prefix in prefixes), "/etc/openmpi", "/etc"):
        for name in _NAMES:
            yield os.path.join(directory, name)
            yield os.path.join(directory, "openmpi", name)
    for name in _OWN if "HOME" in env else ():
        yield os.path.join(env["HOME"], name)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
