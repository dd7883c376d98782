"""The directory of an item: from a pattern with variables, made where it is not there.

A pattern that begins with a variable may lead anywhere, as a column of directories does. In any
other, values name directories below what the pattern says: a `/` in one makes levels, a `..` is
refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from ..command.pattern import Pattern
from .not_started import NotStarted, no_directory


class Directory:
    """Makes the directories of items.

    pattern: `run-$temperature`, for example; as of the directory where the sweep was started.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = Pattern(pattern)
        self._start = os.getcwd()

    def of(self, env: Mapping[str, str]) -> str:
        """Return the directory, which is there; NotStarted says why it cannot be."""
        found = self._pattern.put(env)
        self._check(found)
        path = os.path.join(self._start, found)
        try:
            os.makedirs(path, exist_ok=True)
        except (OSError, ValueError) as problem:
            error = problem if isinstance(problem, OSError) else OSError(0, str(problem))
            raise no_directory(path, error) from problem
        return path

    def entered(self, env: MutableMapping[str, str]) -> str:
        """Note the directory in the variables as `cd` does, and return it."""
        path = self.of(env)
        env["OLDPWD"], env["PWD"] = self._start, path
        return path

    def program(self, program: str, path: str) -> str:
        """Return the program of an item that runs in the directory `path`.

        One that is not there is taken from where the sweep was started.
        """
        if "/" not in program or os.path.exists(os.path.join(path, program)):
            return program
        return os.path.join(self._start, program)

    def _check(self, found: str) -> None:
        if not found:
            raise NotStarted(f"its directory has no name: {self._pattern.text!r} is empty here")
        text = self._pattern.text
        if not text.startswith("$") and ".." in set(found.split("/")) - set(text.split("/")):
            said = f"{found!r} leads out of the directories that {text!r} names"
            raise NotStarted(f"{said}: a pattern that begins with a variable may")
