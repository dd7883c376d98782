"""Who tasks are and what they draw, on real ranks: however many there are, and if some of them die.

What must not depend on ranks is shown in memory in `test_pedigree`; here it is one program, as a
user starts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = [pytest.mark.timeout(90), pytest.mark.first]
PROGRAM = """
import json, operator, os, random, signal, sys
import scoopmpi
from scoopmpi import MPIExecutor, Pool, futures, task


def draw(x):
    if x == 3 and len(sys.argv) > 1 and task.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    numbers = [task.rng().random() for _ in range(2)]
    return [task.job, task.index, *numbers, task.random().random()]


def nested(x):
    return [*futures.map(draw, range(10, 10 + x)), futures.submit(draw, 10).result(), draw(10)]


def listed(x):
    return [draw(10 + x)]


def who(x):
    return task.rank, task.attempt, task.host, round(task.seconds_left), task.function


if __name__ == "__main__":
    found = [*futures.map(draw, range(20)), *futures.map(nested, range(6))]
    found.append(futures.mapReduce(listed, operator.add, range(50)))
    found.extend(call.result() for call in [futures.submit(draw, x) for x in (10, 11)])
    found.extend(Pool().imap(draw, [10, 11]))
    with MPIExecutor() as executor:
        found.extend(executor.map(draw, [10, 11]))
    print(json.dumps([scoopmpi.seed(), found]))
    print(json.dumps(list(futures.map(who, range(10), task_timeout=100))), file=sys.stderr)
"""


def run(library: Library, place: Path, *words: str) -> str:
    (place / "draws.py").write_text(PROGRAM)
    done = start(library, [*MYSCOOP, *words], cwd=place, timeout=40)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numbers_depend_on_the_seed_and_nothing_else(
    first_library: Library, tmp_path: Path
) -> None:
    """With one worker and three, one of which dies, and without a farm."""
    seed, numbers = json.loads(expected := run(first_library, tmp_path, "-n", "1", "draws.py"))
    again = run(first_library, tmp_path, "-n", "3", "--seed", str(seed), "draws.py", "die")
    assert again == expected
    program = f"import draws, scoopmpi, runpy; scoopmpi.seed({seed})\n"
    program += "runpy.run_path('draws.py', run_name='__main__')"
    alone = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=40, check=True,
    )  # fmt: skip
    assert alone.stdout == expected
    assert json.loads(alone.stderr)[0][:2] == [0, 1]
    flat = json.dumps(numbers).replace("[", "").replace("]", "").split(",")
    drawn = [number for number in flat if "." in number]
    assert len(set(drawn)) == len(drawn) > 300
    other = json.loads(run(first_library, tmp_path, "-n", "1", "draws.py"))
    assert other[0] != seed and other[1] != numbers, "two jobs of an array draw other numbers"


def test_a_checkpoint_goes_on_with_its_seed(first_library: Library, tmp_path: Path) -> None:
    words = ["-n", "2", "--checkpoint", "draws.ckpt", "draws.py"]
    expected = run(first_library, tmp_path, *words)
    assert run(first_library, tmp_path, *words) == expected
    assert json.loads(run(first_library, tmp_path, "--seed", "5", *words))[0] == 5
