"""One map in a checkpoint: its tasks' arguments by their digests, and what earlier runs have left.

A map that is as it was takes its outcomes from their places, part by part. Where it has changed,
its size or some arguments, or where nothing of its function lies at its place, its tasks are
looked for one by one in all that is left of the function. Called by one thread at a time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from ..tasks.outcomes import OutcomeRange
from ..wire import payload
from ..wire.payload import Frame
from . import arguments, digests
from .kept import PORTION, as_came, cut, failing_values, in_a_row, in_rows, says_late, weight
from .known import Known
from .ledger import Ledger
from .rows import Outcome, Saved
from .tables import Function, Job, Move, Place, tasks_of

Columns: TypeAlias = Sequence[Sequence[Any]]


class CheckpointedMap:
    """One map.

    given: how many constants were set before it. number: its place among the program's maps.
    function: None where nobody can compare it. where: the program's seed, and the map's number.
    placed: whether its outcomes depend on their place.
    failed_value: tells which values are failures.
    """

    def __init__(
        self, ledger: Ledger, given: int, number: int, name: str,
        function: Function | None, where: tuple[int | None, int], placed: bool,
        failed_value: Callable[[Any], bool] | None,
    ) -> None:  # fmt: skip
        self._ledger, self._file, self._given = ledger, ledger.file, given
        self._number, self._name, self._function = number, name, function
        self._says = f"map {number} ({name})"
        self._where, self._placed, self._failed_value = where, placed, failed_value
        self._left: Known | None = None if function is None else ledger.known(function)
        self._places: dict[int, list[Place]] = {}  # parts of the function that lie here, by start
        self._starts: list[int] = []
        self._before: dict[int, Outcome] = {}  # what some tasks had in the last run
        self._end = 0  # behind the last of these
        self._changed_end = 0  # behind the last part here that is of another version
        self._others: tuple[int, int] | None = None  # the tasks that have other arguments
        self._moved = self._streamed = False
        self._rows: dict[int, tuple[bytes | None, Frame | None]] = {}  # keys and frames, as sent
        self._instead: dict[int, Outcome] = {}  # failures that are tried again

    def begins(self, tasks: int | None) -> None:
        """Hear how many tasks the map has; None where nobody knows yet. Called first."""
        function, number = self._function, self._number
        if function is None:
            return
        self._look_at_place(function)
        last = self._file.jobs.get(number)
        tasks = None if tasks is None else min(tasks, 1 << 62)  # a number for SQLite
        job = Job(number, function.number, tasks)
        same = last is not None and last[:3] == job[:3]
        if self._places and last is not None and last.function != function.number:
            self._ledger.tally.goes_back()
        self._moved = not same or not self._places or (last is not None and last.moved)
        self._streamed = tasks is None
        self._job = job._replace(moved=same and last is not None and last.moved)
        self._file.note_job(self._job)
        self._before = dict(self._file.moved.get((number, function.number), ()))

    def _look_at_place(self, function: Function) -> None:
        """Find what lies at the map's place, of its function and of earlier versions of that."""
        places = self._file.places(job=self._number)
        if not places:
            return
        names = {version.number for version in self._file.versions(function.name)}
        earlier = [p for p in places if p.function in names and p.function != function.number]
        for place in places:
            if place.function == function.number and self._left is not None:
                self._places.setdefault(place.start, []).insert(0, place)  # the latest first
        for several in self._places.values():  # a batch before its first task, tried again
            several.sort(key=lambda one: -one.stop)
        self._starts = sorted(self._places)
        mine = [place for several in self._places.values() for place in several]
        self._end = max((place.stop for place in mine), default=0)
        self._ledger.tally.add(passed_over=sum(p.stop - p.start for p in places) - tasks_of(mine))
        if earlier and self._left is None:
            self._changed_end = max(place.stop for place in earlier)
            parts = {place.part for place in earlier}
            gone = sum(outcome.part in parts for outcome in self._file.replaced)
            self._ledger.changed(self._says, function.name, tasks_of(earlier) - gone)

    # What is known.

    def reach(self, start: int, stop: int) -> int:
        """Return up to which task arguments are wanted to say what is known of `start` to `stop`.

        What was kept as one part is compared as a whole, which may end behind `stop`.
        """
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, stop)
        ends = [place.stop for at in self._starts[first:last] for place in self._places[at]]
        return max([stop, *ends])

    def known(self, start: int, stop: int, columns: Columns) -> tuple[list[OutcomeRange], int]:
        """Return what is known of the tasks `start` to `stop - 1`, and at once behind, in order;
        and before which task it was looked, `stop` or earlier, where that is much already.

        columns: their arguments, a column for each parameter, from `start` on as far as `reach`
            has said, or to the end of the map.
        """
        if self._left is None or self._ledger.set_by_tasks:
            return [], stop
        found: list[OutcomeRange] = []
        gaps: list[range] = []
        read, room = start + len(columns[0]), PORTION
        regions = [range(start, min(stop, read))]
        for region in regions:  # it grows meanwhile
            # Only the last part of the first one may end behind it: none lies above another.
            most = read if region is regions[0] else region.stop
            at = region.start
            while at < region.stop:
                place = self._fitting(at, most, start, columns)
                parts = None if place is None else self._taken(place, regions)
                if place is not None and parts is None:  # damaged: another one may lie here
                    self._places[at].remove(place)
                    continue
                if place is None or parts is None:
                    end = self._next_start(at, region.stop)
                    gaps.append(range(at, end))
                    at = end
                else:
                    found += parts
                    at = place.stop
                    room -= weight(parts)
                    if room < 0 and region is regions[0]:
                        stop = at
                        break
        found += self._elsewhere(gaps, start, columns)
        if self._others is not None and not found and start == 0:
            mine = chain.from_iterable(self._places.values())
            self._ledger.nothing_fits(self._says, self._name, tasks_of(mine))
        self._ledger.tally.add(found=sum(part.stop - part.start for part in found))
        return sorted(found, key=lambda part: part.start), stop

    def _fitting(self, at: int, most: int, start: int, columns: Columns) -> Place | None:
        """Return a part that begins at a task and has just these arguments; it is given then.

        most: the task before which it must end. start: the first task of the columns.
        """
        assert self._left is not None
        digests_of: dict[int, bytes | None] = {}
        several = self._places.get(at, ())
        for place in several:
            if place.stop > most:
                continue
            if place.stop not in digests_of:
                batch = [column[at - start : place.stop - start] for column in columns]
                digests_of[place.stop] = self._digest(at, batch)
            fits = digests_of[place.stop] == place.digest and not self._had_others(place)
            if fits and self._left.claim(place):
                return place
        if several and at not in self._instead:
            self._moved = True
            end = max(place.stop for place in several)
            first, last = self._others or (at, end)
            self._others = min(first, at), max(last, end)
            self._ledger.tally.add(passed_over=tasks_of(several[:1]))
        return None

    def _had_others(self, place: Place) -> bool:
        """True where a task of a part had another outcome in the last run."""
        if not self._before:
            return False
        tasks = enumerate(range(place.start, place.stop))
        outcomes = ((task, Outcome(place.part, number)) for number, task in tasks)
        return any(self._before.get(task, outcome) != outcome for task, outcome in outcomes)

    def _next_start(self, at: int, stop: int) -> int:
        """Return the next task behind one at which a part begins, or the end."""
        following = bisect_right(self._starts, at)
        return min(stop, self._starts[following]) if following < len(self._starts) else stop

    def _taken(self, place: Place, regions: list[range]) -> list[OutcomeRange] | None:
        """Return what is used of a part that fits; None where it is damaged.

        regions: gets the tasks of failures for which there are later outcomes.
        """
        saved = self._file.part(place)
        if saved is None:
            return None
        self._settle_part(place.part, range(place.start, place.stop))
        again = []
        later: list[int] = []
        for number in sorted({*saved.failed, *saved.again}):
            outcome = Outcome(place.part, number)
            if outcome in self._file.replaced:
                again.append(number)
                later.append(place.start + number)
            elif not self._ledger.keep_failures:
                again.append(number)
                self._instead[place.start + number] = outcome
        regions += in_a_row(later)
        return list(cut(as_came(saved), again))

    def _elsewhere(self, gaps: Iterable[range], start: int, columns: Columns) -> list[OutcomeRange]:
        """Return what is known of tasks whose outcomes are not where they were, one by one."""
        keys: dict[int, bytes] = {}
        for gap in gaps:
            if self._moved or (self._streamed and gap.start >= self._end):
                batch = [column[gap.start - start : gap.stop - start] for column in columns]
                keys_of = arguments.keys_of(batch, self._where, gap.start)
                found = zip(gap, keys_of, strict=False)
                keys |= {
                    task: key
                    for task, key in found
                    if key is not None and task not in self._instead
                }
        hits = self._hits(keys) if keys else {}
        if hits and not self._job.moved:
            self._job = self._job._replace(moved=True)
            self._file.note_job(self._job)
        return list(in_rows(self._read(hits)))

    def _hits(self, keys: dict[int, bytes]) -> dict[int, Outcome]:
        """Give outcomes to tasks: first to those that had them in the last run, wherever from."""
        assert self._left is not None
        hits = self._left.claim_tasks(keys, self._at_place(keys))
        if not self._placed:
            missing = {task: key for task, key in keys.items() if task not in hits}
            hits |= self._left.find_tasks(missing, self._number)
        self._settle(hits)
        return hits

    def _at_place(self, keys: dict[int, bytes]) -> Iterator[tuple[int, int, int]]:
        """Return tasks with parts that may have their outcomes, and the places of these in them."""
        first, last = min(keys), max(keys)
        if self._before:
            yield from ((task, *self._before[task]) for task in keys if task in self._before)
        for places in self._places.values():
            for place in places:
                for task in range(max(first, place.start), min(last + 1, place.stop)):
                    if task in keys:
                        yield task, place.part, task - place.start

    def _settle_part(self, part: int, tasks: range) -> None:
        if self._left is not None and self._before:
            self._settle({task: Outcome(part, place) for place, task in enumerate(tasks)})

    def _settle(self, given: Mapping[int, Outcome]) -> None:
        """Note which outcomes tasks have now, where another run would give them others."""
        assert self._left is not None
        moves = self._left.take_moves()
        for task, outcome in given.items() if self._before else ():
            before = self._before.get(task)
            if before is not None and before != outcome:
                self._before[task] = outcome
                moves.append(Move(self._number, self._job.function, task, task + 1, *outcome))
        self._file.note_moves(moves)

    def _read(self, hits: dict[int, Outcome]) -> Iterator[tuple[int, bool, Any, bool]]:
        """Return the outcomes that were given to tasks, and note which are to be tried again."""
        assert self._left is not None
        for task, hit in sorted(hits.items()):
            found = self._file.outcome(self._left.where(hit), hit.place)
            if found is None:
                continue
            if found.failed and not self._ledger.keep_failures:
                self._instead[task] = hit
            else:
                yield task, found.plain, found.outcome, found.raised

    # What comes.

    def sent(self, start: int, columns: Columns, frames: Sequence[Frame]) -> None:
        """Look at arguments that are handed out and may change, as they are now.

        start: the index of the first task. frames: the arguments packed, one for each task.
        """
        if self._function is None:
            return
        rows = zip(zip(*columns, strict=True), frames, strict=True)
        for task, (row, frame) in enumerate(rows, start):
            small = type(frame) is bytes and len(frame) <= arguments.SHOWN
            self._rows[task] = arguments.key(row, (*self._where, task)), frame if small else None

    def came(self, part: OutcomeRange, columns: Columns) -> None:
        """Keep outcomes that have come, of tasks with these arguments."""
        late = [place for place in part.failed if says_late(part.outcomes[place])]
        for some in cut(part, late):
            first, last = some.start - part.start, some.stop - part.start
            self._came(some, [column[first:last] for column in columns] if late else columns)
        self._ledger.tally.add(new=len(late))

    def _came(self, part: OutcomeRange, columns: Columns) -> None:
        tasks = range(part.start, part.stop)
        rows = [self._rows.pop(task, (None, None)) for task in tasks] if self._rows else []
        instead = self._taken_back(tasks) if self._instead else []
        self._count(tasks, len(instead))
        if self._function is None or not self._ledger.covers(self._given):
            return
        if payload.plain_columns(columns):
            digest, kept = arguments.of_batch(columns)
        else:
            keys = [key for key, _ in rows]
            digest = digests.digest(*keys) if keys and all(keys) else None
            kept = arguments.of_keys(keys, [frame for _, frame in rows])
        if digest is not None:
            again = failing_values(part, self._failed_value)
            saved = Saved(
                part.start, part.stop, digest, part.plain, part.outcomes, part.failed, kept, again,
                tuple(instead),
            )  # fmt: skip
            self._settle_part(self._file.save(self._number, self._function, saved), tasks)

    def _taken_back(self, tasks: range) -> list[Outcome]:
        return [self._instead.pop(task) for task in tasks if task in self._instead]

    def _count(self, tasks: range, retried: int) -> None:
        """Count tasks that were computed, by the reason for that."""
        left = len(tasks) - retried
        if self._changed_end:
            changed = min(left, max(0, min(tasks.stop, self._changed_end) - tasks.start))
            self._ledger.tally.add_changed(self._name, changed)
            self._ledger.tally.add(new=left - changed, retried=retried)
            return
        first, last = self._others or (0, 0)
        others = min(left, max(0, min(tasks.stop, last) - max(tasks.start, first)))
        self._ledger.tally.add(new=left - others, others=others, retried=retried)

    def _digest(self, first: int, columns: Columns) -> bytes | None:
        """Return the digest of tasks' arguments from the first on; None where they have none."""
        if payload.plain_columns(columns):
            return digests.digest(*columns)
        keys = arguments.keys_of(columns, self._where, first)
        return digests.digest(*keys) if all(keys) else None
