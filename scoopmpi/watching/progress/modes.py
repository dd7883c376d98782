"""Who has a terminal, as far as its settings tell."""

from __future__ import annotations

import termios

_LFLAG = 3
_EDITED = termios.ICANON
"""Where it is off somebody else has the terminal: readline while it waits, an editor, a pager."""


def reads_lines(terminal: int) -> bool:
    """True where a terminal reads whole lines: no editor has it, no prompt that edits its line."""
    try:
        return bool(termios.tcgetattr(terminal)[_LFLAG] & _EDITED)
    except (termios.error, OSError):
        return False
