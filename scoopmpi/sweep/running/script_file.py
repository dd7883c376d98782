"""The script of an item, as a file that its interpreter opens and that nobody else can see."""

from __future__ import annotations

import os
import tempfile
from typing import IO


class ScriptFile:
    """Holds one script in memory; in a temporary file where there is no such thing.

    It is not inherited: the interpreter opens it by its name.
    """

    def __init__(self) -> None:
        self._text: bytes | None = None
        self._file: IO[bytes] | None = None
        self._name = ""

    def named(self, text: bytes) -> str:
        """Return the name of a file with this text, until it is asked for another."""
        if text != self._text:
            self._made()
            assert self._file is not None
            self._file.write(text)
            self._file.flush()
            self._text = text
        return self._name

    def _made(self) -> None:
        """Make a new file: what still reads the former one keeps that."""
        if self._file is not None:
            self._file.close()
        try:
            fd = os.memfd_create("script")
        except (AttributeError, OSError):  # not everywhere
            self._file = tempfile.NamedTemporaryFile(prefix="scoopmpi-")  # noqa: SIM115
            self._name = self._file.name
        else:
            self._file = open(fd, "wb")  # noqa: SIM115
            self._name = f"/proc/{os.getpid()}/fd/{fd}"
