"""Keywords that a function takes and does not know: a warning for each, once in a process.

SCOOP's functions take any, so programs run unchanged; but a mistyped one must not be silent. Loaded
where somebody gives one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from difflib import get_close_matches

from ..process import identity

_KNOWN = (
    "timeout", "chunksize", "task_timeout", "return_exceptions", "retries", "retry_delay",
    "retry_on",
)  # fmt: skip
_MEANT = {"retry": "retries", "max_retries": "retries", "delay": "retry_delay"}
"""What is meant by words that are closer to others."""
_told: set[str] = set()


def tell(function: str, keywords: Iterable[str], stacklevel: int) -> None:
    """Warn of keywords that change nothing, at the line of the user's call.

    function: as the user has called it. stacklevel: of that line, as `warnings.warn` counts.
    """
    for name in keywords:
        if name in _told or identity.this.rank > 1:  # of tasks' own maps worker 1 speaks for all
            continue
        _told.add(name)
        meant = _MEANT.get(name) or next(iter(get_close_matches(name, _KNOWN, 1)), None)
        advice = f"; did you mean {meant}=?" if meant else ","
        end = " It has no effect." if meant else " it has no effect."
        warnings.warn(
            f"{function} knows no {name}={advice}{end}", RuntimeWarning, stacklevel=stacklevel
        )
