"""`wresume`: which job goes on, asked for as the first one was, and what is new."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Collection
from pathlib import Path

import pytest

from scoopmpi.launch.worker_framework import asked_of_sweep, checking, wresume
from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.items.identity import Identity
from scoopmpi.sweep.log.sweep_log import SweepLog
from tests.launch.worker_framework.site import WEATHER, Said, Site, said, site

__all__ = ["site"]

Capture = pytest.CaptureFixture[str]
LOG = "weather.pbs.log445948"
SUBMITTED = "-threaded 2 -- -N weather -l nodes=2:ppn=8,walltime=4:00:00 -q long -m abe"
FOREIGN = """\
1 started by 1 at Fri Sep  2 11:47:45 2016
1 completed by 1 at Fri Sep  2 11:47:57 2016
"""


def has_run(
    site: Site, done: Collection[int], failed: Collection[int] = (), more: str = "",
    submitted: str = SUBMITTED, job: str = "445948", log: str = LOG,
) -> None:  # fmt: skip
    """Leave what a job by wsub has left: its log, and the batch file as it was."""
    batch = site.work / "weather.pbs.sh445948"
    batch.write_text(WEATHER)
    words = [
        "--data", str(site.work / "data.csv"), "--batch", str(batch), "--substitute",
        "--log", str(site.work / log), *more.split(), "--submitted", submitted,
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PBS_JOBID", f"{job}.master")
        writer = SweepLog(str(site.work / log), {"words": words})
    checked = checking.checked(asked_of_sweep.parsed(words, ""), batch.read_bytes())
    identity = Identity(checked.source.columns, checked.command.digest())
    for item in checked.source:
        if item.number in {*done, *failed}:
            status = int(item.number in failed)
            digest = identity.of(item.values)
            writer.ended(Ended(item.number, digest, 1, socket.gethostname(), status, 1e9, 2.0))
    assert writer.close() == 0


def resumed(words: str, capfd: Capture) -> Said:
    return said(wresume.COMMAND, wresume.run, words, capfd)


def job_of(site: Site) -> tuple[list[str], list[str], list[str]]:
    """The words of qsub, those of the sweep, and those between the two, of the job's last line."""
    found = site.submitted()
    assert found is not None
    words = shlex.split(found.script.splitlines()[-1])
    place = words.index("sweep")
    return found.words, words[place:], words[:place]


@pytest.mark.parametrize("words", ["-jobid 445948", "-jobid 445948.master", f"-l {LOG}"])
def test_the_same_job_goes_on(site: Site, capfd: Capture, words: str) -> None:
    has_run(site, done=[1, 3])
    told = resumed(words, capfd)
    assert (told.status, told.out) == (0, "445948.master\n")
    assert "2 of 3 are done" in told.err
    found = site.submitted()
    assert found is not None and "#PBS -l nodes=1:ppn=8\n" in found.script
    assert found.words == shlex.split(SUBMITTED.partition(" -- ")[2])
    sweep = job_of(site)[1]
    assert sweep[1:8] == [
        "--data", str(site.work / "data.csv"), "--batch", str(site.work / "weather.pbs.sh445948"),
        "--substitute", "--log", str(site.work / LOG),
    ]  # fmt: skip
    assert sweep[-1] == SUBMITTED and "--threads 2" in " ".join(job_of(site)[2])


def test_what_is_new_wins(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1], failed=[2])
    words = "-l walltime=1:30:00 -jobid 445948 -retry -threaded 4 -q short --item-timeout 60"
    told = resumed(words, capfd)
    assert told.status == 0 and f"{LOG}: 1 of 3 is done, 1 has failed\n" in told.err
    options, sweep, before = job_of(site)
    assert " ".join(options) == "-N weather -l nodes=2:ppn=8 -m abe -q short -l walltime=1:30:00"
    assert "--retry" in sweep and "--threads 4" in " ".join(before)
    assert sweep[sweep.index("--item-timeout") + 1] == "60.0"


def test_without_retry_what_has_failed_stays_so(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1], failed=[2])
    told = resumed("-jobid 445948", capfd)
    assert "1 has failed (-retry runs them again)" in told.err
    assert "--retry" not in job_of(site)[1]


def test_a_job_that_went_on_can_go_on(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1], more="--retry --prolog pre.sh --enable-prolog")
    has_run(site, done=[2], job="445999", more="--retry --prolog pre.sh --enable-prolog")
    assert resumed("-jobid 445999", capfd).status == 0
    sweep = job_of(site)[1]
    assert "--retry" not in sweep and "--enable-prolog" not in sweep
    assert sweep[sweep.index("--prolog") + 1] == str(site.work / "pre.sh")


def test_a_job_that_may_still_run_is_told(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1])
    log = site.work / LOG
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    told = resumed("-jobid 445948", capfd)
    assert told.status == 0 and "of job 445948" in told.err and "has not said" in told.err


def test_from_another_directory(
    site: Site, capfd: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_run(site, done=[1])
    monkeypatch.chdir(tmp_path)
    told = resumed(f"-l {shlex.quote(os.path.relpath(site.work / LOG))}", capfd)
    assert told.status != 0  # the words of this test are split at blanks
    status = wresume.COMMAND.status(["-l", os.path.relpath(site.work / LOG)], wresume.run)
    found = site.submitted()
    assert status == 0 and found is not None and found.directory == str(site.work)
    assert f"directory={shlex.quote(str(site.work))}\n" in found.script


def test_options_of_before_can_be_forgotten(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1])
    assert resumed("-jobid 445948 -disable_options -q short", capfd).status == 0
    assert job_of(site)[0] == ["-N", "weather.pbs", "-q", "short"]


@pytest.mark.parametrize(
    ("words", "there", "missing"),
    [
        ("", "--epilog {work}/post.sh", "--enable-prolog"),
        ("-enable_prolog", "--prolog {work}/pre.sh --epilog", "nothing"),
        ("-disable_epilog", "--prolog {work}/pre.sh", "--epilog"),
        ("-prolog new.sh", "--prolog $files.pro$job", "{work}/pre.sh"),
        ("-disable_epilog -epilog new.sh", "--epilog $files.epi$job", "{work}/post.sh"),
        ("-epilog new.sh", "--epilog $files.epi$job", "{work}/post.sh"),
    ],
)
def test_prolog_and_epilog(
    site: Site, capfd: Capture, words: str, there: str, missing: str
) -> None:
    (site.work / "new.sh").write_text("#!/bin/sh\necho new\n")
    has_run(site, done=[1], more="--prolog pre.sh --epilog post.sh")
    assert resumed(f"-jobid 445948 {words}", capfd).status == 0
    sweep = " ".join(job_of(site)[1])
    assert there.format(work=site.work) in sweep
    assert missing.format(work=site.work) not in sweep
    found = site.submitted()
    assert found is not None and ("echo new\n" in found.script) == ("new.sh" in words)


def test_a_sweep_that_was_not_submitted_by_wsub(site: Site, capfd: Capture) -> None:
    words = ["--data", "data.csv", "--log", "run.log", "echo", "$temperature"]
    SweepLog("run.log", {"words": words}).close()
    assert resumed("-l run.log -l nodes=1:ppn=8 -A me", capfd).status == 0
    options, sweep, _ = job_of(site)
    assert options == ["-N", "run", "-A", "me", "-l", "nodes=1:ppn=8"]
    assert sweep[1:3] == ["--data", str(site.work / "data.csv")]
    assert sweep[-2:] == ["echo", "$temperature"]


def test_options_that_would_make_another_job_are_left_out(site: Site, capfd: Capture) -> None:
    has_run(site, done=[1])
    told = resumed("-jobid 445948 -N other -t 1-3", capfd)
    assert told.status == 0 and "-N other is left out" in told.err
    assert job_of(site)[0][:2] == ["-N", "weather"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "which job? For example: wresume -jobid 445948, or -l LOG"),
        ("-l walltime=1:00:00", "which job?"),
        ("-jobid 7", "no file here is called JOBNAME.log7, and no log tells of that job"),
        ("-jobid x", "-jobid x: a job has a number"),
        ("-l none.log1", "none.log1: No such file"),
        ("-l weather.pbs", "weather.pbs"),
        ("-l foreign.log9", "wsub -batch FILE -data FILE -log foreign.log9 goes on from it"),
        ("-l all.log1", "all.log1: of 3 items none is left"),
        ("-l lost.log2", "failed: 2, -retry runs them again"),
        ("-l lost.log2 -enable_prolog", "the earlier job had no prolog"),
        ("-l gone.log3", "weather.pbs.sh445948 is not there any more, the batch file as it was"),
        (
            "-jobid 445948 -batch b.pbs",
            "-batch b.pbs: the job goes on with those of the earlier",
        ),
        ("-jobid 445948 weather.pbs", "weather.pbs: which option is that of?"),
    ],
)
def test_refused(site: Site, capfd: Capture, words: str, reason: str) -> None:
    has_run(site, done=[1])
    has_run(site, done=[1, 2, 3], log="all.log1")
    has_run(site, done=[1], failed=[2, 3], log="lost.log2")
    has_run(site, done=[1], log="gone.log3")
    if "gone" in words:
        (site.work / "weather.pbs.sh445948").unlink()
    (site.work / "foreign.log9").write_text(FOREIGN)
    told = resumed(words, capfd)
    assert (told.status, told.out) == (2, "") and site.submitted() is None
    assert reason in told.err and "Traceback" not in told.err
