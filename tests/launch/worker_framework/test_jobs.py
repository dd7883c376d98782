"""The framework's examples from `wsub` to what their jobs leave, in an environment of OpenPBS.

The qsub is a stand-in that runs the job at once (`tests/support/fake_pbs.py`), all else is real.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.launch.worker_framework.site import Said, said
from tests.support import fake_pbs, worker_examples
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)
MODULES = "scoopmpi.launch.worker_framework."
ITEMS = range(1, 101)


class User(NamedTuple):
    """One with the framework's examples in a directory, and a qsub."""

    work: Path
    place: Path
    capture: pytest.CaptureFixture[str]

    def does(self, words: str, status: int = 0) -> Said:
        """Run one of the commands."""
        name, *rest = words.split()
        module = import_module(MODULES + name)
        done = said(module.COMMAND, module.run, " ".join(rest), self.capture)
        assert done.status == status, done.err + self.said_by_job()
        return done

    def said_by_job(self) -> str:
        return "".join(path.read_text() for path in sorted(self.work.glob("*.e4459*")))

    def status(self) -> str:
        """Return how the last job has ended."""
        return (self.place / "status").read_text().strip()


@pytest.fixture
def user(
    first_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> User:  # fmt: skip
    place = fake_pbs.install(tmp_path / "pbs")
    for name, value in first_library.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    monkeypatch.chdir(worker_examples.put(tmp_path / "work"))
    return User(tmp_path / "work", place, capfd)


def test_a_row_of_the_table_for_each_item(user: User) -> None:
    words = [sys.executable, "-m", f"{MODULES}wsub", "-batch", "weather.pbs", "-data", "data.csv"]
    done = start(Library("", dict(os.environ)), words, cwd=user.work)
    assert (done.stdout, done.stderr) == ("445948.master\n", "total number of work items: 5\n")
    assert user.status() == "0"
    rows = [line.split(", ") for line in worker_examples.DATA.splitlines()[1:]]
    assert (user.work / "weather.pbs.o445948").read_text().splitlines() == [
        f"T: {temperature}  P: {pressure}  V: {volume}" for temperature, pressure, volume in rows
    ]
    log = (user.work / "weather.pbs.log445948").read_text()
    assert len(re.findall(r"^\d completed by [12] at \w{3} \w{3} [ \d]\d ", log, re.M)) == 5
    snapshot = user.work / "weather.pbs.sh445948"
    assert snapshot.read_text() == worker_examples.WEATHER_PBS


def test_a_prolog_a_hundred_numbers_an_epilog_and_a_job_that_goes_on(user: User) -> None:
    (user.work / "faulty").touch()
    user.does("wsub -prolog pre.sh -batch test_set.pbs -epilog post.sh -t 1-100")
    assert user.status() == "1"
    summary = user.does("wsummarize -long test_set.pbs.log445948").out
    assert "98 of 100 executed tasks successfully completed" in summary
    assert "failed task IDs:\n99, 100\n" in summary
    (user.work / "faulty").unlink()
    (user.work / "pre.sh").write_text("exit 1\n")
    (user.work / "test_set.pbs").write_text("exit 1\n")
    (user.work / "all_output.txt").unlink(missing_ok=True)
    user.does("wresume -jobid 445948 -retry -l walltime=1:30:00")
    assert user.status() == "0", user.said_by_job()
    assert (user.work / "all_output.txt").read_text() == "".join(
        f"This is input file #{number}\nCalculations done, no results\n" for number in ITEMS
    )
    user.does("wcat -t 1-100 -pattern output/output_[%PBS_ARRAYID%].dat -output joined.txt")
    assert (user.work / "joined.txt").read_text() == (user.work / "all_output.txt").read_text()
    load = user.does("wload -workers test_set.pbs.log445948").out
    assert sum(int(line.split(",")[2]) for line in load.splitlines()[1:]) == 102
    nothing = user.does("wresume -jobid 445949", status=2)
    assert "of 100 items none is left" in nothing.err


def test_an_item_that_takes_too_long_leaves_time_for_the_others(user: User) -> None:
    (user.work / "run.pbs").write_text(
        worker_examples.RUN_PBS.replace("cfd-test", "PATH=$PATH:. cfd-test")
    )
    user.does("wsub -batch run.pbs -data data.csv --item-timeout 1 -threaded 4 -N sweep")
    assert user.status() == "1"
    printed = (user.work / "sweep.o445948").read_text().splitlines()
    assert [line[:16] for line in printed] == ["4 threads: -t 29"] * 4
    assert "failed task IDs:\n3\n" in user.does("wsummarize -long sweep.log445948").out
