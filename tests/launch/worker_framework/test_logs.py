"""`wsummarize` and `wload`: what logs say, ours and the framework's own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scoopmpi.launch.worker_framework import wload, wsummarize
from tests.launch.worker_framework.site import Said, Site, said, site
from tests.launch.worker_framework.test_resuming import LOG, has_run

__all__ = ["site"]

Capture = pytest.CaptureFixture[str]
FOREIGN = """\
1 started by 1 at Fri Sep  2 11:47:45 2016
2 started by 2 at Fri Sep  2 11:47:45 2016
2 failed by 2 at Fri Sep  2 11:47:49 2016: 3
3 started by 2 at Fri Sep  2 11:47:50 2016
1 completed by 1 at Fri Sep  2 11:47:57 2016
3 completed by 2 at Fri Sep  2 11:48:10 2016
"""


def summarized(words: str, capfd: Capture) -> Said:
    return said(wsummarize.COMMAND, wsummarize.run, words, capfd)


def loads(words: str, capfd: Capture) -> list[str]:
    told = said(wload.COMMAND, wload.run, words, capfd)
    assert (told.status, told.err) == (0, "")
    return told.out.splitlines()


def test_a_summary(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1], failed=[3])
    told = summarized(LOG, capfd)
    assert told.out.splitlines()[:2] == [
        "1 of 2 executed tasks successfully completed", "1 of 2 executed tasks failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "to_do"), [("-long", "2"), ("-long -retry", "2, 3"), ("--long --retry", "2, 3")]
)
def test_which_have_failed_and_which_are_left(
    site: Site, capfd: Capture, words: str, to_do: str
) -> None:
    has_run(site, done=[1], failed=[3])
    told = summarized(f"{words} {LOG}", capfd)
    assert told.out.splitlines()[-4:] == ["failed task IDs:", "3", "task IDs to do:", to_do]


def test_values_of_those_that_are_left(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1, 3])
    told = summarized(f"-long -showtasks {LOG}", capfd)
    assert told.out.endswith("task IDs to do:\n2\n2: temperature=294 pressure=1.0e5 volume=106\n")


def test_a_log_of_the_framework(site: Site, capfd: Capture) -> None:
    Path("old.log1").write_text(FOREIGN)
    has_run(site, done=[1])
    told = summarized(f"old.log1 {LOG}", capfd)
    assert told.out.startswith(
        "old.log1:\n2 of 3 executed tasks successfully completed\n1 of 3 executed tasks failed\n"
    )
    assert f"{LOG}:\n1 of 1 executed" in told.out
    long = summarized("-long old.log1", capfd)
    assert long.status == 0 and "failed task IDs:\n2\n" in long.out
    assert "not of which table" in long.err


def test_loads_of_workers_and_items(capfd: Capture, tmp_path: Path) -> None:
    path = tmp_path / "old.log1"
    path.write_text(FOREIGN)
    items = [line.replace(" ", "") for line in loads(f"-workitems {path}", capfd)]
    assert items == [
        "workitem,workerID,executiontime,exitstatus", "2,2,4.00,3", "1,1,12.00,0", "3,2,20.00,0",
    ]  # fmt: skip
    workers = [line.replace(" ", "") for line in loads(f"-workers {path}", capfd)]
    assert workers == ["workerID,executiontime,workitems", "1,12.00,1", "2,24.00,2"]
    assert loads(str(path), capfd) == [
        "Work item statistics:", "\tnumber of finished items: 3",
        "\taverage execution time: 12.00", "\tminimum execution time: 4.00",
        "\tmaximum execution time: 20.00", "Worker statistics:", "\tnumber of workers: 2",
        "\taverage execution time: 18.00", "\tminimum execution time: 12.00",
        "\tmaximum execution time: 24.00",
    ]  # fmt: skip


def test_there_is_no_database_to_be_kept(capfd: Capture, tmp_path: Path) -> None:
    (tmp_path / "old.log1").write_text(FOREIGN)
    told = said(wload.COMMAND, wload.run, f"-keep {tmp_path}/old.log1", capfd)
    assert told.status == 0 and told.err.startswith("wload: -keep is left out. Nothing: there is")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "wload: which log? For example: wload run.pbs.log445948"),
        ("a b", "wload: which log?"),
        ("-workers -workitems a", "wload: -workers or -workitems: a line for each of which?"),
        ("none", "wload: none: No such file or directory"),
        ("-worker a", "did you mean -workers?"),
    ],
)
def test_refused(capfd: Capture, words: str, reason: str) -> None:
    told = said(wload.COMMAND, wload.run, words, capfd)
    assert told.status == 2 and reason in told.err


def test_values_in_any_encoding(site: Site, capfd: Capture) -> None:
    (site.work / "data.csv").write_bytes(b"temperature,pressure,volume\n1,2,caf\xc3\xa9\n1,2,3\n")
    has_run(site, done=[2])
    assert "volume='café'" in summarized(f"-long -showtasks {LOG}", capfd).out


@pytest.mark.ranks
def test_who_reads_may_have_had_enough(site: Site) -> None:
    has_run(site, done=[1])
    words = [sys.executable, "-m", "scoopmpi.launch.worker_framework.wsummarize", LOG]
    line = f"{shlex.join(words)} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() in ("0", "141") and done.stderr == ""


def test_what_is_no_log(site: Site, capfd: Capture) -> None:
    told = summarized("data.csv", capfd)
    assert told.status == 2 and "data.csv" in told.err
    assert summarized("", capfd).err.startswith("wsummarize: which log?")
