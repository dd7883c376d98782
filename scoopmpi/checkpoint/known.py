"""The outcomes of one function that earlier runs have left, and who has got them.

Each is given once. A part that fits by its place is given as it is, which costs next to nothing;
its tasks are looked at one by one, by their keys, only when somebody asks for what lies elsewhere.
Nothing here compares arguments, or reads outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..concurrency.signal_lock import SignalLock
from .rows import Outcome
from .tables import Move, Place

_PLACE, _TASK = 32, 64
"""Bits of a place in a part, and of a task's number, in one number: a tuple takes five times as
much memory, and there may be millions of outcomes."""


class Known:
    """What is left of one function.

    function: its number. places: tells where all its parts lie. keys: tells those of a part.
    replaced: failures that are to be given to nobody, as there are later outcomes.
    moved: the numbers of parts of which tasks elsewhere have got outcomes.
    """

    def __init__(
        self,
        function: int,
        places: Callable[[], Iterable[Place]],
        keys: Callable[[Place], list[bytes | None]],
        replaced: set[Outcome],
        moved: set[int],
    ) -> None:
        self.function, self._moved = function, moved
        self._ask_places, self._ask_keys, self._replaced = places, keys, replaced
        self._lock = SignalLock()  # a handler that uses the farm waits
        self._whole: set[int] = set()  # parts that were given as they are
        self._given: dict[int, bytearray] = {}  # of others: 1 for each outcome that was given
        self._keys: dict[int, list[bytes | None]] | None = None
        self._several: dict[bytes, list[int]] = {}  # outcomes of a key, the first one last
        self._single: dict[bytes, int] = {}  # its only one; below 0, who has got that
        self._moves: list[Move] = []
        self._places: dict[int, Place] = {}

    def claim(self, place: Place) -> bool:
        """Give a part as it is; False where others have got some of it, in this run or the last."""
        with self._lock:
            taken = place.part in self._whole or place.part in self._given
            if taken or place.part in self._moved:
                return False
            self._whole.add(place.part)
            return True

    def claim_tasks(
        self, keys: Mapping[int, bytes], places: Iterable[tuple[int, int, int]]
    ) -> dict[int, Outcome]:
        """Give tasks the outcomes that lie at places of theirs, where these have the same keys.

        keys: of the tasks. places: tasks with parts, and the outcomes' places in these.
        """
        hits: dict[int, Outcome] = {}
        with self._lock:
            learnt = self._learnt()
            for task, part, number in places:
                found = learnt.get(part, ())
                fits = task not in hits and 0 <= number < len(found)
                if fits and found[number] == keys[task] and self._give(part, number):
                    hits[task] = Outcome(part, number)
        return hits

    def find_tasks(self, keys: Mapping[int, bytes], job: int) -> dict[int, Outcome]:
        """Give tasks outcomes of the same keys, wherever they lie, the first that were saved first.

        keys: of the tasks of that job.
        """
        hits: dict[int, Outcome] = {}
        with self._lock:
            self._learnt()
            for task, key in keys.items():
                if key in self._single:
                    found = self._only(key, job, task)
                else:
                    found = self._first(key, job, task)
                if found is not None:
                    hits[task] = found
        return hits

    def take_moves(self) -> list[Move]:
        """Return which tasks have got outcomes of elsewhere of which there may be more alike.

        Those since the last time; to be noted, so that another run gives each the same one.
        """
        with self._lock:
            moves, self._moves = self._moves, []
            return moves

    def where(self, outcome: Outcome) -> Place:
        """Return the place of the part in which an outcome that was given lies."""
        return self._places[outcome.part]

    def _only(self, key: bytes, job: int, task: int) -> Outcome | None:
        """Give the only outcome of a key."""
        code = self._single[key]
        if code < 0:  # another task like this one has it: they must not change places
            owner, outcome = divmod(-1 - code, 1 << (_PLACE + _TASK))
            of, other = divmod(owner, 1 << _TASK)
            self._moves.append(Move(of, self.function, other, other + 1, *_outcome(outcome)))
            del self._single[key]
            return None
        found = _outcome(code)
        if not self._give(*found):
            return None
        self._single[key] = -1 - ((job << _TASK | task) << (_PLACE + _TASK) | code)
        return found

    def _first(self, key: bytes, job: int, task: int) -> Outcome | None:
        """Give the first that is left of several outcomes of a key."""
        left = self._several.get(key)
        while left:
            found = _outcome(left.pop())
            if self._give(*found):
                self._moves.append(Move(job, self.function, task, task + 1, *found))
                return found
        return None

    def _give(self, part: int, number: int) -> bool:
        given = self._given.get(part)
        if part in self._whole or (given is not None and given[number]):
            return False
        if self._replaced and (part, number) in self._replaced:
            return False
        if given is None:
            assert self._keys is not None
            given = self._given[part] = bytearray(len(self._keys[part]))
        given[number] = 1
        return True

    def _learnt(self) -> dict[int, list[bytes | None]]:
        """Return the keys of the parts that had not been given when somebody first asked."""
        if self._keys is not None:
            return self._keys
        self._keys = {}
        single, several = self._single, self._several
        for place in self._ask_places():
            part = place.part
            if part in self._whole:
                continue
            self._places[part] = place
            self._keys[part] = self._ask_keys(place)
            for code, key in enumerate(self._keys[part], part << _PLACE):
                if key is None:
                    continue
                if key in several:
                    several[key].append(code)
                elif key in single:
                    several[key] = [single.pop(key), code]
                else:
                    single[key] = code
        for codes in several.values():
            codes.reverse()
        return self._keys


def _outcome(code: int) -> Outcome:
    return Outcome(*divmod(code, 1 << _PLACE))
