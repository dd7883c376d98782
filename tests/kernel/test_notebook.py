"""Cells of a notebook on the farm: what comes into which cell, what an interrupt ends, and the end.

One kernel shows what all MPI libraries have in common; how a kernel starts, loses a worker and ends
is shown over each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.libraries import Library, survives
from tests.support.notebook import Notebook, installed, notebook, processes

pytest.importorskip("ipykernel", reason="a kernel needs ipykernel")
pytestmark = pytest.mark.timeout(180)
GONE_SECONDS = 5.0
"""In which all ranks have to be gone when the front end is, however that has ended."""
START = "import os, time\nfrom scoopmpi import futures\n"
SAID = """
def said(x):
    print("task", x)
    return x * x
"""
SLEEPS = """
def sleeps(x):
    print("began", x)
    time.sleep(60)
"""

DIES = """
def dies(x):
    if x == 3 and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), 9)
    return x
"""


@pytest.fixture(scope="module")
def cells(
    first_library: Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notebook]:  # fmt: skip
    place = tmp_path_factory.mktemp("notebook")
    with notebook(place, first_library) as made:
        assert made.run(START + SAID + SLEEPS).outputs == []
        yield made


def began(times: int) -> object:
    return lambda cell: cell.text("stdout").count("began") >= times


# What comes into which cell.


def test_lines_of_tasks_come_into_their_cell_before_its_value(cells: Notebook) -> None:
    cell = cells.run("list(futures.map(said, range(6)))")
    printed = cell.text("stdout").splitlines()
    assert sorted(printed) == [f"task {number}" for number in range(6)]
    assert cell.outputs[-1] == ("execute_result", "[0, 1, 4, 9, 16, 25]")


def test_lines_of_an_earlier_cells_tasks_come_into_that_cell(cells: Notebook) -> None:
    """Also those of their own maps, on whatever worker, while another cell runs."""
    early = cells.run(
        "def late(x):\n    time.sleep(0.5)\n    print('late', x)\n    print('no end', end='')\n"
        "    return sum(futures.map(said, range(10, 14)))\n"
        "kept = [futures.submit(late, 1), futures.submit(late, 2)]"
    )
    assert early.outputs == []
    other = cells.run("time.sleep(1.5)\nprint('other')\nsum(futures.map(said, [3]))")
    cells.run("[future.result() for future in kept]")
    cells.hear_until(lambda: early.text().count("task") == 8)
    lines = early.text("stdout").replace("no end", "").split("\n")
    assert {"late 1", "late 2", "task 13"} <= set(lines)
    assert early.text("stdout").count("no end") == 2
    assert sorted(other.text("stdout").split()) == ["3", "other", "task"]


def test_lines_of_threads_and_of_stderr_come_into_their_cell(cells: Notebook) -> None:
    cell = cells.run(
        "import sys, threading\n"
        "def both(x):\n    print('err', x, file=sys.stderr)\n    print('out', x)\n"
        "def inside():\n    list(futures.map(both, [1]))\n"
        "thread = threading.Thread(target=inside)\nthread.start()\nthread.join()"
    )
    cells.hear_until(lambda: "err 1" in cell.text("stderr") and "out 1" in cell.text("stdout"))


def test_what_processes_and_c_code_of_tasks_print_comes_into_the_cell(cells: Notebook) -> None:
    cells.run("def shell(x): os.system(f'echo from a shell {x}')")
    cell = cells.run("list(futures.map(shell, range(3)))\ntime.sleep(0.5)")
    cells.hear_until(lambda: cell.text("stdout").count("from a shell") == 3)


def test_what_a_cell_captures_it_keeps(cells: Notebook) -> None:
    assert cells.run("%%capture kept\nlist(futures.map(said, [5]))").outputs == []
    assert "task 5" in cells.run("print(kept.stdout)").text("stdout")


# Functions and classes of cells.


def test_what_cells_define_is_the_latest_on_workers(cells: Notebook) -> None:
    cells.run(
        "factor = 2\nclass Point:\n    def __init__(self, x): self.x = x\n"
        "    def moved(self): return Point(self.x * factor)\n"
        "def main(x): return Point(x).moved()\n"
    )
    first = cells.run("a = list(futures.map(main, [1, 2])); [p.x for p in a], type(a[0]) is Point")
    assert first.text("execute_result") == "([2, 4], True)"
    cells.run("factor = 3\nclass Point(Point):\n    def moved(self): return Point(-3 * self.x)")
    again = cells.run("a = list(futures.map(main, [1, 2])); [p.x for p in a], type(a[0]) is Point")
    assert again.text("execute_result") == "([-3, -6], True)"
    assert cells.run("futures.submit(lambda x: x + factor, 4).result()").text() == "7"


def test_modules_beside_the_notebook_and_constants_are_there(cells: Notebook) -> None:
    cell = cells.run(
        "from pathlib import Path\nPath('besides.py').write_text('def half(x): return x / 2\\n')\n"
        "Path('kernel.py').write_text('1 / 0')\n"
        "import besides\nfrom scoopmpi import shared\nshared.setConst(weight=10)\n"
        "def weighed(x): return besides.half(x) * shared.getConst('weight')\n"
        "print(list(futures.map(weighed, [2, 4])))"
    )
    assert cell.text("stdout") == "[10.0, 20.0]\n", cell.outputs
    cell = cells.run(
        "import importlib\nPath('besides.py').write_text('def added_now(x): return x\\n')\n"
        "importlib.reload(besides)\nlist(futures.map(besides.added_now, [2, 4]))"
    )
    assert "at the top level of a cell or a module" in cell.error, cell.error


def test_magics_and_input_work(cells: Notebook) -> None:
    cells.run(
        "%%writefile script.py\nfrom scoopmpi import futures\n\ndef cube(x):\n    return x ** 3\n\n"
        "if __name__ == '__main__':\n    print(sum(futures.map(cube, range(4))))\n"
    )
    assert cells.run("%run script.py").text("stdout") == "36\n"
    timed = cells.run("%timeit -n 2 -r 1 list(futures.map(abs, range(20)))")
    assert "per loop" in timed.text("stdout") and not timed.error
    assert "from a shell" in cells.run("!echo from a shell").text("stdout")
    cell = cells.run("print(futures.submit(abs, int(input('n: '))).result())", answer="-12")
    assert cell.text("stdout") == "12\n"


def test_a_task_that_raises_is_shown_with_its_own_traceback(cells: Notebook) -> None:
    cell = cells.run("def wrong(x):\n    return 1 / x\nlist(futures.map(wrong, [1, 0]))")
    assert cell.error.startswith("ZeroDivisionError") and "return 1 / x" in cell.error


def test_cells_that_await_run_on_the_farm(cells: Notebook) -> None:
    cell = cells.run(
        "import asyncio\nprint(await asyncio.wrap_future(futures.submit(said, 3)))\n"
        "print(await asyncio.to_thread(lambda: sum(futures.map(abs, range(5)))))"
    )
    assert {"9", "10"} <= set(cell.text("stdout").split("\n")), cell.outputs


# Interrupts.


@pytest.mark.parametrize(
    "code",
    (
        "list(futures.map(sleeps, range(8)))",
        "kept = [futures.submit(sleeps, i) for i in range(8)]\n[each.result() for each in kept]",
        "def outer(x): return list(futures.map(sleeps, 'abc'))\nlist(futures.map(outer, 'ab'))",
        "def spins(x):\n  print('began')\n  while True: pass\nlist(futures.map(spins, range(4)))",
        "await asyncio.sleep(0)\nlist(futures.map(sleeps, range(8)))",
        "begun = [futures.submit(sleeps, i) for i in range(4)]\n"
        "await asyncio.gather(*map(asyncio.wrap_future, begun))",
    ),
    ids=("map", "submits", "nested", "computing", "async-map", "await"),
)
def test_an_interrupt_stops_the_cell_and_frees_the_workers(cells: Notebook, code: str) -> None:
    cells.run("import asyncio")
    stopped = cells.run(code, interrupt=began(2))
    assert stopped.error.startswith(("KeyboardInterrupt", "CancelledError")), stopped.outputs
    assert stopped.seconds < 5 and "signal_" not in stopped.error
    after = cells.run("sum(futures.map(abs, range(100)))")
    assert after.text("execute_result") == "4950" and after.seconds < 5


def test_an_interrupt_ends_what_its_own_cell_has_begun(cells: Notebook) -> None:
    cells.run("def short(x):\n    time.sleep(3)\n    return x\ngoing_on = futures.submit(short, 7)")
    cells.run(
        "try:\n    mine = futures.submit(sleeps, 0)\n    mine.result()\n"
        "except KeyboardInterrupt:\n    print(list(futures.map(abs, [-1])))",
        interrupt=began(1),
    )
    cell = cells.run("print(going_on.result(), type(mine.exception()).__name__)")
    assert cell.text("stdout") == "7 CancelledError\n", cell.outputs


# Over each library: the start, a lost worker, the end.


def test_a_kernel_starts_loses_a_worker_and_ends(library: Library, tmp_path: Path) -> None:
    strange = {"PMI_RANK": "3", "PMI_SIZE": "7", "PMIX_RANK": "2", "OMPI_COMM_WORLD_RANK": "5"}
    with notebook(tmp_path, library, **strange) as cells:
        cells.run(START + SAID)
        cell = cells.run("sum(futures.map(said, range(10)))")
        assert cell.text("execute_result") == "285" and cell.text("stdout").count("task") == 10
        if survives(library):
            cell = cells.run(f"{DIES}sum(futures.map(dies, range(6)))")
            assert cell.text("execute_result") == "15"
            cells.hear_until(lambda: "died; what it held runs elsewhere" in cell.text("stderr"))
        client, place = cells.client, cells.manager.connection_file
        client.shutdown()
        assert gone(place) < GONE_SECONDS


def gone(words: str) -> float:
    """Seconds until no process has these words in its command line; fails after some more."""
    since = time.monotonic()
    while left := processes(words):
        assert time.monotonic() - since < 3 * GONE_SECONDS, left
        time.sleep(0.05)
    return time.monotonic() - since


FRONT_END = """
import sys, time
from pathlib import Path
from tests.support.libraries import Library
from tests.support.notebook import Notebook, kernel
manager = kernel(Path(sys.argv[1]), Library("", dict(__import__("os").environ)))
cells = Notebook(manager)
cells.run("import time; from scoopmpi import futures")
cells.begin(sys.argv[2])
time.sleep(0.5)
print(manager.provisioner.pid, manager.connection_file, flush=True)
time.sleep(100)
"""
SWALLOWS = "while True:\n    try: time.sleep(9)\n    except BaseException: pass"
BUSY = "kept = futures.submit(time.sleep, 60)\nlist(futures.map(time.sleep, [60] * 4))"


@pytest.mark.parametrize(
    ("code", "whom", "by"),
    (
        (BUSY, "front end", signal.SIGKILL),
        (BUSY, "command", signal.SIGKILL),
        (SWALLOWS, "front end", signal.SIGKILL),
        (SWALLOWS, "command", signal.SIGTERM),
    ),
    ids=("front-end-killed", "command-killed", "front-end-killed-stuck", "stuck-and-asked"),
)
def test_no_rank_is_left_however_the_front_end_ends(
    first_library: Library, tmp_path: Path, code: str, whom: str, by: signal.Signals
) -> None:
    installed(tmp_path, "--sched=local", "-n", "2")
    words = [sys.executable, "-c", FRONT_END, str(tmp_path), code]
    with subprocess.Popen(
        words, env={**first_library.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as front_end:  # fmt: skip
        try:
            assert front_end.stdout is not None
            command, place = front_end.stdout.readline().split()
            os.kill(front_end.pid if whom == "front end" else int(command), by)
            assert gone(place) < GONE_SECONDS
        finally:
            front_end.kill()


def test_a_front_end_sees_that_rank_0_has_died_and_starts_another(
    first_library: Library, tmp_path: Path
) -> None:
    with notebook(tmp_path, first_library) as cells:
        cells.run("x = 1")
        cells.begin("import os; os._exit(3)")
        until = time.monotonic() + 2 * GONE_SECONDS
        while cells.manager.is_alive():
            assert time.monotonic() < until
            time.sleep(0.05)
        cells.client.stop_channels()  # two clients of one manager have the same name in zmq
        cells.manager.restart_kernel()
        again = Notebook(cells.manager)
        assert again.run("x").error.startswith("NameError")
        again.client.stop_channels()
