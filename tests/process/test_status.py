"""How a program's exceptions are shown."""

from __future__ import annotations

import traceback

from scoopmpi.concurrency.signal_scopes import scopes
from scoopmpi.process.status import forget_handlers


def test_ctrl_c_shows_where_the_program_was_each_time() -> None:
    def interrupted() -> None:
        scopes.interrupt(KeyboardInterrupt())  # as a handler of ours does, in our own code

    try:
        try:
            interrupted()
        finally:
            interrupted()
    except KeyboardInterrupt as error:
        forget_handlers(error)
        shown = "".join(traceback.format_exception(error))
    assert shown.count("in interrupted") == 2
    assert shown.count("During handling") == 1
    assert "signal_scopes.py" not in shown


def test_other_exceptions_keep_all_their_frames() -> None:
    try:
        scopes.interrupt(SystemExit(3))
    except SystemExit as error:
        forget_handlers(error)
        shown = "".join(traceback.format_exception(error))
    assert "signal_scopes.py" in shown
