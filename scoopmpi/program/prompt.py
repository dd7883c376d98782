"""Python's prompt, as it is at a terminal without us. What is typed, and where, is in `shell`."""

from __future__ import annotations

import code
import os
import sys
import tokenize
import traceback
from collections.abc import Callable
from typing import Any

from ..process.status import forget_handlers, print_traceback

_BASIC = "PYTHON_BASIC_REPL"
"""Has Python 3.13 remember lines for readline; its other prompt has a history of its own."""


class Prompt(code.InteractiveConsole):
    """Asks for lines and runs them, until exit() or Ctrl-D.

    space: the variables of what is typed.
    """

    def __init__(self, space: dict[str, Any]) -> None:
        super().__init__(space)
        if sys.stdin is not None and sys.stdin.isatty():
            self._set_up(space)

    def _set_up(self, space: dict[str, Any]) -> None:
        """Have lines edited, completed and remembered, and run the user's PYTHONSTARTUP."""
        before = os.environ.get(_BASIC)
        os.environ[_BASIC] = "1"
        try:
            getattr(sys, "__interactivehook__", bool)()  # python -S has none
            startup = None if sys.flags.ignore_environment else os.environ.get("PYTHONSTARTUP")
            if startup:
                with tokenize.open(startup) as file:
                    exec(compile(file.read(), startup, "exec", dont_inherit=True), space)
        except Exception:
            traceback.print_exc()
        finally:
            os.environ.pop(_BASIC)
            if before is not None:
                os.environ[_BASIC] = before

    def showtraceback(self) -> None:
        """Show the running exception; after Ctrl-C, where the user's code was."""
        forget_handlers(sys.exc_info()[1])
        super().showtraceback()


def after(run: Callable[[], object]) -> None:
    """Run the program, and ask for more when it is over, however it has ended: as `python -i`."""
    try:
        run()
    except BaseException as error:
        print_traceback()
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    Prompt(vars(sys.modules["__main__"])).interact("", exitmsg="")
