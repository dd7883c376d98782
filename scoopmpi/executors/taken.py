"""The values of an executor's map in the hands of its consumer: what he does with them is noted.

How they come is said in `results`, what a shutdown makes of it in `pep3148`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ..tasks.outcomes import Raised
from .results import Results


class Taken:
    """The values of a map in the hands of its consumer.

    Dropped before the first was taken, the map goes on for its side effects; dropped afterwards,
    nobody wants the rest.
    """

    def __init__(
        self,
        results: Results,
        maps: dict[Results, bool],
        closed: deque[Callable[[], bool]],
        ended: Callable[[], None],
        failed: Callable[[BaseException], None] | None,
    ) -> None:
        self._results = results
        self._maps, self._closed, self._ended = maps, closed, ended
        self._failed = failed
        self._begun = False

    def __iter__(self) -> Taken:
        return self

    def __next__(self) -> Iterable[Any]:
        self._begun = True
        try:
            return next(self._results)
        except BaseException as error:
            self._end(over=isinstance(error, StopIteration))
            if self._failed is not None:
                self._failed(error)
            raise

    def outcomes(self) -> list[Any]:
        """The next values, a `Raised` for each task that failed; an empty list at the end."""
        self._begun = True
        found = self._results.outcomes()
        if self._failed is not None:
            for outcome in found:
                if type(outcome) is Raised:
                    self._failed(outcome.error)
        return found

    def wait(self, timeout: float | None) -> bool:
        """Whether there is something to give, or nothing will come; False after `timeout`."""
        self._begun = True
        return self._results.wait(timeout)

    def _end(self, over: bool = False) -> None:
        """Nobody takes more; what runs of it is still waited for by a shutdown."""
        if self._maps.pop(self._results, None) is not None and not over:
            self._closed.append(self._results.settled)
        self._ended()

    def __del__(self) -> None:
        if self._begun:
            self._results.close()
            self._end()
        elif self._results in self._maps:
            self._maps[self._results] = False
            self._results.leave()
