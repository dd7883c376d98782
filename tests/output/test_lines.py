"""Unfinished lines and the outlet of rank 0: pure logic, and threads of this process. No ranks."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import defaultdict

import pytest

from scoopmpi.output.lines import LONGEST_LINE, Lines
from scoopmpi.output.outlet import Outlet

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_of_several_owners_never_mix(seed: int) -> None:
    chance = random.Random(seed)
    texts = {owner: [f"{owner}:{n}\n" for n in range(50)] for owner in "abcd"}
    left = {owner: "".join(lines).encode() for owner, lines in texts.items()}
    lines, out = Lines(), b""
    while any(left.values()):
        owner = chance.choice([owner for owner in left if left[owner]])
        cut = chance.randrange(1, 12)
        piece, left[owner] = left[owner][:cut], left[owner][cut:]
        out += chance.choice((lines.text, lines.binary))(owner, piece)
    came = defaultdict(list)
    for line in out.decode().splitlines(keepends=True):
        came[line[0]].append(line)
    assert came == texts and not lines


def test_the_rest_of_a_task_is_kept_from_the_next_ones_line() -> None:
    lines = Lines()
    assert lines.text("worker", b"a", task=0) == b""
    assert lines.text("worker", b"b\nc", task=1) == b"ab\n"
    assert lines.rest("worker", before=1) == b""
    assert lines.rest("worker", before=2) == b"c"
    assert not lines


def test_bytes_stay_in_one_piece_until_they_end_with_a_newline() -> None:
    lines, record = Lines(), bytes(range(256))
    assert lines.binary(1, record) == b""
    assert lines.binary(1, record) == b""
    assert lines.rest(1) == 2 * record
    assert lines.binary(1, b"a\nb\n") == b"a\nb\n"


def test_a_line_without_an_end_does_not_grow_for_ever() -> None:
    lines, piece = Lines(), b"x" * 1000
    passed = b"".join(lines.text(1, piece) for _ in range(3000))
    assert len(passed) > LONGEST_LINE
    assert passed + lines.rest(1) == piece * 3000


# The outlet.


def test_an_open_line_is_ended_by_its_thread_first() -> None:
    reading, writing = os.pipe()
    outlet = Outlet()
    outlet.takes(writing)

    def put(data: bytes) -> None:
        with outlet.lock:
            outlet.turn()
            outlet.put(writing, data, threading.get_ident())

    put(b"name: ")
    other = threading.Thread(target=put, args=(b"a line\n",))
    other.start()
    time.sleep(0.02)
    put(b"me\n")
    other.join(10)
    os.close(writing)
    assert os.read(reading, 100) == b"name: me\na line\n"
    os.close(reading)


def test_a_line_that_stays_open_holds_others_for_a_moment_only() -> None:
    reading, writing = os.pipe()
    outlet = Outlet()
    outlet.takes(writing)
    with outlet.lock:
        outlet.put(writing, b"name: ", -1)
        begun = time.monotonic()
        outlet.turn()
        outlet.put(writing, b"a line\n", None)
    assert 0.05 < time.monotonic() - begun < 5
    os.close(writing)
    assert os.read(reading, 100) == b"name: a line\n"
    os.close(reading)
