"""What jobs ask of a checkpoint, and tell it: which outcomes are known, which have come.

An outcome is found by what it is: by the digest of its function with all that this uses and the
constants that the program has set, and by its task's arguments. Its place, a map's number among
the maps of the program and the task's in it, only decides among outcomes that are alike
(`map_record`, `call_record`). Nothing here knows the farm, or how a file is written.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..wire import failure
from ..wire.messages import Origin
from .call_record import CheckpointedCall, Submitted
from .file import CheckpointFile
from .ledger import Ledger
from .map_record import CheckpointedMap
from .writer import Kept

if TYPE_CHECKING:
    from ..constants.sharing import FarmSharing


def opened(
    path: str | os.PathLike[str],
    constants: FarmSharing,
    program: str = "",
    keep_failures: bool = False,
    kept: Kept | None = None,
) -> Checkpoint:
    """Open the checkpoint of a program, before its first job; or of one executor.

    path: the file, which is made where there is none. constants: those of the farm.
    program: what a person knows it by; empty for an executor's.
    keep_failures: True to take failures of earlier runs as they are, not to try again.
    kept: told of outcomes that are in the file, and of their bytes, by a thread of its own.

    Raises CheckpointError where the file is none, or not to be trusted.
    """
    return Checkpoint(Ledger(CheckpointFile(path, program, kept), constants, keep_failures))


class Checkpoint:
    """The jobs of one run of a program, and the file in which their outcomes are kept."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._maps = itertools.count(1)
        self._submitted = Submitted(ledger)
        self.close = ledger.close
        """Write all that has come, and let go of the file; say what was found and computed."""
        self.fact, self.tell = ledger.file.fact, ledger.file.tell
        """Facts about the program that its runs tell each other, by their names."""

    def map(self, target: Callable[..., Any], origin: Origin) -> CheckpointedMap:
        """Return the record of the program's next map.

        origin: who has made it, see `tasks.pedigree`.
        """
        number, given = next(self._maps), self._ledger.given
        seed, _, job, _, _ = origin
        name = failure.describe(target)
        function, placed = self._ledger.function(target, (seed, job))
        where = seed, job
        return CheckpointedMap(
            self._ledger, given, number, name, function, where, placed, judge(target)
        )

    def call(
        self, target: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any],
        origin: Origin,
    ) -> CheckpointedCall:  # fmt: skip
        """Return the record of the program's next submitted call.

        origin: who has made it, see `tasks.pedigree`.
        """
        given = self._ledger.given
        seed, _, job, first, _ = origin
        function, placed = self._ledger.function(target, (seed, job))
        return self._submitted.next(given, function, args, kwargs, (seed, job, first), placed)


def judge(target: Callable[..., Any]) -> Callable[[Any], bool] | None:
    """Return what tells values of a function that say that it failed, if it has such values."""
    function = getattr(target, "func", target)  # functools.partial
    if isinstance(function, FunctionType):
        found = vars(function).get("failed_value")
    else:
        found = getattr(type(function), "failed_value", None)
    return found if callable(found) else None
