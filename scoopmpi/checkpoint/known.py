"""The outcomes of one function that earlier runs have left, and who has got them.

Each is given once. A part that fits by its place is given as it is, which costs next to nothing;
its tasks are looked at one by one, by their keys, only when somebody asks for what lies elsewhere.
Nothing here compares arguments, or reads outcomes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from .rows import Outcome
from .tables import Move, Place


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
        self._lock = threading.Lock()
        self._whole: set[int] = set()  # parts that were given as they are
        self._given: dict[int, set[int]] = {}  # of others: the places that were given
        self._keys: dict[int, list[bytes | None]] | None = None
        self._by_key: dict[bytes, deque[Outcome]] = {}
        self._alike: set[bytes] = set()  # keys of which there are several outcomes
        self._alone: dict[bytes, Move] = {}  # who has got the only outcome of a key
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

    def claim_task(self, part: int, number: int, key: bytes) -> Outcome | None:
        """Give one outcome of a part; None where its task has another key, or it was given before.

        number: its place in the part.
        """
        with self._lock:
            keys = self._learnt().get(part, [])
            outcome = Outcome(part, number)
            fits = 0 <= number < len(keys) and keys[number] == key
            return outcome if fits and self._give(outcome) else None

    def find(self, key: bytes, job: int, task: int) -> Outcome | None:
        """Give an outcome of a task with that key, the first that was saved; None without one.

        job, task: who gets it.
        """
        with self._lock:
            self._learnt()
            left = self._by_key.get(key)
            while left:
                if self._give(found := left.popleft()):
                    move = Move(job, self.function, task, task + 1, *found)
                    if key in self._alike:
                        self._moves.append(move)
                    else:
                        self._alone[key] = move
                    return found
            if key in self._alone:  # another task like this one: they must not change places
                self._moves.append(self._alone.pop(key))
            return None

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

    def _give(self, outcome: Outcome) -> bool:
        given = outcome.place in self._given.get(outcome.part, ())
        if given or outcome.part in self._whole or outcome in self._replaced:
            return False
        self._given.setdefault(outcome.part, set()).add(outcome.place)
        return True

    def _learnt(self) -> dict[int, list[bytes | None]]:
        """Return the keys of the parts that had not been given when somebody first asked."""
        if self._keys is None:
            self._keys = {}
            for place in self._ask_places():
                if place.part not in self._whole:
                    self._places[place.part] = place
                    self._keys[place.part] = self._ask_keys(place)
            for part, keys in self._keys.items():
                for number, key in enumerate(keys):
                    if key is not None:
                        several = self._by_key.setdefault(key, deque())
                        several.append(Outcome(part, number))
                        if len(several) > 1:
                            self._alike.add(key)
        return self._keys
