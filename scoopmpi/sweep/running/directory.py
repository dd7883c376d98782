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

    pattern: `run-$temperature`, for example, as of the directory where the sweep was started; None
    for that one.
    """

    def __init__(self, pattern: str | None) -> None:
        self._pattern = None if pattern is None else Pattern(pattern)
        self._start = os.getcwd()

    def of(self, env: Mapping[str, str]) -> str | None:
        """Return the directory of an item with these variables; None where it needs none.

        Raises NotStarted.
        """
        if self._pattern is None:
            return None
        return os.path.join(self._start, _checked(self._pattern, self._pattern.put(env)))

    def entered(self, env: MutableMapping[str, str]) -> str | None:
        """Return the directory of an item, which is there now and in the variables as `cd` does it.

        None where the item needs none. Raises NotStarted.
        """
        path = self.of(env)
        if path is None:
            return None
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as problem:
            raise no_directory(path, problem.strerror or "") from problem
        except ValueError as problem:
            raise no_directory(path, str(problem)) from problem
        env["OLDPWD"], env["PWD"] = self._start, path
        return path

    def program(self, program: str, path: str | None) -> str:
        """Return the program of an item that runs in the directory `path`.

        One that is not there is taken from where the sweep was started.
        """
        if path is None or "/" not in program or os.path.exists(os.path.join(path, program)):
            return program
        return os.path.join(self._start, program)


def _checked(pattern: Pattern, found: str) -> str:
    """Return a directory that a pattern has given; NotStarted says why it cannot be meant."""
    text = pattern.text
    if not found:
        raise NotStarted(f"its directory has no name: {text!r} is empty here")
    if not text.startswith("$") and ".." in set(found.split("/")) - set(text.split("/")):
        said = f"{found!r} leads out of the directories that {text!r} names"
        raise NotStarted(f"{said}: a pattern that begins with a variable may")
    return found
