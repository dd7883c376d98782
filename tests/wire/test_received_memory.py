"""Memory of large arrays on real ranks: it does not grow, and goes back when nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import start_ranks

pytestmark = [pytest.mark.alone, pytest.mark.timeout(100)]

PROGRAM = """
import os
import time
import numpy
from scoopmpi import futures

MIB = 1 << 17  # numbers in a MiB
SIZES = [MIB // 2, MIB, MIB + 999, 2 * MIB + 1]

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

def there_and_back(array):
    a = array * 2
    b = a + array  # which stays in its worker's memory
    return a

def on_workers(_):
    time.sleep(0.05)
    return resident()

def sizes():
    return resident(), max(futures.map(on_workers, range(4)))

def rounds(count):
    for number in range(count):
        arrays = [numpy.full(size, number) for size in SIZES]
        values = list(futures.map(there_and_back, arrays))
        assert all((value == 2 * number).all() for value in values), number

if __name__ == "__main__":
    before = sizes()
    rounds(50)
    warm = sizes()
    rounds(1000)
    after = sizes()
    kept = list(futures.map(numpy.ones, [MIB] * 100 + [16 * MIB + MIB // 10] * 8))
    holding, asked = resident(), sum(value.nbytes for value in kept) / 2**20
    del kept
    time.sleep(9)  # rank 0's thread sleeps, and wakes up for this alone
    idle = resident(), max(futures.map(on_workers, range(4)))
    for name, value in [("warm", warm), ("after", after), ("idle", idle)]:
        print(name, *(round(mine - its) for mine, its in zip(value, before)))
    print("kept", round(holding - after[0]), round(asked))
"""


def test_resident_size_is_flat_and_goes_back(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    answer = start_ranks(first_library, 3, ["-m", "scoopmpi", "program.py"], tmp_path, timeout=90)
    assert answer.returncode == 0, answer.stderr
    found = {name: [*map(int, rest)] for name, *rest in map(str.split, answer.stdout.splitlines())}
    for warm, after in zip(found["warm"], found["after"], strict=True):
        assert after <= warm + 15, f"grows, in MiB: {found}"
    for idle in found["idle"]:
        assert idle <= 20, f"is not given back, in MiB: {found}"
    more, asked = found["kept"]
    assert more <= asked * 1.1 + 10, f"a list that is kept wastes memory, in MiB: {found}"


EXIT = """
import numpy
from scoopmpi import futures

def make(n):
    return numpy.ones(n)

class Bag:
    def __del__(self):
        assert self.array[5] == 1

if __name__ == "__main__":
    bag = Bag()
    bag.array, *others = futures.map(make, [200_000] * 20)
    bag.me = bag
    held, module = others[3][7:], __import__("sys")
    module.held = others[4:]
    print(held[0])
"""


def test_arrays_may_outlive_the_farm_and_the_interpreter(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(EXIT)
    answer = start_ranks(first_library, 2, ["-m", "scoopmpi", "program.py"], tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "1.0\n", "")
