"""What a run tells of its checkpoint: how much was found, what was computed, and what is kept.

Counts in, one line out. Nothing here logs, or knows jobs.
"""

from __future__ import annotations

import threading
from collections import Counter

NAMED = 3
"""So many functions a line names at most."""


class Tally:
    """Counts outcomes of one run.

    earlier: how many there were in the file.
    """

    def __init__(self, earlier: int) -> None:
        self.earlier = earlier
        self._lock = threading.RLock()  # a signal's handler may use the farm
        self.found = 0
        """Outcomes of earlier runs that were used."""
        self.new = 0
        """Tasks of which the file had nothing."""
        self.changed: Counter[str] = Counter()
        """Tasks that were computed as a function has changed, by its name."""
        self.others = 0
        """Tasks that were computed as their arguments are others."""
        self.retried = 0
        """Tasks that were computed as they had failed."""
        self.back = False
        """True where the program is again as it was before the last run."""
        self.passed_over = 0
        """Outcomes at whose place the program has something else now."""

    def add(
        self, found: int = 0, new: int = 0, others: int = 0, retried: int = 0, passed_over: int = 0
    ) -> None:
        """Count tasks."""
        with self._lock:
            self.found += found
            self.new += new
            self.others += others
            self.retried += retried
            self.passed_over += passed_over

    def add_changed(self, function: str, tasks: int) -> None:
        """Count tasks that were computed as their function has changed."""
        with self._lock:
            self.changed[function] += tasks

    def goes_back(self) -> None:
        """Note that a job has a function of an earlier run than the last one."""
        self.back = True

    def summary(self, path: str, ended: bool) -> str | None:
        """Return what to tell at the end; None where the program is as it was, and nothing failed.

        ended: True where the program came to its end; else what it did not use it may use yet.
        """
        changed = +self.changed
        kept = max(0, self.earlier - self.found - self.retried)
        if not ended:
            kept = min(kept, self.passed_over)
        if not (changed or self.others or self.retried or (self.back and kept)):
            return None
        computed = self.new + self.others + self.retried + changed.total()
        words = [f"{self.found} of {_results(self.found + computed)} found"]
        if changed:
            words.append(f"{changed.total()} computed again as {uses(list(changed))}")
        if self.others:
            words.append(f"{self.others} computed with arguments that are new")
        if self.retried:
            words.append(f"{self.retried} that had failed tried again")
        if self.new:
            words.append(f"{self.new} computed for the first time")
        if kept:
            which = "not used this time"
            if changed or self.back:
                which = "of earlier versions" if changed else "of other versions"
            words.append(f"{kept} {which} kept (myscoop checkpoint show {path})")
        return "; ".join(words)


def uses(functions: list[str]) -> str:
    """Return that these functions have changed, or something that they use."""
    names = [f"`{name}`" for name in functions[:NAMED]]
    if len(functions) > NAMED:
        names.append(f"{len(functions) - NAMED} more")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} or what {'it uses' if len(functions) == 1 else 'they use'} has changed"


def _results(count: int) -> str:
    return f"{count} result" if count == 1 else f"{count} results"
