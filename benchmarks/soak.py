"""Whether memory grows: `myscoop benchmarks/soak.py [--seconds 600 | --rounds N] [--arrays MIB]`.

Rounds of jobs of every kind, one after the other, or four maps of large arrays each; after a fifth
of them the resident memory of all ranks is noted again and again, and what files they have open.
The table shows it; the status is 1 where it grows on some rank.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice, repeat
from typing import Any, NamedTuple

from scoopmpi import futures

HERE = os.path.abspath(__file__)
MOST_MIB = 4.0
"""Growth from the first to the last third; a heap that is used unevenly moves by less."""
MOST_ARRAYS = 16
"""So many of them more may be kept at one moment than at another: what is under way, and memory
that is used again."""
MOST_FILES = 8
SAMPLES = 30


class Seen(NamedTuple):
    """Of a process: its resident memory, the shared memory that it holds open, and open files."""

    resident: float
    shared: float
    files: int


def resident() -> float:
    """MiB of this process (proc(5), /proc/self/statm)."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def seen() -> Seen:
    """Both sizes in MiB."""
    files = shared = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the directory itself has been closed by now
            files += 1
            path = f"/proc/self/fd/{name}"
            shared += os.stat(path).st_size if os.readlink(path).startswith("/memfd:") else 0
    return Seen(resident(), shared / (1 << 20), files)


def square(x: Any) -> Any:
    return x * x


def fails(x: int) -> int:
    raise ValueError("no", x, bytes(1000))


def nested(count: int) -> int:
    return sum(futures.map(square, range(count))) + futures.submit(square, count).result()


def mine(_: int) -> tuple[int, Seen]:
    """A rank and its memory; slow enough for the others to get one too."""
    from scoopmpi.process import identity

    time.sleep(0.005)
    return identity.this.rank, seen()


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


def make(numbers: int) -> Any:
    import numpy  # late: the other rounds need none, and it would be in what they measure

    return numpy.ones(numbers)


def added(table: Any, x: int = 0) -> float:
    return float(table.sum()) + x


def round_of_arrays(mib: int, number: int) -> None:
    """Results, arguments, the same array with every task, and in a function; each in 8 tasks."""
    numbers = mib << 17
    arrays = list(futures.map(make, [numbers] * 8))
    assert list(futures.map(added, arrays)) == [numbers] * 8
    table, wanted = arrays[number % 8], [numbers + x for x in range(8)]
    del arrays
    assert list(futures.map(added, repeat(table, 8), range(8))) == wanted
    assert list(futures.map(partial(added, table), range(8))) == wanted


def sample(ranks: int) -> dict[int, Seen]:
    """The memory of all ranks."""
    found: dict[int, Seen] = {0: seen()}
    while len(found) < ranks:
        found.update(futures.map(mine, range(4 * ranks)))
    return found


def growth(samples: list[float]) -> float:
    """MiB by which the last third is above the first."""
    third = max(1, len(samples) // 3)
    return statistics.median(samples[-third:]) - statistics.median(samples[:third])


def asked() -> argparse.Namespace:
    """What the words on the command line say."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--seconds", type=float, default=600.0)
    reader.add_argument("--rounds", type=int)
    reader.add_argument("--arrays", type=int, metavar="MIB", help="rounds of arrays of this size")
    return reader.parse_args()


def sampled(
    one: Callable[[int], None], seconds: float, rounds: int | None
) -> tuple[int, list[dict[int, Seen]]]:
    """How many rounds have run, and what was seen of all ranks behind the first fifth of them."""
    from scoopmpi.process import identity

    begun, number, done = time.monotonic(), 0, 0.0
    samples: list[dict[int, Seen]] = []
    while done < 1:
        one(number)
        number += 1
        done = number / rounds if rounds else (time.monotonic() - begun) / seconds
        if done >= 0.2 + 0.8 * len(samples) / SAMPLES:
            samples.append(sample(identity.this.size))
    return number, samples


def main() -> int:
    options, begun = asked(), time.monotonic()
    one = partial(round_of_arrays, options.arrays) if options.arrays else one_round
    number, samples = sampled(one, options.seconds, options.rounds)
    most = MOST_MIB + MOST_ARRAYS * (options.arrays or 0)
    print(f"{number} rounds in {time.monotonic() - begun:.0f} s; memory in MiB\n")
    print("| | after warming up | at the end | growth | shared, held open | open files, growth |")
    print("|---|---:|---:|---:|---:|---:|")
    grows = False
    for rank in sorted(samples[0]):
        of_rank = [each[rank] for each in samples]
        by, files = (growth([each[place] for each in of_rank]) for place in (0, 2))
        first, last = of_rank[0].resident, of_rank[-1]
        print(
            f"| rank {rank} | {first:.1f} | {last.resident:.1f} | {by:+.2f} | "
            f"{last.shared:.1f} | {last.files} ({files:+.0f}) |"
        )
        grows |= by > most or last.shared > most or files > MOST_FILES
    return int(grows)


if __name__ == "__main__":
    sys.exit(main())
