"""The values of an executor's map in the hands of its consumer: what he does with them is noted.

How they come is the business of `Results`, what an end makes of it that of `handed_in`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..tasks.outcomes import Raised, Surfacing
from ..tasks.results import Results
from .handed_in import HandedIn


class MapValues:
    """The values of a map in the hands of its consumer.

    Dropped before the first was taken, the map goes on for its side effects; dropped afterwards,
    nobody wants the rest.

    handed_in: where the map is counted.
    failed: told of each error that the consumer gets.
    """

    _begun: bool | None = None  # until it is made: a signal may end that half-way

    def __init__(
        self,
        results: Results,
        handed_in: HandedIn,
        failed: Callable[[BaseException], None] | None,
    ) -> None:
        self._results, self._handed_in, self._failed = results, handed_in, failed
        self._begun = False

    def __iter__(self) -> MapValues:
        return self

    def __next__(self) -> Iterable[Any]:
        self._begun = True
        try:
            values = next(self._results)
        except BaseException as error:
            self._results.close()  # a signal's handler may have raised behind it: values are lost
            self._handed_in.map_over(self._results, running=not isinstance(error, StopIteration))
            if self._failed is not None:
                self._failed(error)
            raise
        if type(values) is Surfacing:
            values.ends = self._given_up
        return values

    def _given_up(self, error: BaseException) -> None:
        """Let go of the rest: the map has come to a failure, as PEP 3148 has it."""
        self._results.close()
        self._handed_in.map_over(self._results, running=True)
        if self._failed is not None:
            self._failed(error)

    def outcomes(self) -> list[Any]:
        """Return the next values, `Raised` for each task that failed; an empty list at the end."""
        self._begun = True
        found = self._results.outcomes()
        if self._failed is not None:
            for outcome in found:
                if type(outcome) is Raised:
                    self._failed(outcome.error)
        return found

    def wait(self, timeout: float | None) -> bool:
        """Wait until there is something to give, or nothing will come; False after `timeout`."""
        self._begun = True
        return self._results.wait(timeout)

    def __del__(self) -> None:
        if self._begun:
            self._results.close()
            self._handed_in.map_over(self._results, running=True)
        elif self._begun is not None:
            self._handed_in.map_left(self._results)
