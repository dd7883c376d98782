"""What a log says of the items of former runs: the last word on each number counts.

An item that has ended well is done for as long as no later line has its number: where the table was
edited and edited back, what the item has left is of the other row, and it runs again. Where it was
started once more without an end it is as new.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from ..items.item import Item
from . import lines, reading
from .last_words import LastWords
from .lines import Entry


class State(enum.Enum):
    """What is known of an item."""

    NEW = 0
    """Nothing is, or it was started and has not ended."""
    DONE = 1
    FAILED = 2
    CHANGED = 3
    """Another item had its number: the table or the command was edited."""


_STATES = tuple(State)
_NEW, _DONE, _FAILED = State.NEW.value, State.DONE.value, State.FAILED.value
_ANY = 0
"""The digest of an item of which no line has one: another program's log, or nobody has asked."""


class Counts(NamedTuple):
    """How the items of a sweep stand in its log. gone: numbers that none of them has any more."""

    items: int
    done: int
    failed: int
    changed: int
    gone: int

    def __str__(self) -> str:
        """Return the words for the user."""
        parts = [f"{self.done} of {self.items} {_are(self.done)} done"]
        if self.failed:
            have = "has" if self.failed == 1 else "have"
            parts.append(f"{self.failed} {have} failed (--retry runs them again)")
        if self.changed:
            run = "runs" if self.changed == 1 else "run"
            parts.append(f"{self.changed} had another row or command and {run} again")
        if self.gone:
            parts.append(f"{self.gone} {_are(self.gone)} not among the items any more")
        return ", ".join(parts)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


class Known:
    """Knows what one log says.

    file: the log, from its beginning; None: nothing is known.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._words = LastWords()
        self.last_run: dict[str, object] | None = None
        """What the last run has said at its beginning; None where no run of ours is in the log."""
        self.is_over = True
        """False where that run has not said that it has ended."""
        self.by_number = False
        """True where ends have no digests: another program's log, in which numbers are all."""
        self.strange = 0
        """Lines that are none of a log: torn, damaged, or somebody's remark."""
        self.example = b""
        """The first of these."""
        for block in reading.blocks(file) if file is not None else ():
            self._look(block)
        self._words.settle()

    def __len__(self) -> int:
        """Return how many numbers have ended in a way that is known."""
        return len(self._words) - self._words.count(_NEW)

    def _look(self, block: list[Entry]) -> None:
        add = self._words.add
        for (
            number, _, _, noted, digest, _, ended, word, _, _, _, lone, _, _, remark, rest,
        ) in block:  # fmt: skip
            if number and number != ended:
                add(int(number), _ANY, _NEW)
            if ended:
                if noted == ended:
                    add(int(ended), int(digest, 16), _DONE if word == b"completed" else _FAILED)
                elif self.last_run is None:
                    self.by_number = True
                    add(int(ended), _ANY, _DONE if word == b"completed" else _FAILED)
                else:  # ours always have their line in front: here it was damaged
                    self._passed_over(ended + b" " + word)
            elif lone:
                add(int(lone), _ANY, _NEW)
            elif remark:
                self._hear(remark)
            elif rest.strip():
                self._passed_over(rest)

    def _hear(self, remark: bytes) -> None:
        about = lines.facts(remark)
        if about is not None:
            self.last_run, self.is_over = about, False
        elif lines.is_over(remark):
            self.is_over = True

    def _passed_over(self, text: bytes) -> None:
        self.strange += 1
        self.example = self.example or text[:60]

    def state(self, item: Item) -> State:
        """Return what is known of an item, which has its digest; fastest in the order of items."""
        word = self._words.of(item.number)
        if word is None or word.state == _NEW:
            return State.NEW
        same = word.digest in (_ANY, int.from_bytes(item.digest, "big")) or not item.digest
        return _STATES[word.state] if same else State.CHANGED

    def count(self, items: Iterable[Item]) -> Counts:
        """Return how all items of a sweep stand, which have their digests."""
        found = [0] * len(_STATES)
        for item in items:
            found[self.state(item).value] += 1
        _, done, failed, changed = found
        gone = len(self) - done - failed - changed
        return Counts(sum(found), done, failed, changed, gone)
