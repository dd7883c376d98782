"""Submitted calls in a checkpoint: job 0 of the file.

Calls in a row that nobody can change, of one function, whose values came together, are one part,
as tasks of a map are; any other call is a part of its own. A call is looked for at its place among
the calls first. Where the program submits others than it did, it is looked for in all that is left
of its function, maps' tasks included.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..tasks.outcomes import OutcomeRange
from ..wire import payload
from ..wire.payload import Frame
from . import arguments, digests
from .kept import says_late
from .known import Known
from .ledger import Ledger
from .rows import Outcome, Saved
from .tables import Function, Job, Move, Place

CALLS = 0
"""The job of all submitted calls."""
MOST = 4096
"""Calls of one part: what a damaged row says of more is not looked at."""


class Submitted:
    """The calls of one run, by their place among them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._count = itertools.count()
        self._lock = threading.RLock()  # a signal's handler may use the farm
        self._places: dict[int, list[Place]] | None = None  # of earlier runs
        self._end = 0  # behind the last of these
        last = ledger.file.jobs.get(CALLS)
        self._moved = self._noted = last is not None and last.moved

    def next(
        self, given: int, function: Function | None, args: tuple[Any, ...],
        kwargs: Mapping[str, Any], place: tuple[int | None, ...], placed: bool,
    ) -> CheckpointedCall:  # fmt: skip
        """Return the record of the next call.

        given: how many constants were set before it. function: None where nobody can compare it.
        place: the program's seed, the number of a map, and that among the calls.
        placed: whether the outcome depends on that.
        """
        number = next(self._count)
        if function is None:
            return CheckpointedCall(self._ledger, given, number, None, None, b"")
        looks = self._ledger.file.counts and not self._ledger.set_by_tasks
        plain = args and not kwargs and not placed and payload.small(args)
        key, kept = None, b""
        if looks or not plain:
            key, kept = arguments.of_call(args, kwargs, place)
            if key is not None and placed:
                key = digests.digest(key, place)
        call = CheckpointedCall(
            self._ledger, given, number, function, key, kept, args if plain else None
        )
        if key is not None and looks:
            self._look_for(call, function, key)
        return call

    def _look_for(self, call: CheckpointedCall, function: Function, key: bytes) -> None:
        known = self._ledger.known(function)
        here = self._here(call.number)
        if known is not None:
            place, hit = self._fitting(here, function, key), None
            if place is not None and known.claim(place):
                settle(self._ledger, function, call.number, Outcome(place.part, 0), [])
                call.take_whole(place)
                return
            hit = self._among_others(here, call.number, known, key)
            if hit is None and (here or call.number >= self._end or self._moved):
                self._moved = True
                hit = self._elsewhere(call.number, known, key)
            if hit is not None:
                settle(self._ledger, function, call.number, hit, known.take_moves())
                call.take(known.where(hit), hit)
                return
        call.missed(here)

    def _elsewhere(self, number: int, known: Known, key: bytes) -> Outcome | None:
        """Give an outcome that does not lie at a call's place, if one is left."""
        file = self._ledger.file
        at_place = [(number, here.part, number - here.start) for here in self._here(number)]
        if (before := file.moved.get((CALLS, known.function), {}).get(number)) is not None:
            at_place.insert(0, (number, *before))
        keys = {number: key}
        if (hit := known.claim_tasks(keys, at_place).get(number)) is not None:
            return hit
        found = known.find_tasks(keys, CALLS).get(number)
        with self._lock:
            if found is not None and not self._noted:
                self._noted = True
                file.note_job(Job(CALLS, 0, None, True))
        return found

    def _among_others(
        self, here: list[Place], number: int, known: Known, key: bytes
    ) -> Outcome | None:
        """Give the outcome that lies at a call's place, in a part of several calls."""
        before = self._ledger.file.moved.get((CALLS, known.function), {})
        at_place = [
            (number, place.part, number - place.start)
            for place in here
            if place.stop - place.start > 1
        ]
        at_place = [at for at in at_place if before.get(number, at[1:]) == at[1:]]
        return known.claim_tasks({number: key}, at_place).get(number) if at_place else None

    def _fitting(self, here: list[Place], function: Function, key: bytes) -> Place | None:
        file = self._ledger.file
        replaced, before = file.replaced, file.moved.get((CALLS, function.number), {})
        for place in here:
            alone = place.stop - place.start == 1
            fits = alone and place.function == function.number and place.digest == key
            mine = Outcome(place.part, 0)
            if fits and mine not in replaced and before.get(place.start, mine) == mine:
                return place
        return None

    def _here(self, number: int) -> list[Place]:
        with self._lock:
            if self._places is None:
                self._places = {}
                for place in self._ledger.file.places(job=CALLS):
                    for call in range(place.start, min(place.stop, place.start + MOST)):
                        self._places.setdefault(call, []).insert(0, place)
                    self._end = max(self._end, place.stop)
            return self._places.get(number, [])


def settle(
    ledger: Ledger, function: Function, number: int, given: Outcome, moves: list[Move]
) -> None:
    """Note which outcome a call has now, where another run would give it another.

    moves: of other tasks, to be noted with it.
    """
    before = ledger.file.moved.get((CALLS, function.number))
    if before and before.get(number, given) != given:
        moves = [*moves, Move(CALLS, function.number, number, number + 1, *given)]
    if moves:
        ledger.file.note_moves(moves)


class CheckpointedCall:
    """One submitted call.

    kept: its arguments as they stand in the file.
    plain: these where nobody can change them; then key and kept may be made later.
    """

    def __init__(
        self, ledger: Ledger, given: int, number: int, function: Function | None,
        key: bytes | None, kept: bytes, plain: tuple[Any, ...] | None = None,
    ) -> None:  # fmt: skip
        self._ledger, self._given, self.number = ledger, given, number
        self._function, self._key, self._kept, self._plain = function, key, kept, plain
        self._instead: tuple[Outcome, ...] = ()
        self._reason = "new"
        self.known: OutcomeRange | None = None
        """Its outcome in an earlier run."""

    def take_whole(self, place: Place) -> None:
        """Use the outcome at the call's own place; a failure only where that is wanted."""
        saved = self._ledger.file.part(place)
        if saved is not None:
            raised, outcome = bool(saved.failed), Outcome(place.part, 0)
            self._use(saved.outcomes[0], raised, raised or bool(saved.again), outcome)

    def take(self, place: Place, outcome: Outcome) -> None:
        """Use an outcome that was given to this call; a failure only where that is wanted."""
        found = self._ledger.file.outcome(place, outcome.place)
        if found is not None:
            frame = payload.pack_plain(found.outcome) if found.plain else found.outcome
            self._use(frame, found.raised, found.failed, outcome)

    def _use(self, frame: Frame, raised: bool, failed: bool, outcome: Outcome) -> None:
        if failed and not self._ledger.keep_failures:
            self._instead, self._reason = (outcome,), "retried"
            return
        failed_places = (0,) if raised else ()
        self.known = OutcomeRange(self.number, self.number + 1, False, (frame,), failed_places)
        self._ledger.tally.add(found=1)

    def missed(self, here: list[Place]) -> None:
        """Note that nothing fits.

        here: what lies at its place.
        """
        function, file = self._function, self._ledger.file
        if function is None or not here:
            return
        self._ledger.tally.add(passed_over=1)
        if any(place.function == function.number for place in here):
            self._reason = "others"
            return
        versions = {version.number for version in file.versions(function.name)}
        earlier = [place for place in here if place.function in versions]
        if earlier and not file.is_earlier(function):
            self._reason = "changed"
            parts = [part for part in file.places(job=CALLS) if part.function in versions]
            tasks = sum(part.stop - part.start for part in parts)
            self._ledger.changed("submitted calls", function.name, tasks)

    def came(self, plain: bool, outcome: Any, failed: bool) -> None:
        """Keep the outcome that has come: a value where it is plain, else its frame."""
        function, tally = self._function, self._ledger.tally
        if self._reason == "changed" and function is not None:
            tally.add_changed(function.name, 1)
        else:
            tally.add(**{self._reason: 1})
        if self._plain is not None and self._key is None:
            self._key, self._kept = arguments.of_call(self._plain, {})
        if function is None or self._key is None or (failed and says_late(outcome)):
            return
        if self._ledger.covers(self._given):
            number, frame = self.number, payload.pack(outcome) if plain else outcome
            part = Saved(
                number, number + 1, self._key, False, (frame,), (0,) if failed else (),
                self._kept, (), self._instead,
            )  # fmt: skip
            saved = self._ledger.file.save(CALLS, function, part)
            settle(self._ledger, function, number, Outcome(saved, 0), [])

    def came_together(self, ended: Sequence[tuple[CheckpointedCall, Any]]) -> None:
        """Keep values that have come in one message: plain ones, of calls in any order."""
        row: list[tuple[CheckpointedCall, Any]] = []
        for call, value in ended:
            if row and (len(row) == MOST or not call._follows(row[-1][0])):
                _keep(row)
                row = []
            row.append((call, value))
        _keep(row)

    def _follows(self, last: CheckpointedCall) -> bool:
        """True where this call and the one before may be of one part."""
        return (
            self._plain is not None
            and last._plain is not None
            and self.number == last.number + 1
            and self._function is last._function
            and len(self._plain) == len(last._plain)
            and self._reason == last._reason == "new"
            and self._given == last._given
        )


def _keep(row: list[tuple[CheckpointedCall, Any]]) -> None:
    """Keep the values of calls in a row as one part."""
    first, last = row[0][0], row[-1][0]
    ledger, function = first._ledger, first._function
    if len(row) == 1 or function is None or first._plain is None:
        for call, value in row:
            call.came(True, value, False)
        return
    ledger.tally.add(new=len(row))
    if not ledger.covers(first._given):
        return
    columns = list(zip(*(call._plain or () for call, _ in row), strict=True))
    digest, kept = arguments.of_batch(columns)
    if digest is None:
        return
    values = payload.pack_plain([value for _, value in row])
    part = Saved(first.number, last.number + 1, digest, True, values, (), kept)
    saved = ledger.file.save(CALLS, function, part)
    if (CALLS, function.number) in ledger.file.moved:
        for place, (call, _) in enumerate(row):
            settle(ledger, function, call.number, Outcome(saved, place), [])
