"""Outputs of real sweeps: rank 0 is killed, and whoever reads goes away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from scoopmpi.sweep.outputs.results.reading import Reader
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, own_session, start

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(120)]
ITEMS = 1000
WAITS = "[ $PBS_ARRAYID -le 700 ] || [ -e go ] || sleep 300; "
SWEEP = [
    *MYSCOOP, "-n", "2", "sweep", "-t", f"1-{ITEMS}", "--log", "run.log", "--results", "run.db",
    "sh", "-c", WAITS + "echo out $PBS_ARRAYID; echo err $PBS_ARRAYID >&2",
]  # fmt: skip
DONE = re.compile(r"^(\d+) completed by ", re.MULTILINE)


def log(cwd: Path) -> str:
    try:
        return (cwd / "run.log").read_text()
    except FileNotFoundError:
        return ""


def test_what_the_log_calls_done_is_in_the_results(first_library: Library, tmp_path: Path) -> None:
    """Though rank 0 is killed; the next run adds what is missing, and then all is there."""
    with subprocess.Popen(
        SWEEP, cwd=tmp_path, env=own_session(SWEEP, first_library.env), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while len(DONE.findall(log(tmp_path))) < 100:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        header = log(tmp_path).splitlines()[0]
        os.kill(json.loads(header[header.index("{") :])["pid"], signal.SIGKILL)
        assert process.wait(60) != 0
    done = set(map(int, DONE.findall(log(tmp_path))))
    with Reader(str(tmp_path / "run.db")) as reader:
        assert done <= {row.number for row in reader.rows()}
    (tmp_path / "go").touch()
    again = start(first_library, SWEEP, tmp_path)
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert Counter(map(int, DONE.findall(log(tmp_path)))) == Counter(range(1, ITEMS + 1))
    with Reader(str(tmp_path / "run.db")) as reader:
        found = [(one.row.number, one.out, one.err) for one in reader.whole()]
    assert found == [(n, b"out %d\n" % n, b"err %d\n" % n) for n in range(1, ITEMS + 1)]


def test_a_reader_that_has_seen_enough_ends_the_sweep(
    first_library: Library, tmp_path: Path
) -> None:
    """The same sweep prints in order; the shell says what its parts ended with."""
    sweep = [*MYSCOOP, "-n", "2", "sweep", "-t", "1-100000", "sh", "-c", "echo out $PBS_ARRAYID"]
    piped = ["bash", "-c", '"$@" | head -3; echo ${PIPESTATUS[0]}', "bash", *sweep]
    answer = start(first_library, piped, tmp_path)
    assert answer.stdout == "out 1\nout 2\nout 3\n141\n"
    assert "Traceback" not in answer.stderr and len(answer.stderr.splitlines()) <= 1
