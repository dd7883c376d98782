"""A script (`--batch`), run for each item by the interpreter that its first line names.

It is read once: what is edited while the sweep runs changes nothing. Lines for batch systems
(`#PBS`, `#SBATCH`) are comments here, and no part of what the script is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from hashlib import blake2b

from .command import Call, CommandProblem

SHELL = "/bin/bash"
"""What reads a script without `#!`. PBS takes the user's login shell there, Slurm refuses it: this
one reads what both of them are mostly given, on each host alike."""
_DIRECTIVE = re.compile(rb"#(?:PBS|SBATCH|BSUB|\$|MSUB|FLUX:|COBALT|OAR)(?=[\s-])")
_BOM = b"\xef\xbb\xbf"


class Script:
    """A script's text, and who reads it.

    name: of its file. interpreter: the program, and what stands behind it in the first line, as
    one argument: so the kernel has it.
    """

    def __init__(self, text: bytes, name: str) -> None:
        self.name = os.path.basename(name) or name
        self.text = text
        _refuse_no_script(text, name)
        self.interpreter = _interpreter(text, name)

    def digest(self) -> bytes:
        """Return a digest of the text, without the lines for batch systems at its head."""
        return blake2b(b"script\0" + _without_directives(self.text)).digest()

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return what to start: the variables are in its environment."""
        return Call(list(self.interpreter), self.text)

    def missing(self, path: str | None = None) -> str | None:
        """Return which program is not on this host of those that its first line names.

        path: where programs are looked for by `env`; None: in this process's PATH.
        """
        program, *behind = self.interpreter
        if not (os.path.isfile(program) and os.access(program, os.X_OK)):
            return program
        if os.path.basename(program) != "env" or not behind:
            return None
        words = behind[0].removeprefix("-S").split()
        named = [word for word in words if not word.startswith("-") and "=" not in word]
        if named and shutil.which(named[0], path=path) is None:
            return named[0]
        return None


def read(path: str) -> Script:
    """Return the script in a file; CommandProblem says why it is none."""
    try:
        with open(path, "rb") as file:
            return Script(file.read(), path)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise CommandProblem(f"the script {path} cannot be read: {said}") from None


def _refuse_no_script(text: bytes, name: str) -> None:
    first = text.partition(b"\n")[0]
    if not text.strip():
        raise CommandProblem(f"the script {name} is empty")
    if text.startswith(b"\x7fELF") or b"\0" in first:
        raise CommandProblem(f"{name} is a program, not a script: give it as words, behind options")
    if text.startswith(_BOM):
        raise CommandProblem(
            f"the script {name} begins with a byte order mark (BOM), which interpreters do not "
            "know: sed -i '1s/^\\xEF\\xBB\\xBF//' takes it away"
        )
    if first.endswith(b"\r"):
        raise CommandProblem(
            f"the script {name} has line ends of Windows, which interpreters take for text: "
            "dos2unix, or sed -i 's/\\r$//', changes them"
        )


def _interpreter(text: bytes, name: str) -> tuple[str, ...]:
    first = text.partition(b"\n")[0]
    words = os.fsdecode(first[2:].strip(b" \t")).split(None, 1) if first[:2] == b"#!" else []
    if not words:
        return (SHELL,)
    # relative to where the sweep began, as items may run elsewhere
    return (os.path.abspath(words[0]), *words[1:])


def _without_directives(text: bytes) -> bytes:
    """Return the text without the directives before its first command: no system reads more."""
    lines = text.splitlines(keepends=True)
    head = next(
        (
            place for place, line in enumerate(lines)
            if line.strip() and not line.lstrip().startswith(b"#")
        ),
        len(lines),
    )  # fmt: skip
    return b"".join([line for line in lines[:head] if not _DIRECTIVE.match(line)] + lines[head:])
