"""What the tasks of a job weigh, learned from what has been sent and what has come.

Numbers only, for batches (`batching.size`) and for the window of a map. No tasks, no frames.
"""

from __future__ import annotations

KEPT = 0.9
"""A weight falls by a tenth with each batch that is lighter: where one result in a hundred has
100 MB, the next such one meets batches of ten tasks. An average would have forgotten it."""
LIGHT = 1 << 10
"""Tasks of fewer bytes count as weightless: 8 MiB are 8192 of them; few batches have as many."""


class Weight:
    """Bytes of a task.

    remembered: as an earlier job of the same function has shown; the first result replaces it.
    """

    larger = 0.0
    """Of its arguments or its result, whichever has more."""
    _arguments = _result = 0.0
    _remembered = False

    def __init__(self, remembered: float = 0.0) -> None:
        if remembered:
            self.larger = self._result = remembered
            self._remembered = True

    def sent(self, each: float) -> None:
        """Learn from a batch whose arguments have so many bytes for each task."""
        self._arguments = max(KEPT * self._arguments, each)
        self.larger = max(self._arguments, self._result)

    def came(self, each: float) -> None:
        """Learn from results of so many bytes for each task."""
        kept = 0.0 if self._remembered else KEPT * self._result
        self._remembered = False
        self._result = max(kept, each)
        self.larger = max(self._arguments, self._result)
