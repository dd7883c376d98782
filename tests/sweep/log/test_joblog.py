"""A joblog, beside one of the GNU parallel that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scoopmpi.process import file_locks
from scoopmpi.sweep.log.joblog import HEADING, Joblog, row
from scoopmpi.sweep.log.sweep_log import LogProblem

from .ends import WHEN, end

ROW = re.compile(rb"\d+\t\S+\t\d+\.\d{3}\t {5,9}\d+\.\d{3}\t0\t\d+\t-?\d+\t\d+\t[^\n]*\n")
"""A row of a command that is no longer than 9999 s, as parallel writes it."""


def test_rows_have_the_columns_of_gnu_parallel() -> None:
    how = end(7, started=WHEN, out=b"hi\n", err=b"not counted\n")
    assert row(how, "echo hi") == b"7\tnode1\t1472816865.000\t     0.250\t0\t3\t0\t0\techo hi\n"
    assert row(end(7, status=-9), "x").split(b"\t")[6:8] == [b"0", b"9"]
    assert row(end(7, status=3), "x").split(b"\t")[6:8] == [b"3", b"0"]
    assert row(end(7, status=-15, why="time"), "x").split(b"\t")[6:8] == [b"-1", b"15"]
    assert row(end(7, why="lost"), "x").split(b"\t")[6:8] == [b"-1", b"0"]
    assert row(end(7, host=""), "a\nb\t\udcff").endswith(b"\ta\0b\t\xff\n")
    assert ROW.fullmatch(row(how, "a\nb"))


def test_a_second_run_writes_behind_the_first(tmp_path: Path) -> None:
    path = tmp_path / "jobs"
    for number in (1, 2):
        joblog = Joblog(str(path))
        joblog.ended(end(number), "./x")
        assert joblog.close() == 0
    rows = path.read_bytes().splitlines(keepends=True)
    assert rows[0] == HEADING and [each[:2] for each in rows[1:]] == [b"1\t", b"2\t"]
    for torn in (HEADING[:12], HEADING + b"3\tnode"):
        path.write_bytes(torn)
        joblog = Joblog(str(path))
        joblog.ended(end(4), "./x")
        joblog.close()
        text = path.read_bytes()
        assert text.startswith(HEADING) and b"\n4\tnode1\t" in text


def test_what_is_no_joblog_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "FILE_FREE_SECONDS", 0.1)
    path = tmp_path / "data.csv"
    path.write_text("a,b\n")
    with pytest.raises(LogProblem, match=r"joblog .*data\.csv: it begins with b'a,b.*give another"):
        Joblog(str(path))
    assert path.read_text() == "a,b\n"
    with pytest.raises(LogProblem, match="Is a directory"):
        Joblog(str(tmp_path))
    joblog = Joblog(str(tmp_path / "jobs"))
    with pytest.raises(LogProblem, match="another run is using it"):
        Joblog(str(tmp_path / "jobs"))
    joblog.close()


@pytest.mark.ranks
@pytest.mark.skipif(shutil.which("parallel") is None, reason="no GNU parallel here")
def test_gnu_parallel_takes_it_for_its_own(tmp_path: Path) -> None:
    path = tmp_path / "jobs"
    joblog = Joblog(str(path))
    for number, status in ((1, 0), (2, 3), (3, 0)):
        joblog.ended(end(number, status=status), f"echo {number}")
    joblog.close()
    answer = subprocess.run(
        ["parallel", "--joblog", str(path), "--resume-failed", "echo", ":::", "1", "2", "3", "4"],
        capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert sorted(answer.stdout.split()) == ["2", "4"], answer.stderr
    rows = path.read_bytes().splitlines(keepends=True)
    assert rows[0] == HEADING and all(map(ROW.fullmatch, rows[1:])) and len(rows) == 6
