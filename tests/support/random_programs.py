"""Programs with values of all sizes, by seed: maps and calls, the same array and many, kept or not.

A task says what it was given, gives what it was asked for, writes into both and keeps some. All of
it is compared with what the seed says. For any executor whose tasks get copies.
"""

from __future__ import annotations

import collections
import functools
import itertools
import pickle
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

SIZES = (0, 1, 300, (1 << 16) - 8, 1 << 16, 100_000, 1 << 20, (1 << 20) + 8, 3 << 20, 20 << 20)
"""Bytes of a value: the limits of what is small, and beyond them."""
MOST_BYTES = 60 << 20
"""Of all values of one map."""
SPOILED = 251
FORMS = ("array", "columns", "bytes", "bytearray", "part", "own", "list", "dict", "texts")


class Own:
    """A class of the user's whose memory travels beside it."""

    def __init__(self, memory: Any, note: str) -> None:
        self.memory, self.note = memory, note

    def __reduce_ex__(self, protocol: int) -> Any:
        return Own, (pickle.PickleBuffer(self.memory), self.note)


class Spec(NamedTuple):
    """A value: how it is made, and what is in it. number: 0 to 250."""

    form: str
    size: int
    number: int


def made(spec: Spec) -> Any:
    """Return the value."""
    form, size, number = spec
    if form == "bytes":
        return bytes([number]) * size
    if form == "bytearray":
        return bytearray([number]) * size
    if form == "texts":
        return chr(97 + number % 26) * size
    array = np.full(size, number, "u1")
    if form == "columns":
        return np.asfortranarray(array.reshape(-1, 4)) if size % 4 == 0 else array
    if form == "part":
        return np.full(size + 9, number, "u1")[9:]
    if form == "own":
        return Own(bytearray(array), "own")
    if form == "list":
        return [array, array[: size // 2], number]
    return {"array": array, 3: ("x", array[:0])} if form == "dict" else array


def parts(value: Any) -> list[Any]:
    """Return the memory of a value."""
    if isinstance(value, Own):
        assert value.note == "own"
        return [value.memory]
    if isinstance(value, list):
        return value[:2]
    if isinstance(value, dict):
        return [value["array"]]
    return [value]


def flat(part: Any) -> Any:
    """Return memory as bytes in a row, which can be written to where it can be."""
    if isinstance(part, np.ndarray):
        return part.ravel("K")
    return np.asarray(memoryview(part.encode() if isinstance(part, str) else part))


def content(value: Any) -> tuple[str, int, int]:
    """Return a value's type, bytes and number; an error where there are two numbers in it."""
    size, numbers = 0, set[int]()
    for part in map(flat, parts(value)):
        size += part.size
        if part.size:
            numbers |= {int(part.min()), int(part.max())}
    assert len(numbers) < 2, f"{numbers} in a {type(value).__name__} of {size} bytes"
    return type(value).__name__, size, numbers.pop() if numbers else -1


@functools.cache
def expected(spec: Spec) -> tuple[str, int, int]:
    return content(made(spec))


def spoil(value: Any) -> None:
    fill(value, SPOILED)


def fill(value: Any, number: int) -> None:
    for part in map(flat, parts(value)):
        if part.flags.writeable:
            part[:] = number


KEPT: collections.deque[tuple[Any, Any]] = collections.deque(maxlen=12)
"""What tasks of this process have kept, with what was in it."""


def work(value: Any, wanted: Spec, choice: int) -> Any:
    """A task. choice: what it does with its argument."""
    for kept, was in KEPT:
        assert content(kept) == was, "what a task has kept has changed"
    found = content(value)
    if choice == 0:
        KEPT.append((value, found))
    elif choice == 1:
        spoil(value)
    elif choice == 2:
        return found, [value, made(wanted)]
    return found, made(wanted)


def work_on_row(row: Any) -> Any:
    return work(*row)


def with_partial(value: Any, wanted: Spec, choice: int) -> Any:
    return work(value, wanted, max(choice, 2))  # what it holds stays what it is on its worker


class Program:
    """A program of so many steps.

    seed: decides on everything. most: bytes of the largest value.
    """

    def __init__(self, executor: Any, seed: int, most: int) -> None:
        self.executor, self.chance = executor, random.Random(seed)
        self.sizes = [size for size in SIZES if size <= most]
        self.kept: list[tuple[Any, Any]] = []

    def run(self, steps: int) -> None:
        """Raises AssertionError where anything is not as it has to be."""
        ways = (self.distinct, self.same, self.rows, self.calls, self.partial, self.abandoned)
        for _ in range(steps):
            self.chance.choice(ways)()
            for value, was in self.kept:
                assert content(value) == was, "a result that the program has kept has changed"
            if self.chance.random() < 0.2:
                self.kept.clear()

    # Steps.

    def distinct(self) -> None:
        plan = self.plan()
        values = (made(given) for given, *_ in plan)
        columns = [wanted for _, wanted, _ in plan], [choice for *_, choice in plan]
        self.compare(plan, self.executor.map(work, values, *columns))

    def same(self) -> None:
        plan = self.plan(same=True)
        value = made(plan[0][0])
        columns = [wanted for _, wanted, _ in plan], [choice for *_, choice in plan]
        self.compare(plan, self.executor.map(work, itertools.repeat(value), *columns))
        assert content(value) == expected(plan[0][0])

    def rows(self) -> None:
        """Tuples, some of which hold the same value."""
        plan = self.plan(same=self.chance.random() < 0.5)
        known: dict[Spec, Any] = {}
        rows = [(known.setdefault(row[0], made(row[0])), *row[1:]) for row in plan]
        self.compare(plan, self.executor.map(work_on_row, rows))

    def calls(self) -> None:
        """Calls in a row with one value, which changes in between."""
        plan, told, calls = self.plan(same=True), [], []
        given = plan[0][0]
        value = made(given)
        for _, wanted, choice in plan:
            if self.chance.random() < 0.3 and given.form not in ("bytes", "texts"):
                given = given._replace(number=self.chance.randrange(251))
                fill(value, given.number)
            told.append((given, wanted, choice))
            calls.append(self.executor.submit(work, value, wanted=wanted, choice=choice))
        spoil(value)
        self.compare(told, (call.result() for call in calls))

    def partial(self) -> None:
        plan = self.plan(same=True)
        function = functools.partial(with_partial, made(plan[0][0]))
        columns = [wanted for _, wanted, _ in plan], [choice for *_, choice in plan]
        self.compare(
            [(given, wanted, max(choice, 2)) for given, wanted, choice in plan],
            self.executor.map(function, *columns),
        )

    def abandoned(self) -> None:
        plan = self.plan()
        columns = [wanted for _, wanted, _ in plan], [choice for *_, choice in plan]
        values = self.executor.map(work, [made(given) for given, *_ in plan], *columns)
        for _ in range(self.chance.randrange(len(plan))):
            next(values)
        del values

    # What is to happen, and whether it has.

    def plan(self, same: bool = False) -> list[tuple[Spec, Spec, int]]:
        """Return the tasks of a map: what each gets, what it gives, and what it does."""
        count, most = self.chance.randrange(1, 25), MOST_BYTES
        first = self.spec()
        found: list[tuple[Spec, Spec, int]] = []
        for _ in range(count):
            row = (first if same else self.spec(), self.spec(), self.chance.randrange(6))
            most -= row[0].size + row[1].size
            if found and most < 0:
                break
            found.append(row)
        return found

    def spec(self) -> Spec:
        chance = self.chance
        size = max(0, chance.choice(self.sizes) + chance.choice((0, 0, -1, 1)))
        return Spec(chance.choice(FORMS), size, chance.randrange(251))

    def compare(self, plan: list[tuple[Spec, Spec, int]], values: Iterator[Any]) -> None:
        for (given, wanted, choice), (found, value) in zip(plan, values, strict=True):
            assert found == expected(given), (found, given)
            if choice == 2:
                echo, value = value
                assert content(echo) == found
            assert content(value) == expected(wanted)
            if self.chance.random() < 0.2:
                self.kept.append((value, expected(wanted)))
            elif self.chance.random() < 0.3:
                spoil(value)  # it is the program's
