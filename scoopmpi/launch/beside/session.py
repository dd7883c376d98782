"""Give a launcher a fresh directory for its session files, and remove it when the job has ended.

By itself Open MPI 5 uses `ompi.PID` in the directory for temporary files, and does not start where
one is left of a launcher that was killed and had the same number: "The PMIx server's listener
thread failed to start" (seen with 5.0.11 and pid_max 32768; also the leftover of another user).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

_ENDING = "tmpdir_base"
"""How every name ends by which a user may have chosen the place already."""


@contextmanager
def directory(variable: str | None, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Make the directory and give what to add to the launcher's environment; nothing for None.

    variable: what tells the launcher its place. env: the environment it gets otherwise.
    """
    if variable is None or any(name.endswith(_ENDING) for name in env):
        yield {}
        return
    try:
        path = tempfile.mkdtemp(prefix="ompi.", dir=env.get("TMPDIR") or None)
    except OSError:  # full or gone: the launcher itself says so best
        yield {}
        return
    try:
        yield {variable: path}
    finally:
        with suppress(OSError):  # of a launcher that was killed there are files in it: theirs
            os.rmdir(path)
