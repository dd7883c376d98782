"""Items that have ended by a signal with which batch systems end all processes of a job.

Theirs may come before the one of rank 0, which ends the sweep: then they have not failed, but were
cut, and run again with the next run. So each is kept for a moment. Pure.
"""

from __future__ import annotations

from collections import deque

from ...process.signals import STOPPING
from ..items.ended import Ended

LATER = 2.0
"""Seconds in which rank 0 has got its signal too, if all of a job are ended."""
_OF_SHELLS = 128
"""What a shell adds to the signal that has ended its command."""
_STATUSES = {status for each in STOPPING for status in (-each, _OF_SHELLS + each)}


class Signalled:
    """Keeps them for their moment."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Ended]] = deque()

    def keeps(self, ended: Ended, now: float) -> bool:
        """Keep an item that has ended so; False for any other. now: of a clock that only goes on.

        One whose end we have brought about ourselves (`why`) is none of them.
        """
        if ended.status not in _STATUSES or ended.why:
            return False
        self._kept.append((now + LATER, ended))
        return True

    def over(self, now: float) -> list[Ended]:
        """Return those that have failed, as the sweep goes on."""
        found = []
        while self._kept and self._kept[0][0] <= now:
            found.append(self._kept.popleft()[1])
        return found

    def __len__(self) -> int:
        return len(self._kept)
