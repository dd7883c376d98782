"""A ready program: Python at a prompt on rank 0, from stdin or by -c, with the farm behind it.

`python -m scoop` without a program, with - and with -c. What is typed lives in a `__main__` of its
own, which workers do not have, so its functions travel by value.
"""

from __future__ import annotations

import sys
from typing import Any

from . import running


def main() -> None:
    """Run all of stdin where the argument is -, the next where it is -c, else ask line by line."""
    code = running.code_of(sys.argv[1:])
    if sys.argv[0] == "-":
        _run(sys.stdin.read(), "<stdin>", _space(__file__="<stdin>", __cached__=None))
    elif sys.argv[0] == "-c":
        _run(code, "<string>", _space())
    else:
        _converse()


def _space(**more: Any) -> dict[str, Any]:
    return vars(running.new_main("__main__", **more))


def _run(source: str, name: str, space: dict[str, Any]) -> None:
    exec(compile(source, name, "exec", dont_inherit=True), space)


def _converse() -> None:
    """Ask line by line, with all that Python's own prompt has at a terminal."""
    from ..process import identity
    from .prompt import Prompt

    space = _space()
    workers = max(1, identity.this.size - 1)
    banner = f"Python {sys.version.split()[0]}, scoopmpi with {workers} workers.\n"
    banner += "from scoopmpi import futures; exit() or Ctrl-D ends"
    Prompt(space).interact(banner, exitmsg="")


if __name__ == "__main__":
    main()
