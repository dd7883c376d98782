"""The Slurm of these tests: it starts without root too, and leaves nothing, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import slurm
from .jobs import Slurm, await_that

pytestmark = [
    pytest.mark.timeout(180),
    # What is missing is told by the tests that need it.
    pytest.mark.usefixtures("cluster"),
]

NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """One that any user may use, with the module that starts Slurm."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        shutil.copy(slurm.__file__, directory)
        yield directory


def started(words: list[str], directory: Path, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*words, "slurm.py", "files"], cwd=directory, env={**os.environ, **more}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def variables_of(directory: Path) -> dict[str, str]:
    return {"SLURM_CONF": str(directory / "files" / "slurm.conf"), "PATH": slurm.PATH}


def run_in(directory: Path, *words: str) -> str:
    env = {**os.environ, **variables_of(directory)}
    return subprocess.check_output(words, env=env, cwd=directory, text=True, timeout=30)


def await_start(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    assert line.startswith("export SLURM_CONF="), process.stderr.read()


def test_it_starts_without_root_and_ends_jobs_and_all_when_it_is_told_to(
    open_directory: Path,
) -> None:
    words = [SYSTEM_PYTHON]
    if os.geteuid() == 0:
        if not Path(SYSTEM_PYTHON).exists() or shutil.which("setpriv") is None:
            pytest.skip(f"as root this wants {SYSTEM_PYTHON} and setpriv")
        words = [*NOBODY, SYSTEM_PYTHON]
    users_files = {"HOME": str(open_directory), "USER": "nobody", "LOGNAME": "nobody"}
    with started(words, open_directory, **users_files) as process:
        await_start(process)
        run_in(open_directory, "scontrol", "ping")
        assert slurm.processes(variables_of(open_directory))
        process.terminate()
        assert process.wait(60) == 0
    assert not slurm.processes(variables_of(open_directory))


def test_a_start_that_fails_leaves_nothing_and_says_what_the_daemon_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = slurm.CONFIGURATION.replace("ProctrackType=proctrack/linuxproc", "ProctrackType=wrong")
    monkeypatch.setattr(slurm, "CONFIGURATION", wrong)
    with pytest.raises(slurm.NotStarted, match="proctrack"), slurm.running(tmp_path):
        pytest.fail("it has started")
    assert not slurm.processes({"SLURM_CONF": str(tmp_path / "slurm.conf")})


def test_a_job_that_runs_on_is_ended_with_it(tmp_path: Path) -> None:
    with slurm.running(tmp_path) as variables:
        env = {**os.environ, **variables}
        asleep = "sleep 100 & setsid sleep 100 & touch begun; wait"
        words = ["sbatch", "-N1", "--output=/dev/null", f"--wrap={asleep}"]
        subprocess.run(words, env=env, cwd=tmp_path, check=True, timeout=30, capture_output=True)
        await_that((tmp_path / "begun").exists, lambda: "the job has not begun")
    assert not slurm.processes(variables)


def test_a_shell_that_only_uses_it_is_let_live(cluster: Slurm) -> None:
    with subprocess.Popen(["sleep", "60"], env={**os.environ, **cluster.variables}) as bystander:
        try:
            assert bystander.pid not in slurm.processes(cluster.variables)
        finally:
            bystander.kill()


def test_daemons_end_with_tests_that_are_killed(open_directory: Path) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("this wants setpriv")
    with started([sys.executable], open_directory) as process:
        await_start(process)
        process.send_signal(signal.SIGKILL)
    left = variables_of(open_directory)
    await_that(lambda: not slurm.processes(left), lambda: "daemons are left")
