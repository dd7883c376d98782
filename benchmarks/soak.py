"""Whether memory grows: `myscoop benchmarks/soak.py [--seconds 600 | --rounds N]`.

Rounds of jobs of every kind, one after the other; after a fifth of them the resident memory of all
ranks is noted again and again. The table shows it; the status is 1 where it grows on some rank.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from contextlib import suppress
from itertools import islice
from typing import Any

from scoopmpi import futures

HERE = os.path.abspath(__file__)
MOST_MIB = 4.0
"""Growth from the first to the last third; a heap that is used unevenly moves by less."""
SAMPLES = 30


def resident() -> float:
    """MiB of this process (proc(5), /proc/self/statm)."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def square(x: Any) -> Any:
    return x * x


def fails(x: int) -> int:
    raise ValueError("no", x, bytes(1000))


def nested(count: int) -> int:
    return sum(futures.map(square, range(count))) + futures.submit(square, count).result()


def mine(_: int) -> tuple[int, float]:
    """A rank and its memory; slow enough for the others to get one too."""
    from scoopmpi.process import identity

    time.sleep(0.005)
    return identity.this.rank, resident()


def one_round(number: int) -> None:
    """Some of everything."""
    assert sum(futures.map(square, range(50))) == 40425
    assert sum(futures.map(lambda x: x + number, range(5))) == 10 + 5 * number
    assert [call.result() for call in [futures.submit(square, x) for x in range(20)]][3] == 9
    assert list(futures.map(nested, [4])) == [14 + 16]
    assert sum(map(len, futures.map_as_completed(bytes, [10_000] * 4))) == 40_000
    assert len(list(islice(futures.map(square, iter(range(1000))), 3))) == 3
    with suppress(ValueError):
        list(futures.map(fails, range(3)))
    assert futures.mapReduce(square, max, range(10)) == 81


def sample(ranks: int) -> dict[int, float]:
    """The memory of all ranks."""
    found: dict[int, float] = {0: resident()}
    while len(found) < ranks:
        found.update(futures.map(mine, range(4 * ranks)))
    return found


def growth(samples: list[float]) -> float:
    """MiB by which the last third is above the first."""
    third = max(1, len(samples) // 3)
    return statistics.median(samples[-third:]) - statistics.median(samples[:third])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rounds", type=int)
    asked = parser.parse_args()
    from scoopmpi.process import identity

    begun, number, samples = time.monotonic(), 0, []
    done = 0.0
    while done < 1:
        one_round(number)
        number += 1
        past = (time.monotonic() - begun) / asked.seconds
        done = number / asked.rounds if asked.rounds else past
        if done >= 0.2 + 0.8 * len(samples) / SAMPLES:
            samples.append(sample(identity.this.size))
    grown = {rank: growth([each[rank] for each in samples]) for rank in sorted(samples[0])}
    print(f"{number} rounds in {time.monotonic() - begun:.0f} s; resident memory in MiB\n")
    print("| | after warming up | at the end | growth |\n|---|---:|---:|---:|")
    for rank, by in grown.items():
        print(f"| rank {rank} | {samples[0][rank]:.1f} | {samples[-1][rank]:.1f} | {by:+.2f} |")
    return int(any(by > MOST_MIB for by in grown.values()))


if __name__ == "__main__":
    sys.exit(main())
