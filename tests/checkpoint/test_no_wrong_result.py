"""Whatever happens to a file or between runs: a value is right, or it is computed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy
import pytest

from scoopmpi import futures
from scoopmpi.checkpoint import arguments, digests
from scoopmpi.checkpoint.file_checks import CheckpointError
from scoopmpi.checkpoint.known import Known
from scoopmpi.checkpoint.rows import Outcome
from scoopmpi.checkpoint.tables import Move, Place, joined
from tests.checkpoint.test_record import SEEDS, running

pytestmark = pytest.mark.timeout(100)


def told(x: Any, y: Any = 0) -> Any:
    """A value that says of which arguments it is; some fail."""
    if x == 13:
        raise ValueError(f"{x!r} {y!r}")
    return f"{x!r} {y!r}" if y != 2 else [f"{x!r} {y!r}"]


def checked(chance: random.Random) -> None:
    """A program that is another one each time; all its values are right."""
    pool: list[Any] = [*range(30), "a", "1", 1.0, True, None, (1,), [1], {"k": 1}, b"1"]
    for _ in range(chance.randrange(1, 5)):
        xs = chance.choices(pool, k=chance.randrange(1, 40))
        ys = [chance.randrange(3) for _ in xs]
        if chance.random() < 0.3:
            calls = [futures.submit(told, x, y=y) for x, y in zip(xs, ys, strict=True)]
            for x, y, call in zip(xs, ys, calls, strict=True):
                error = call.exception()
                got = str(error) if error else call.result()
                assert got in (f"{x!r} {y!r}", [f"{x!r} {y!r}"])
            continue
        keep = [place for place, x in enumerate(xs) if x != 13 or chance.random() < 0.1]
        xs, ys = [xs[place] for place in keep], [ys[place] for place in keep]
        values = futures.map(told, xs if chance.random() < 0.5 else iter(xs), ys)
        try:
            for x, y, value in zip(xs, ys, values, strict=False):
                assert value in (f"{x!r} {y!r}", [f"{x!r} {y!r}"])
        except ValueError as error:
            assert str(error).startswith("13 ")


@pytest.mark.parametrize("seed", SEEDS)
def test_programs_that_change_in_each_run(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for turn in range(6):
        keep = chance.random() < 0.5
        with running(tmp_path / "run.ckpt", seed + turn, keep_failures=keep):
            checked(random.Random(chance.choice([seed, seed + 1, chance.random()])))


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_files(tmp_path: Path, seed: int) -> None:
    path, chance = tmp_path / "run.ckpt", random.Random(seed)
    for turn in range(3):
        with running(path, seed + turn):
            checked(random.Random(turn))
    whole = path.read_bytes()
    used = 0
    for _ in range(8):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            with running(path, seed):
                checked(random.Random(chance.randrange(3)))
            used += 1
        except CheckpointError:
            pass
    assert used


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_that_were_exchanged(tmp_path: Path, seed: int) -> None:
    """By somebody who knows SQLite: each column of some parts gets another part's value."""
    import sqlite3

    path, chance = tmp_path / "run.ckpt", random.Random(seed)
    with running(path, seed):
        checked(random.Random(seed))
        checked(random.Random(seed + 1))
    connection = sqlite3.connect(path)
    columns = ["function", "job", "start", "stop", "digest", "plain", "failed", "instead",
               "arguments", "head", "data", "checksum"]  # fmt: skip
    (last,) = connection.execute("SELECT max(part) FROM parts").fetchone()
    for _ in range(10):
        column = chance.choice(columns)
        one, other = chance.randrange(1, last + 1), chance.randrange(1, last + 1)
        connection.execute(
            f"UPDATE parts SET {column}=(SELECT {column} FROM parts WHERE part=? AND piece=0) "
            "WHERE part=? AND piece=0",
            (one, other),
        )
        move = [chance.randrange(-2, 30) for _ in range(6)]
        connection.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?)", move)
    connection.commit()
    connection.close()
    with running(path, seed, keep_failures=True):
        checked(random.Random(seed))
        checked(random.Random(seed + 1))


def test_threads_never_get_the_same_outcome() -> None:
    places = [Place(part, 1, part % 3, 0, 50, b"", b"") for part in range(40)]
    keys = [b"%d" % (number % 7) for number in range(50)]
    known = Known(1, lambda: places, lambda place: list(keys), set(), set())
    got: Counter[Outcome] = Counter()
    lock = threading.Lock()

    def ask(seed: int) -> None:
        chance, mine = random.Random(seed), list[Outcome]()
        for task in range(400):
            place, key = chance.choice(places), chance.choice(keys)
            way = chance.randrange(3)
            hit: Outcome | None = None
            if way == 0 and chance.random() < 0.05 and known.claim(place):
                mine += [Outcome(place.part, number) for number in range(50)]
            elif way == 1:
                at = [(task, place.part, chance.randrange(60))]
                hit = known.claim_tasks({task: key}, at).get(task)
            elif way == 2:
                hit = known.find_tasks({task: key}, 1).get(task)
            if hit is not None:
                mine.append(hit)
                assert keys[hit.place] == key
        with lock:
            got.update(mine)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got and set(got.values()) == {1}


VALUES: list[Any] = [
    1, 1.0, True, "1", b"1", None, 0, 0.0, -0.0, False, 2**70, -1, 1j, float("inf"), "", b"",
    "\ud800",
    (), (1,), (1.0,), (True,), ((1,),), [1], [], {}, {1}, frozenset({1}), {1: 1},
    numpy.float64(1), numpy.int64(1), numpy.float32(1), numpy.bool_(True), numpy.zeros(1),
    range(1), int, len,
]  # fmt: skip


def test_keys_tell_all_values_apart() -> None:
    rows = [(value,) for value in VALUES] + [(1, value) for value in VALUES] + [()]
    found = [arguments.key(row) for row in rows]
    assert None not in found and len(set(found)) == len(rows)
    text = "".join(["a", "b", "c" * 300])
    once, twice = arguments.key((text, text)), arguments.key((text, "".join(["ab", "c" * 300])))
    assert once == twice


def test_a_key_is_the_same_in_a_batch_of_any_kind() -> None:
    rows: list[tuple[Any, ...]] = [(1, "a"), (2.5, "b"), (3, "c")]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    expected = [arguments.key(row) for row in rows]
    _, plain = arguments.of_batch(columns)
    assert arguments.keys(plain, 3) == expected
    mixed = arguments.of_keys(expected, [None] * 3)
    assert arguments.keys(mixed, 3) == expected
    assert arguments.of_call(rows[1], {}, (1, 1))[0] == expected[1]
    named = arguments.of_call((1,), {"y": "a"}, (1, 1))[0]
    assert named not in expected and named == arguments.of_call((1,), {"y": "a"}, (1, 1))[0]
    assert arguments.keys(arguments.of_batch([range(5)])[1], 5) == [
        arguments.key((x,)) for x in range(5)
    ]


def test_arguments_that_were_damaged_are_unknown() -> None:
    _, text = arguments.of_batch([range(5)])
    for place in range(len(text)):
        spoilt = bytearray(text)
        spoilt[place] ^= 4
        assert arguments.keys(bytes(spoilt), 5) == [None] * 5
        assert arguments.shown(bytes(spoilt), 5) == [None] * 5
    assert arguments.keys(b"", 2) == arguments.keys(text, 2) == [None] * 2


def test_moves_are_joined_where_they_follow_each_other() -> None:
    moves = [Move(1, 2, task, task + 1, 5, task + 3) for task in range(4)]
    moves += [Move(1, 2, 4, 5, 6, 7), Move(1, 2, 9, 10, 6, 8), Move(0, 2, 4, 5, 5, 7)]
    assert list(joined(moves)) == [
        Move(0, 2, 4, 5, 5, 7), Move(1, 2, 0, 4, 5, 3), Move(1, 2, 4, 5, 6, 7),
        Move(1, 2, 9, 10, 6, 8),
    ]  # fmt: skip


def test_digests_and_keys_are_apart() -> None:
    assert arguments.key((1,)) != digests.digest((1,))
