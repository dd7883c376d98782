"""The executors, and results for later, that finish before the process ends, though nobody waits.

One such list stands behind each executor below: a farm's, a worker's, the serial one's.
`program_end` says when it is finished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from ..wire import failure

logger = logging.getLogger("scoopmpi")
_NAMED = 4
"""Maps that are named in one line."""


class Finishing(Protocol):
    """An executor, or a result for later: it may have something under way."""

    takes_values: bool
    """True where it takes values of others in the list: then it is finished before those."""

    def finish(self) -> None:
        """Return when it has nothing more under way."""


class Unfinished:
    """Those on one executor that have something under way."""

    def __init__(self) -> None:
        self._them: set[Finishing] = set()

    def add(self, one: Finishing) -> None:
        """Note that it has something under way."""
        self._them.add(one)

    def discard(self, one: Finishing) -> None:
        """Note that it has nothing more under way."""
        self._them.discard(one)

    def waits(self, maps: bool = True) -> bool:
        """Return whether anything is to finish. maps: makes no difference, there are none here."""
        return bool(self._them)

    def finish(self, maps: bool = True) -> None:
        """Return when all have finished, those too that come meanwhile."""
        while self._them:
            for one in sorted(self._them.copy(), key=lambda one: not one.takes_values):
                one.finish()
                self._them.discard(one)

    def __len__(self) -> int:
        return len(self._them)


class Unheard:
    """What tasks have raised of a map whose values nobody takes."""

    __slots__ = ("count", "index", "_error", "_number")

    def __init__(self) -> None:
        self.count = self.index = 0
        self._error: Callable[[], BaseException] = LookupError
        self._number: Callable[[], int] | None = None

    def note(
        self, index: int, error: Callable[[], BaseException], count: int = 1,
        number: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        """Note that some tasks have raised, in any order.

        index, error: of the first, opened if it is told. number: its place in the program, if told.
        """
        if not self.count or index < self.index:
            self.index, self._error, self._number = index, error, number
        self.count += count

    def tell(self, name: str, tasks: int, told: set[str]) -> None:
        """Warn of it, once for each function.

        name: the function's. tasks: how many have run. told: functions that were warned of.
        """
        if self.count and name not in told:
            told.add(name)
            logger.warning(
                "%d of %d tasks of a map of %s, whose values nobody takes, have raised; task %d: "
                "%s", self.count, tasks, name, self.index, failure.reason(self._error()),
            )  # fmt: skip

    def tell_calls(self) -> None:
        """Warn of submitted calls whose futures nobody has kept."""
        if self.count:
            logger.warning(
                "%d submitted call%s, whose futures nobody has kept, %s raised; call %d: %s",
                self.count, "" if self.count == 1 else "s", "has" if self.count == 1 else "have",
                self._number() if self._number else self.index, failure.reason(self._error()),
            )  # fmt: skip


def tell_not_run(maps: Sequence[tuple[str, int, int | None]], calls: int, failed: bool) -> None:
    """Warn of what nobody has waited for and what the program's end has cut off, if there is any.

    maps: the function of each, how many of its tasks have run, and of how many, if that is known.
    calls: how many that were submitted. failed: whether the program has.
    """
    left = [
        f"a map of {name}{f', but for {run} tasks' if run else ''}" if size is None
        else f"{size - run} of {size} tasks of a map of {name}"
        for name, run, size in maps[:_NAMED]
    ]  # fmt: skip
    left += [f"{len(maps) - _NAMED} more maps"] if len(maps) > _NAMED else []
    left += [f"{calls} submitted call{'s' if calls > 1 else ''}"] if calls else []
    why = "the program has failed" if failed else "nobody has waited for it"
    if left:
        logger.warning("not run, as %s: %s", why, ", ".join(left))


def tell_endless(name: str, tasks: int) -> None:
    """Warn of a map that nobody reads and that goes no further, as nothing would end it.

    name: the function's. tasks: how many have been read.
    """
    logger.warning(
        "a map of %s over something without an end, which nobody reads, ends with the %d tasks "
        "that have been read", name, tasks,
    )  # fmt: skip


def tell_failed(name: str, tasks: int, reason: str) -> None:
    """Warn of user's iterators that have raised where nobody is to catch it.

    name: the function's. tasks: how many have been read. reason: what they have raised.
    """
    logger.warning(
        "a map of %s, whose values nobody takes, ends with %d tasks: what it goes over has raised "
        "%s", name, tasks, reason,
    )  # fmt: skip
