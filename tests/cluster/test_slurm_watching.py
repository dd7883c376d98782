"""A job of a real Slurm that is watched: its log, and what is known of its end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.libraries import Library

from .jobs import Slurm

pytestmark = pytest.mark.timeout(180)
PROGRAM = """
import time
from scoopmpi import futures

def waits(number):
    if number == 40:
        print("in the middle")
    time.sleep(0.1)

if __name__ == "__main__":
    print(len(list(futures.map(waits, range(80)))), "values")
"""


def test_the_log_has_lines_and_the_end_of_the_job_is_known(
    cluster: Slurm, first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = ["-N2", "-n3", "--wrap=myscoop --progress --status s.json prog.py"]
    submitted = time.time()
    with cluster.submitted(first_library, *words, cwd=tmp_path) as job:
        ended = job.ended()
        log = job.output.read_bytes()
    assert ended.status == 0, ended.text
    assert not set(b"\r\x1b\x08") & set(log), log
    lines = log.decode().splitlines()
    assert {"in the middle", "80 values"} <= set(lines)
    told = [line for line in lines if line.startswith("scoopmpi: waits: ")]
    assert 1 <= len(told) <= 3 and "80 of 80 done in " in told[-1], lines
    status = json.loads((tmp_path / "s.json").read_text())
    assert (status["manager"], status["job"], status["state"]) == ("slurm", job.number, "ended")
    limit = 120  # seconds: the jobs of these tests have two minutes
    assert -5 < status["end"]["job_ends"] - submitted - limit < 75, status["end"]
