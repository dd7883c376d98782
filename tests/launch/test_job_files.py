"""Files that a job is to write: a name that cannot be is one line before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoopmpi.launch import job_files, scoop_command
from scoopmpi.launch.commandline import rank_command
from scoopmpi.launch.commandline.launch import Launch, of_each_rank, with_paths
from scoopmpi.launch.flavours.ranks import LaunchError
from scoopmpi.program.scoop_options import Options, for_ranks, parse


def refused(options: Options, **others: str | None) -> str:
    with pytest.raises(LaunchError) as caught:
        job_files.check(options, others)
    return str(caught.value)


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    cases = [
        (Options(task_log=str(tmp_path)), "--task-log", "it is a directory"),
        (Options(task_log=str(tmp_path / "no" / "x")), "--task-log", "there is no directory"),
        (Options(task_log="a.{rank}"), "--task-log", "{rank} stands for nothing; {job} does, and"),
        (Options(task_output=str(tmp_path / "file")), "--task-output", "it is no directory"),
        (Options(task_output="a.{"), "--task-output", "stands for nothing"),
    ]
    for options, option, reason in cases:
        text = refused(options)
        assert text.startswith(option) and reason in text and "\n" not in text


def test_one_file_for_two_options_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    text = refused(Options(task_log=path), **{"--output": f"{tmp_path}/../{tmp_path.name}/x"})
    assert "--task-log and --output are the same file" in text
    assert "are the same" in refused(Options(task_log=path, checkpoint=path))
    job_files.check(Options(task_log=os.devnull), {"--output": os.devnull})
    job_files.check(None, {"--output": path, "--logtofile": None})


def test_the_file_of_a_former_run_is_kept_and_named(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "run.log"
    assert job_files.output(str(path), said.append) == str(path)
    path.write_text("former")
    assert job_files.output(str(path), said.append) == str(path)
    assert len(said) == 1 and f"is now {path}.1" in said[0]
    path.symlink_to(tmp_path / "run.log.1")
    assert job_files.output(str(path), said.append) == str(path)
    assert "is overwritten" in said[1]
    assert job_files.output(None, said.append) is None


def test_files_of_ranks_are_kept_too_and_are_theirs_to_open(tmp_path: Path) -> None:
    said: list[str] = []
    for rank in (0, 1):
        (tmp_path / f"run.{rank}").write_text("former")
    assert job_files.output(str(tmp_path / "run.{rank}"), said.append) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.0.1", "run.1.1"]
    assert len(said) == 1 and "and 1 more" in said[0]
    with pytest.raises(LaunchError, match="no directory"):
        job_files.output(str(tmp_path / "no" / "no" / "{rank}"), said.append)
    with pytest.raises(LaunchError, match="stands for nothing"):
        job_files.output("run.{task}", said.append)


def test_names_are_those_of_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    files = ["--task-log", "t.{job}.csv", "--task-output", "out", "--output", "o.{rank}"]
    options = with_paths(parse([*files, "--label", "prog"]))
    told = parse([*for_ranks(options), "prog"])
    assert (told.task_log, told.task_output, told.output, told.label) == (
        f"{tmp_path}/t.17.csv", f"{tmp_path}/out", f"{tmp_path}/o.{{rank}}", True,
    )  # fmt: skip
    assert with_paths(Options(output="run.{job}")).output is None, "the command opens it"


def test_a_program_without_a_farm_has_its_files_by_a_shell(tmp_path: Path) -> None:
    name = f"{tmp_path}/a 'b' $x.{{rank}}.{{{{y}}}}.{{host}}"
    launch = Launch(("/bin/echo", "a  b"), None, output=of_each_rank(name))
    words = rank_command.of_program(launch)
    assert os.spawnve(os.P_WAIT, words[0], words, {"PATH": "/bin:/usr/bin", "PMI_RANK": "3"}) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == f"a 'b' $x.3.{{y}}.{os.uname().nodename}"
    assert path.read_text() == "a  b\n"


def test_a_rank_that_starts_anew_has_the_names_that_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    given = ["--task-log", "/a.{job}", "--task-output", "/b", "--output", "/c", "prog"]
    scoop_command.restart_rank(parse(given))
    told = parse(started[0][started[0].index("scoopmpi") + 1 :])
    assert (told.task_log, told.task_output, told.output) == ("/a.{job}", "/b", "/c")
