"""What tasks have in common, on real ranks: where it lies, and what if it may not lie there."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.constants.test_hostmemory import missing
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(missing() is not None, reason=f"{missing()}"),
]
MB = 1 << 20

CLOSURE = """
import os
import numpy as np
from scoopmpi import futures

def proportional():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))

def largest():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))

if __name__ == "__main__":
    before = largest()
    array = np.ones(200 << 17)

    def score(number):
        import time
        time.sleep(0.01)
        array[number] += array.sum()  # its worker's own
        return os.getpid(), proportional()

    shares = dict(futures.map(score, range(200)))
    print([largest() - before, proportional(), *shares.values()], bool((array == 1).all()))
"""


@pytest.mark.alone
def test_a_closure_of_200_mb_is_on_its_host_once(first_library: Library, tmp_path: Path) -> None:
    """Beside it the program's own array; what else a worker has is Python, numpy and MPI."""
    (tmp_path / "program.py").write_text(CLOSURE)
    command = [sys.executable, "-m", "scoopmpi", "-n", "9", "program.py"]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    *numbers, unchanged = answer.stdout.rsplit(" ", 1)
    at_rank_0, *shares = ast.literal_eval(numbers[0])
    assert unchanged.strip() == "True"
    assert at_rank_0 < 3 * 200 * MB
    assert len(shares) > 6 and sum(shares) < 2 * 200 * MB + 40 * MB * len(shares)


LIMITED = """
import itertools, resource
import numpy as np
from scoopmpi import futures

def spoil(array, number):
    found = array.sum() + number
    array[:] = 0
    return float(found)

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    array = np.ones(1 << 18)
    for _ in range(3):
        found = list(futures.map(spoil, itertools.repeat(array), range(30)))
        assert found == [array.size + number for number in range(30)], found
        found = list(futures.map(lambda x: float(array[x]) + x, range(9)))
        assert found == [x + 1 for x in range(9)]
        calls = [futures.submit(spoil, array, number=x) for x in range(9)]
        assert [call.result() for call in calls] == [array.size + x for x in range(9)]
    print("right")
"""


def test_where_shared_memory_is_small_all_goes_with_each_task(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(LIMITED)
    command = [sys.executable, "-m", "scoopmpi", "-n", "3", "program.py"]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "right\n"
    assert answer.stderr.count("large arguments that tasks have in common are sent with each") == 1
    assert answer.stderr.count("File too large") == 1 == len(answer.stderr.splitlines())
