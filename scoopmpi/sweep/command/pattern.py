"""A text in which `$NAME` and `${NAME}` stand for variables: a word, or a file's name. Pure.

Values are put in as they are, once: what stands in a value is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .command import CommandProblem

_NAME = "(?!_(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_]*"
"""`$_` is no variable: Perl's programs have it, and shells another one each time."""
_VARIABLE = re.compile(
    rf"\$(?:(?P<dollar>\$)|(?P<name>{_NAME})|\{{(?P<braced>{_NAME})(?P<end>\}}|(?![A-Za-z0-9_])))"
)


class Pattern:
    """A text with variables. `$$` is a dollar, and so is any `$` with no name behind it.

    names: of its variables, each as often as it is there.
    """

    __slots__ = ("_format", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        names: list[str] = []
        parts: list[str] = []
        behind = 0
        for found in _VARIABLE.finditer(text):
            parts.append(text[behind : found.start()].replace("%", "%%"))
            behind = found.end()
            if found["dollar"]:
                parts.append("$")
                continue
            if found["braced"] and not found["end"]:
                self._refuse(found["braced"])
            names.append(found["name"] or found["braced"])
            parts.append("%s")
        parts.append(text[behind:].replace("%", "%%"))
        self.names = tuple(names)
        self._format = "".join(parts)

    def put(self, variables: Mapping[str, str]) -> str:
        """Return the text with the values of its variables.

        Raises CommandProblem where there is no such variable.
        """
        try:
            return self._format % tuple(map(variables.__getitem__, self.names))
        except KeyError as missing:
            raise CommandProblem(
                f"{self.text!r} needs the variable {missing.args[0]}, which is not there"
            ) from None

    def _refuse(self, name: str) -> None:
        raise CommandProblem(
            f"in {self.text!r}: ${{{name}}} is the variable {name}; more within the braces is for "
            "shells, as in bash -c '…'. A dollar itself is $$"
        )
