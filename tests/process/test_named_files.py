"""Names of files that options give: placeholders, refusals, and former files that are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.process import named_files
from scoopmpi.process.named_files import NameProblem

OUTPUT = ("rank", "host", "job")


@pytest.mark.parametrize(
    ("env", "number"),
    [
        ({}, None),
        ({"SLURM_JOB_ID": "17"}, "17"),
        ({"SLURM_JOB_ID": "19", "SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3"}, "17_3"),
        ({"SLURM_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "0"}, "17_0"),
        ({"PBS_JOBID": "1234.head.cluster"}, "1234"),
        ({"PBS_JOBID": "1234[5].head"}, "1234_5"),
        ({"LSB_JOBID": "8", "LSB_JOBINDEX": "0"}, "8"),
        ({"LSB_JOBID": "8", "LSB_JOBINDEX": "2"}, "8_2"),
        ({"JOB_ID": "5", "SGE_TASK_ID": "undefined"}, "5"),
        ({"JOB_ID": "5", "SGE_TASK_ID": "4"}, "5_4"),
        ({"FLUX_JOB_ID": "f2/x"}, "f2_x"),
        ({"OAR_JOB_ID": "", "OAR_JOBID": "6"}, "6"),
    ],
)
def test_the_number_of_the_batch_job(env: dict[str, str], number: str | None) -> None:
    assert named_files.job_number(env) == number


@pytest.mark.parametrize(
    ("name", "file", "differs"),
    [
        ("run.log", "run.log", False),
        ("a.{rank}", "a.3", True),
        ("{job}/{host}-{rank}", "9/n1-3", True),
        ("{{rank}}.{job}", "{rank}.9", False),
        ("a}b{{{rank}}}", "a}b{3}", True),
    ],
)
def test_what_placeholders_stand_for(name: str, file: str, differs: bool) -> None:
    named_files.placeholders(name, OUTPUT)
    with_job = named_files.with_job(name, "9")
    assert named_files.filled(with_job, {"rank": 3, "host": "n1"}) == file
    assert named_files.differs(name) is differs


@pytest.mark.parametrize("name", ["a.{foo}", "a.{}", "a.{ rank}", "a.{rank", "{rank:03}"])
def test_other_placeholders_are_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(NameProblem, match=r"\{host\}, \{job\}, \{rank\}"):
        named_files.placeholders(name, OUTPUT)


@given(st.text("ab.{}/", max_size=12))
def test_doubled_braces_make_any_name(name: str) -> None:
    doubled = name.replace("{", "{{").replace("}", "}}")
    assert named_files.placeholders(doubled, OUTPUT) == frozenset()
    assert named_files.filled(named_files.with_job(doubled, "9"), {}) == name


@given(st.text())
def test_any_text_is_made_a_safe_part_of_a_name(text: str) -> None:
    safe = named_files.safe(text)
    assert safe and "/" not in safe and not safe.startswith(".") and safe.isascii()


def test_a_file_of_a_former_run_is_kept_under_the_next_number(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    assert named_files.put_aside(str(path)) is None
    path.touch()
    assert named_files.put_aside(str(path)) is None, "an empty file is nothing to keep"
    for number in (1, 2, 3):
        path.write_text(f"run {number}")
        assert named_files.put_aside(str(path)) == f"{path}.{number}"
    assert [(tmp_path / f"run.log.{n}").read_text()[-1] for n in (1, 2, 3)] == ["1", "2", "3"]


def test_links_and_devices_stay(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert named_files.put_aside(str(tmp_path / "link")) is None
    assert named_files.put_aside(os.devnull) is None


def test_former_files_of_ranks_and_hosts_are_found(tmp_path: Path) -> None:
    for name in ("a.0", "a.17", "a.x", "a.0.1", "b-n1.log", "b-n2.x.log", "b-n1.log.1", "c.n1.1"):
        (tmp_path / name).write_text("x")

    def former(name: str) -> list[str]:
        return [Path(path).name for path in named_files.former_files(str(tmp_path / name))]

    assert former("a.{rank}") == ["a.0", "a.17"]
    assert former("b-{host}.log") == ["b-n1.log", "b-n2.x.log"]
    assert former("c.{host}") == []


def test_what_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert named_files.refusal(str(tmp_path / "new")) is None
    assert named_files.refusal(str(tmp_path / "file")) is None
    assert "is a directory" in (named_files.refusal(str(tmp_path)) or "")
    assert "no directory" in (named_files.refusal(str(tmp_path / "no" / "x")) or "")
    assert "no directory" in (named_files.refusal(str(tmp_path / "file" / "x")) or "")
    assert named_files.directory_refusal(str(tmp_path / "new")) is None
    assert named_files.directory_refusal(str(tmp_path)) is None
    assert "no directory" in (named_files.directory_refusal(str(tmp_path / "file")) or "")
    assert "no directory" in (named_files.directory_refusal(str(tmp_path / "no" / "x")) or "")


def test_a_rank_knows_no_number_without_a_batch_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for names, place in named_files._JOBS:
        for name in (*names, place):
            monkeypatch.delenv(name or "_", raising=False)
    monkeypatch.chdir(tmp_path)
    assert named_files.named("--task-log", "a.{r}", {"r": 3}) == f"{tmp_path}/a.3"
    with pytest.raises(NameProblem, match=r"a\.\{job\} names no file: this is no batch job"):
        named_files.named("--task-log", "a.{job}")
    monkeypatch.setenv("PBS_JOBID", "7.head")
    assert named_files.named("--task-log", "a.{job}") == f"{tmp_path}/a.7"
