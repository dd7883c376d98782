"""The examples of docs/executors.md do what the page says, and what only whole programs show."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, mpirun, start, start_ranks

pytestmark = pytest.mark.timeout(120)
PAGE = (ROOT / "docs" / "executors.md").read_text()
EXAMPLES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


def on_ranks(library: Library, ranks: int, program: list[str], place: Path) -> str:
    answer = start_ranks(library, ranks, program, place)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def written(name: str, place: Path) -> str:
    (place / name).write_text(EXAMPLES[name])
    return name


def test_the_page_has_the_examples_that_are_tested_here() -> None:
    assert set(EXAMPLES) == {
        "integrate.py", "test_square.py", "cell.py", "words.py", "sample.py", "idiom.py",
    }  # fmt: skip


@pytest.mark.parametrize("ranks", [1, 3])
def test_schwimmbads_idiom(first_library: Library, tmp_path: Path, ranks: int) -> None:
    assert on_ranks(first_library, ranks, [written("idiom.py", tmp_path)], tmp_path) == (
        "[0, 1, 4, 9, 16]\n"
    )


@pytest.mark.parametrize("ranks", [1, 3])
def test_an_mpi_program(library: Library, tmp_path: Path, ranks: int) -> None:
    out = on_ranks(library, ranks, [written("integrate.py", tmp_path)], tmp_path)
    assert out == f"rank {ranks - 1} of {ranks} knows pi: 3.14159\n"


def test_the_remedies_for_a_bare_mpirun(first_library: Library, tmp_path: Path) -> None:
    """Each line of the page, with more ranks than cores and as whoever runs the tests."""
    if "openmpi" not in first_library.name:
        pytest.skip("other launchers refuse nothing")
    (block,) = re.findall(r"### Where a bare .*?```bash\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "hosts").write_text("localhost slots=3\n")
    written("integrate.py", tmp_path)
    bare, _ = mpirun(first_library, 1, [])
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    library = Library(first_library.name, {**first_library.env, **root})
    commands = {
        "mpirun": [bare[0]], "mympirun": [sys.executable, "-m", "scoopmpi.mympirun"],
        "python": [sys.executable],
    }  # fmt: skip
    for line in block.splitlines():
        words = [part for word in shlex.split(line, comments=True)
                 for part in commands.get(word, [word])]  # fmt: skip
        answer = start(library, words, tmp_path)
        assert answer.stdout == "rank 2 of 3 knows pi: 3.14159\n", (line, answer.stderr)


def test_a_test(first_library: Library, tmp_path: Path) -> None:
    words = ["-m", "pytest", "--with-mpi", "-q", written("test_square.py", tmp_path)]
    assert on_ranks(first_library, 3, words, tmp_path).count("1 passed") == 3


ENGINE = """
import sys
del __file__                                       # as in an interactive session
for offset in (0, 1):
    cell = {cell!r}.replace("x * x", f"x * x + {{offset}}")
    exec(compile(cell, "<cell>", "exec"))
    named = "def f(x): return x + " + str(offset)  # the second one on the root only
    if offset == 0:
        exec(compile(named, "<cell>", "exec"))
    with MPICommExecutor(root=0) as executor:
        if executor is not None:
            exec(compile(named, "<cell>", "exec"))
            print(list(executor.map(f, range(3))))
"""


def test_a_cell_on_several_engines(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(ENGINE.format(cell=EXAMPLES["cell.py"]))
    out = on_ranks(first_library, 3, ["engine.py"], tmp_path)
    assert out == "332833500\n[0, 1, 2]\n332834500\n[1, 2, 3]\n"


@pytest.mark.parametrize(
    "name, lines",
    [
        ("words.py", "['farm', 'task']\n[True, False]\n"),
        ("sample.py", "2 workers, mean 3\n"),
        ("idiom.py", "[0, 1, 4, 9, 16]\n"),
    ],
)
def test_a_program_under_myscoop(
    first_library: Library, tmp_path: Path, name: str, lines: str
) -> None:
    words = [*MYSCOOP, "-n", "2", written(name, tmp_path)]
    answer = start(first_library, words, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == lines


PROGRAM = """
import os, sys
from concurrent.futures import BrokenExecutor
from scoopmpi import MPICommExecutor, MPIExecutor, Pool

class Point:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return type(other) is Point and other.x == self.x

def double(point): return Point(2 * point.x)

def inner(x):
    with MPIExecutor() as executor, Pool() as pool:
        return executor.submit(double, Point(x)).result(), pool.map(double, [Point(x)])

def breaks(): raise OSError("no disk")

if __name__ == "__main__":
    with MPICommExecutor() as executor:                     # that of the program
        assert executor.num_workers == 2
        assert list(executor.map(inner, range(5))) == [
            (Point(2 * x), [Point(2 * x)]) for x in range(5)]
        assert os.getpid() not in set(executor.map(lambda _: os.getpid(), range(50)))
    with MPIExecutor(initializer=breaks) as executor:
        try:
            executor.submit(double, Point(1)).result()
        except BrokenExecutor as error:
            print(error)
    assert MPIExecutor().submit(double, Point(2)).result() == Point(4)
    sys.exit(7)
"""


def test_all_faces_in_one_program(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    answer = start(first_library, [*MYSCOOP, "-n", "2", "prog.py"], tmp_path)
    assert answer.returncode == 7, answer.stderr
    assert answer.stdout == "the initializer breaks has failed: OSError: no disk\n"


def test_a_program_without_a_guard_is_told(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "from scoopmpi import MPIExecutor\n"
        "with MPIExecutor() as executor:\n    print(list(executor.map(abs, [-1])))\n"
    )
    answer = start(first_library, [*MYSCOOP, "-n", "2", "prog.py"], tmp_path)
    assert answer.returncode != 0 and 'if __name__ == "__main__":' in answer.stderr
