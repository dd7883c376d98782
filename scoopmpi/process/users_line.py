"""Warnings that point at the user's own line, however deep in this package they are found.

Python shows each once for a line of the program. Nothing of ours is imported here.
"""

from __future__ import annotations

import os
import sys
import warnings

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def warn(text: str) -> None:
    """Warn the user, with a RuntimeWarning at the line of the program that has come to us."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(_OURS):
        frame = frame.f_back
        level += 1
    warnings.warn(text, RuntimeWarning, stacklevel=level + 1)
