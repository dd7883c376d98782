"""Whole programs that were written for other executors and pools, on real ranks.

What schwimmbad, adaptive, dask and `concurrent.futures` lead programs to write; a library itself
is used where it is installed.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start, start_ranks

pytestmark = pytest.mark.timeout(120)

IDIOM = """
with Pool() as pool:
    if not pool.is_master():
        pool.wait()
        sys.exit(0)
    print(pool.map(square, range(5)), pool.size)
    print("alone")
"""


def program(place: Path, *parts: str) -> str:
    place.joinpath("prog.py").write_text("".join(parts))
    return "prog.py"


def by_myscoop(library: Library, place: Path, name: str) -> tuple[str, str]:
    answer = start(library, [*MYSCOOP, "-n", "2", name], place)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout, answer.stderr


SQUARE = """
import sys
from scoopmpi import Pool

def square(x):
    return x * x
"""
GUARD = '\nif __name__ == "__main__":\n'
FUNCTION = "\ndef main():\n" + textwrap.indent(IDIOM, "    ") + GUARD + "    main()\n"
PROGRAMS = {
    "without a guard": IDIOM,
    "with a guard": GUARD + textwrap.indent(IDIOM, "    "),
    "in a function": FUNCTION,
    "without a block": IDIOM.replace("with Pool() as pool:", "pool = Pool()\nif True:"),
    "the other way round": IDIOM.replace("not pool.is_master()", "pool.is_worker()"),
}


@pytest.mark.parametrize("how", PROGRAMS)
def test_the_idiom_of_schwimmbad(first_library: Library, tmp_path: Path, how: str) -> None:
    out, err = by_myscoop(first_library, tmp_path, program(tmp_path, SQUARE, PROGRAMS[how]))
    assert (out, err) == ("[0, 1, 4, 9, 16] 2\nalone\n", "")


def test_the_idiom_of_schwimmbad_by_hand(library: Library, tmp_path: Path) -> None:
    words = ["-m", "scoopmpi", program(tmp_path, SQUARE, IDIOM)]
    answer = start_ranks(library, 3, words, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "[0, 1, 4, 9, 16] 2\nalone\n"


def by_mpirun(library: Library, place: Path, name: str, status: int = 0) -> tuple[str, str]:
    """As an MPI program of the user's own: nobody of ours has started it."""
    answer = start_ranks(library, 3, [name], place)
    assert (answer.returncode == 0) is (status == 0), answer.stdout + answer.stderr
    return answer.stdout, answer.stderr


@pytest.mark.parametrize("how", PROGRAMS)
def test_the_idiom_of_schwimmbad_in_an_mpi_program(
    first_library: Library, tmp_path: Path, how: str
) -> None:
    out, err = by_mpirun(first_library, tmp_path, program(tmp_path, SQUARE, PROGRAMS[how]))
    assert out == "[0, 1, 4, 9, 16] 2\nalone\n" and "Warning" not in err


SESSIONS = """
from mpi4py import MPI
comm = MPI.COMM_WORLD

def inside(x):
    with Pool() as pool:
        assert pool.is_master()
        pool.wait()
        return pool.map(square, range(x)), comm.rank > 0

for number in range(3):
    pool = Pool()
    if pool.is_master():
        dropped = Pool()
        assert dropped.is_master() and dropped.map(square, [2]) == [4]
        del dropped
        assert pool.size == 2 and pool.workers == {1, 2} and pool.enabled()
        later = pool.map_async(square, range(10))
        assert pool.map(inside, [2] * 10) == [([0, 1], True)] * 10
        pool.close()
        assert later.ready()
    else:
        assert pool.is_worker() and pool.rank == comm.rank > 0
        try:
            pool.map(square, [1])
        except RuntimeError as error:
            assert "calls pool.wait()" in str(error)
        released = []
        pool.wait(lambda: released.append(number))
        assert released == [number]
    assert comm.allreduce(1) == 3  # all go on together
pool = Pool()
if pool.is_master():
    print(pool.map(square, range(3)))
    pool.apply_async(print, ("left behind",))  # not closed, and nobody waits in words
"""


def test_an_mpi_program_uses_pools_again_and_again(library: Library, tmp_path: Path) -> None:
    out, _ = by_mpirun(library, tmp_path, program(tmp_path, SQUARE, SESSIONS))
    # Of two ranks: mpirun may write the second one's line first.
    assert sorted(out.splitlines()) == ["[0, 1, 4]", "left behind"]


UNUSED = """
pool = Pool()
if not pool.is_master():
    pool.wait()
    sys.exit(0)
"""


@pytest.mark.parametrize("end", ["", "raise LookupError('from the master')\n"])
def test_an_mpi_program_ends_whose_pool_has_no_work(
    library: Library, tmp_path: Path, end: str
) -> None:
    name = program(tmp_path, SQUARE, UNUSED, end)
    _, err = by_mpirun(library, tmp_path, name, status=int(bool(end)))
    assert ("from the master" in err) is bool(end)


LATE = """
import time
from scoopmpi.executors import program_ranks
program_ranks.LATE_RANKS_SECONDS = 0.2
pool = Pool()
if pool.is_master():
    print(pool.map(square, range(3)))
else:
    time.sleep(1.5)
"""


def test_ranks_that_do_not_wait_are_named(first_library: Library, tmp_path: Path) -> None:
    out, err = by_mpirun(first_library, tmp_path, program(tmp_path, SQUARE, LATE))
    assert out == "[0, 1, 4]\n"
    assert err.count("scoopmpi: rank 0 waits for the ranks [1, 2]: they have to call") == 1


AT_EXIT = """
import atexit, warnings
from scoopmpi import MPIExecutor, Pool
warnings.simplefilter("ignore")

def too_late():
    for call in (
        lambda: executor.submit(abs, -1), lambda: executor.map(abs, [-1]),
        lambda: pool.map(abs, [-1]), lambda: MPIExecutor().submit(abs, -1),
    ):
        try:
            call()
        except RuntimeError as error:
            print(error)

if __name__ == "__main__":
    atexit.register(too_late)
    executor, pool = MPIExecutor(), Pool()
    print(executor.submit(abs, -1).result())
"""


@pytest.mark.parametrize("start_of_it", ["myscoop", "python -m scoopmpi", "python"])
def test_nothing_is_taken_when_the_program_has_ended(
    first_library: Library, tmp_path: Path, start_of_it: str
) -> None:
    words = {
        "myscoop": [*MYSCOOP, "-n", "2"],
        "python -m scoopmpi": [sys.executable, "-m", "scoopmpi"],
        "python": [sys.executable],
    }
    answer = start(first_library, [*words[start_of_it], program(tmp_path, AT_EXIT)], tmp_path)
    assert answer.returncode == 0 and not answer.stderr
    assert answer.stdout == "1\n" + 4 * "cannot schedule new futures: the program has ended\n"


BROKEN = """
from concurrent.futures import BrokenExecutor
from scoopmpi import MPIExecutor

def prepare():
    raise OSError("no disk")

if __name__ == "__main__":
    with MPIExecutor(initializer=prepare) as executor:
        for call in [executor.submit(abs, x) for x in range(20)]:
            assert isinstance(call.exception(), BrokenExecutor)
"""


def test_a_failed_initializer_is_told_once_with_its_place(
    first_library: Library, tmp_path: Path
) -> None:
    out, err = by_myscoop(first_library, tmp_path, program(tmp_path, BROKEN))
    assert not out and err.count("Exception in initializer:") == 1
    assert re.search(r"on rank [12] \(\S+\)", err) and "in prepare" in err
    assert "OSError: no disk" in err


ADAPTIVE = """
import asyncio
import adaptive
from scoopmpi import MPIExecutor

def peak(x):
    return x + 1e-4 / (1e-4 + x * x)

if __name__ == "__main__":
    with MPIExecutor() as executor:
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        adaptive.BlockingRunner(learner, npoints_goal=40, executor=executor)
        print(learner.npoints >= 40)
    async def main():
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        with MPIExecutor() as executor:
            await adaptive.AsyncRunner(learner, npoints_goal=40, executor=executor).task
        print(learner.npoints >= 40)
    asyncio.run(main())
"""


def test_adaptive(first_library: Library, tmp_path: Path) -> None:
    pytest.importorskip("adaptive")
    assert by_myscoop(first_library, tmp_path, program(tmp_path, ADAPTIVE))[0] == "True\nTrue\n"


DASK = """
import os
import dask
from scoopmpi import MPIExecutor, Pool

def where(x):
    return x * x, os.getpid()

if __name__ == "__main__":
    with MPIExecutor() as executor, Pool() as pool:
        for asked in (
            {"scheduler": executor}, {"scheduler": "processes", "pool": executor},
            {"scheduler": "processes", "pool": pool}, {"scheduler": "threads", "pool": pool},
        ):
            values = dask.compute(*[dask.delayed(where)(x) for x in range(10)], **asked)
            assert [value for value, _ in values] == [x * x for x in range(10)]
            assert os.getpid() not in {pid for _, pid in values}
"""


def test_dask(first_library: Library, tmp_path: Path) -> None:
    pytest.importorskip("dask")
    by_myscoop(first_library, tmp_path, program(tmp_path, DASK))


ASYNCIO = """
import asyncio
from scoopmpi import MPIExecutor

async def main(executor):
    loop = asyncio.get_running_loop()
    calls = [loop.run_in_executor(executor, pow, 2, power) for power in range(5)]
    ticks = 0
    while not all(call.done() for call in calls):
        ticks += 1
        await asyncio.sleep(0.001)
    print(await asyncio.gather(*calls))
    found = asyncio.wrap_future(executor.submit(divmod, 1, 0))
    try:
        await found
    except ZeroDivisionError:
        print("no", ticks > 0)

if __name__ == "__main__":
    with MPIExecutor() as executor:
        asyncio.run(main(executor))
"""


def test_asyncio(first_library: Library, tmp_path: Path) -> None:
    out, _ = by_myscoop(first_library, tmp_path, program(tmp_path, ASYNCIO))
    assert out == "[1, 2, 4, 8, 16]\nno True\n"
