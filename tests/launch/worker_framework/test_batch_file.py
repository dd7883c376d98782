"""The batch file: its first line and its directives, as qsub and sbatch read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoopmpi.launch.worker_framework import batch_file
from scoopmpi.launch.worker_framework.batch_file import PBS, SLURM
from scoopmpi.launch.worker_framework.words import Refused

WEATHER = """\
#!/bin/bash -l

#PBS -N weather
#PBS  -l nodes=1:ppn=8 -l walltime=04:00:00
# PBS -q none: a comment
  #PBS -q short
#SBATCH --job-name=slurm

cd $PBS_O_WORKDIR
#PBS -q late
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.pbs"


def test_directives_end_where_the_body_begins(path: Path) -> None:
    path.write_text(WEATHER)
    found = batch_file.read(str(path))
    assert [(each.whose, each.line) for each in found.directives] == [
        (PBS, "#PBS -N weather"),
        (PBS, "#PBS -l nodes=1:ppn=8 -l walltime=04:00:00"),
        (PBS, "#PBS -q short"),
        (SLURM, "#SBATCH --job-name=slurm"),
    ]
    assert (found.text, found.changed) == (WEATHER.encode(), ())
    assert found.job_name == "slurm"


def test_directives_of_another_prefix_become_usual_ones(path: Path) -> None:
    path.write_text("#!/bin/sh\n#MY -q long\n#PBS -q short\nx\n")
    assert batch_file.read(str(path), "#MY").for_job == ("#PBS -q long",)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("#PBS -N a", "a"),
        ("#PBS -Na", "a"),
        ("#PBS -q x -N 'a b' # N", "a b"),
        ("#SBATCH -J a", "a"),
        ("#SBATCH -Ja", "a"),
        ("#SBATCH --job-name a", "a"),
        ("#SBATCH -N 2", None),
        ("#PBS -q 'x", None),
    ],
)
def test_the_name_of_the_job(path: Path, line: str, name: str | None) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    assert batch_file.read(str(path)).job_name == name


@pytest.mark.parametrize(
    "line",
    ["#PBS -t 1-10", "#PBS -t1-10", "#PBS -J 1-10", "#SBATCH --array=1-10", "#SBATCH -a 1-10"],
)
def test_an_array_of_jobs_is_refused_with_the_remedy(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    with pytest.raises(Refused) as problem:
        batch_file.read(str(path))
    assert f"{line} makes a job of each number" in str(problem.value)
    assert "wsub -t 1-10 " in str(problem.value)


def test_time_limits_of_slurm_are_no_array(path: Path) -> None:
    path.write_text("#!/bin/sh\n#SBATCH -t 1:00:00\n#SBATCH --time=5\n")
    assert len(batch_file.read(str(path)).for_job) == 2


def test_the_shell_of_the_job_script_is_not_the_items(path: Path) -> None:
    path.write_text("#!/bin/tcsh\n#PBS -S /bin/tcsh\n#PBS -S/bin/tcsh\n#PBS -q x\n#SBATCH -S 2\n")
    assert batch_file.read(str(path)).for_job == ("#PBS -q x", "#SBATCH -S 2")


def test_windows_line_ends_and_no_first_line_are_put_right_and_told(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf#PBS -q short\r\necho $a\r\n")
    found = batch_file.read(str(path))
    assert found.text == b"#!/bin/bash\n#PBS -q short\necho $a\n"
    assert found.for_job == ("#PBS -q short",)
    mark, ends, first = found.changed
    assert "byte order mark" in mark and "as on Windows" in ends and "no interpreter" in first


def test_bytes_of_any_encoding_stay_as_they_are(path: Path) -> None:
    text = b"#!/bin/sh\n#PBS -N caf\xe9\necho \xff\xfe\n"
    path.write_bytes(text)
    found = batch_file.read(str(path))
    assert found.text == text and found.for_job[0].endswith("caf\udce9")


LINE = st.sampled_from(
    [b"#!/bin/sh", b"#PBS", b"#PBS -t", b"#SBATCH -J", b" ", b"'", b'"', b"echo"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINE | st.binary(max_size=6), max_size=8), st.sampled_from([b"\n", b"\r\n", b""]))
def test_any_bytes_are_read_or_refused(path: Path, parts: list[bytes], end: bytes) -> None:
    path.write_bytes(end.join(parts))
    try:
        found = batch_file.read(str(path))
        assert found.text.startswith(b"#!")
        assert all(line.startswith("#") for line in found.for_job)
        assert found.job_name != "" and found.variables == []
    except Refused as problem:
        assert str(path) in str(problem)


def test_what_is_no_script_is_refused(path: Path) -> None:
    path.write_bytes(b"\x7fELF\0")
    with pytest.raises(Refused, match="that is no script"):
        batch_file.read(str(path))
