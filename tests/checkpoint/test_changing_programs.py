"""A scientist's runs for real: a cause of failures that goes away, parameters that come and go."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = [pytest.mark.timeout(120), pytest.mark.first]
KEPT = ["-n", "2", "--checkpoint", "run.ckpt"]
LIB = "DAMP = {damp}\nUNUSED = {unused}\ndef factor(x):\n    return x * DAMP\n"
PROGRAM = """
import os
import lib
from scoopmpi import futures
from scoopmpi import Pool

def model(x):
    with open("log", "a") as log:
        log.write(f"{x}\\n")
    if x == 17 and os.path.exists("full"):
        raise OSError("no space left")
    return lib.factor(x)

if __name__ == "__main__":
    print(repr(futures.submit(model, 17).exception()))
    with Pool() as pool:
        values = pool.imap(model, range(10))
        print(sum(values))
    values = futures.map(model, range(60))
    try:
        print("total", round(sum(values), 3))
    except OSError as error:
        print("error", error)
"""


def ran(place: Path) -> int:
    log = place / "log"
    count = len(log.read_text().split()) if log.exists() else 0
    log.unlink(missing_ok=True)
    return count


def test_failures_and_parameters(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "full").touch()
    seconds = itertools.count(1_000_000_000)

    def run(*more: str, damp: float = 0.2, unused: int = 5) -> str:
        lib = tmp_path / "lib.py"
        lib.write_text(LIB.format(damp=damp, unused=unused))
        os.utime(lib, (next(seconds), next(seconds)))  # else Python takes what it has compiled
        answer = start(first_library, [*MYSCOOP, *KEPT, *more, "prog.py"], cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout + answer.stderr

    assert "error no space left" in run()
    ran(tmp_path)
    assert "error no space left" in run("--keep-failures")
    assert ran(tmp_path) <= 45  # those behind the failure that had not begun
    (tmp_path / "full").unlink()
    said = run()
    assert "None" in said and "total 354.0" in said and "that had failed tried again" in said
    assert ran(tmp_path) >= 2
    said = run(damp=0.4)
    assert "total 708.0" in said and "71 computed again as `" in said
    assert ran(tmp_path) == 71
    said = run()
    assert "total 354.0" in said and "71 of 71 results found; 71 of other versions kept" in said
    said = run(unused=6)
    assert "total 354.0" in said and "checkpoint" not in said
    assert ran(tmp_path) == 0
    shown = subprocess.run(
        [sys.executable, "-m", "scoopmpi.myscoop", "checkpoint", "show", "run.ckpt"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip
    assert shown.count("(earlier version)") == 3 and "60 of 60" in shown


def test_commands_that_failed_run_again(first_library: Library, tmp_path: Path) -> None:
    words = ["0:6", "echo $SCOOP_COUNTER >> log; test $SCOOP_COUNTER != 3 || test -e marker"]
    counts = []
    for more, status in (([], 1), (["--keep-failures"], 1), ([], 1), ([], 0), ([], 0)):
        if status == 0:
            (tmp_path / "marker").touch()
        answer = start(first_library, [*MYSCOOP, *KEPT, *more, *words], cwd=tmp_path)
        assert answer.returncode == status, answer.stderr
        counts.append(ran(tmp_path))
    assert counts == [6, 0, 1, 1, 0]
