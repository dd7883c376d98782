"""The script of a job, run by shells: the files that it makes, and the words that it hands on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scoopmpi.launch.worker_framework.job_script import BATCH, EPILOG, LOG, PROLOG, JobScript

SHELLS = [name for name in ("sh", "bash", "dash", "zsh", "ksh") if shutil.which(name)]
TEXTS = (
    b"#!/bin/sh\necho $a `b` \\$c \"d\" 'e' \\\n",
    b"",
    b"\n\n\n",
    b"no end",
    b"END_OF_FILE\nEND_OF_FILE_\n",
    b"\xff\xfe caf\xc3\xa9\t\x01\n",
    b"<<EOF\n$(touch made)\nEOF\n" * 200,
)
WORDS = ("--data", "/a b/it's.csv", "$HOME", "`x`", 'a"b', "a\nb", "", "*", "caf\udce9", "\\n", LOG)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "env",
    [
        {"PBS_JOBID": "445948.master", "PBS_JOBNAME": "my run.pbs"},
        {"SLURM_JOB_ID": "445948", "SLURM_JOB_NAME": "/some/where/my run.pbs"},
        {"PBS_JOBID": "445948", "PBS_JOBNAME": "my run.pbs", "SLURM_JOB_ID": "7",
         "SLURM_JOB_NAME": "qsub"},
    ],
)  # fmt: skip
def test_files_and_words_are_as_they_were(tmp_path: Path, shell: str, env: dict[str, str]) -> None:
    place = tmp_path / "it's here"
    place.mkdir()
    for text in TEXTS:
        texts = {BATCH: text, PROLOG: text + b"pro\n", EPILOG: b"epi\n" + text}
        script = JobScript(
            "PBS", ("#PBS -q x",), str(place), ("/usr/bin/printf", "%s\\0"), (*WORDS, BATCH), texts
        ).text()
        (tmp_path / "script").write_bytes(script)
        done = subprocess.run(
            [shell, str(tmp_path / "script")], cwd="/", env={**env, "PATH": os.defpath},
            capture_output=True, timeout=20, check=True,
        )  # fmt: skip
        files = f"{place}/my run.pbs"
        meant = (*WORDS[:-1], f"{files}.log445948", f"{files}.sh445948", "")
        assert done.stdout.split(b"\0") == [os.fsencode(word) for word in meant]
        for ending, kept in (("sh", text), ("pro", text + b"pro\n"), ("epi", b"epi\n" + text)):
            assert Path(f"{files}.{ending}445948").read_bytes() == kept.removesuffix(b"\n") + b"\n"
    assert sorted(path.name for path in place.iterdir()) == [
        "my run.pbs.epi445948", "my run.pbs.pro445948", "my run.pbs.sh445948",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("whose", "env", "printed"),
    [
        ("PBS", {}, "{place} {place} /own:/bin /lib"),
        ("PBS", {"PBS_O_WORKDIR": "/o"}, "{place} /o /own:/bin /lib"),
        ("Slurm", {}, "/ {place} /own:/bin /lib"),
        ("Slurm", {"LD_LIBRARY_PATH": "/jobs"}, "/ {place} /own:/bin /lib:/jobs"),
    ],
)
def test_where_it_runs_and_what_it_finds(
    tmp_path: Path, whose: str, env: dict[str, str], printed: str
) -> None:
    at_submission = {"PATH": "/own", "LD_LIBRARY_PATH": "/lib", "PYTHONHOME": "", "OTHER": "x"}
    line = 'echo "$(pwd) $PBS_O_WORKDIR $PATH $LD_LIBRARY_PATH$PYTHONHOME$OTHER"'
    script = JobScript(whose, (), str(tmp_path), ("/bin/sh", "-c"), (line,), {}, at_submission)
    (tmp_path / "script").write_bytes(script.text())
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "script")], cwd="/", env={"PATH": "/bin", **env},
        capture_output=True, timeout=20, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == printed.format(place=tmp_path)


def test_a_directory_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    script = JobScript("Slurm", (), f"{tmp_path}/none", ("echo",), ("runs",), {BATCH: b"x\n"})
    (tmp_path / "script").write_bytes(script.text())
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "script")], env={"SLURM_JOB_ID": "1"}, capture_output=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode != 0 and done.stdout == b"" and b"none" in done.stderr
