"""The commands and the shell: hostile words, a dry run pasted into a shell, completion, help."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import ROOT
from tests.support.wrappers import Prefix, asked, of_slots, prefix, started

__all__ = ["prefix"]
BASH = shutil.which("bash") or "bash"
HOSTILE = [
    "two words", "it's", '"', "$(touch gone)", "`touch gone`", "; touch gone", "a\nb", "", "-n",
    "--", "*", "~", "\\", "&", "#", "a=b", "ünïcode", "\t", "!x", "{a,b}", "\udcff",
]  # fmt: skip


def test_the_programs_words_reach_it_as_they_are(prefix: Prefix) -> None:
    assert started(prefix.myscoop("squares", *HOSTILE)).inner == ["squares", *HOSTILE]
    told = asked(prefix.mympirun("squares.py", *HOSTILE), [sys.executable, "squares.py"])
    assert told.inner == HOSTILE


@pytest.mark.parametrize(
    "name", ["two words.py", "it's.py", "a;b.py", "$(c).py", "a\nb.py", "ü.py"]
)
def test_programs_with_hostile_names(prefix: Prefix, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    assert started(prefix.myscoop(name, cwd=tmp_path)).inner == [name]


def test_a_program_whose_name_begins_like_an_option(prefix: Prefix, tmp_path: Path) -> None:
    (tmp_path / "-n.py").write_text("")
    assert started(prefix.myscoop("--", "-n.py", "3", cwd=tmp_path)).inner == ["--", "-n.py", "3"]
    assert "No such option" in prefix.myscoop("-x.py", cwd=tmp_path).stderr


CASES: dict[str, list[str]] = {
    "plain": ["squares", "3"],
    "hostile": ["squares", *HOSTILE],
    "options": ["-h", "2", "--overridepin", "spread", "--all-gpus", "squares"],
    "temporary": ["--basepath", ".", "squares"],
    "launcher's words": ["--mpirunoptions", "--a 'b c' $(d) ;", "squares"],
    "modules": ["--scoop-load-modules", "a b,c;d", "squares"],
    "inherited": ["--disable-pinmpi", "squares"],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["myscoop", "mympirun"])
def test_a_dry_run_pasted_into_a_shell_does_the_same(
    prefix: Prefix, tmp_path: Path, command: str, case: str
) -> None:
    """The same words, and the same environment in the ranks."""
    words = CASES[case]
    if command == "mympirun":
        if "scoop" in words[0]:
            return
        words = ["squares.py" if word == "squares" else word for word in words]
    job = of_slots(tmp_path, 4, 4, PYTHONPATH=".:lib", NCPUS="4", OMP_NUM_THREADS="4")
    job |= {"SCOOPMPI_PIN": "spread", "SCOOPMPI_GPUS": "share"}
    shell = Path(BASH).parent
    job["PATH"] = f"{prefix.path}/bin:{shell}:/usr/bin:/bin"
    cwd = tmp_path / "work"
    shutil.copytree(ROOT / "jobscripts", cwd)
    run = getattr(prefix, command)
    dry = run("--dry-run", *words, cwd=cwd, **job)
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.endswith("\n")
    pasted = prefix.run(BASH, "-c", dry.stdout, cwd=cwd, **job)
    assert pasted.returncode == 0, pasted.stderr
    assert json.loads(pasted.stdout) == json.loads(run(*words, cwd=cwd, **job).stdout)
    assert not (cwd / "gone").exists()


def test_env_stands_in_front_only_where_words_cannot_say_it(prefix: Prefix) -> None:
    done = prefix.myscoop("-D", "squares")
    assert done.stdout.startswith(f"{prefix.path}/bin/mpirun ")
    done = prefix.myscoop("-D", "--disable-pinmpi", "squares", SCOOPMPI_PIN="spread")
    assert done.stdout.startswith(f"env -u SCOOPMPI_PIN {prefix.path}/bin/mpirun ")
    done = prefix.myscoop("-D", "--basepath", "/tmp", "squares")
    assert done.stdout.startswith(f"env TMPDIR=/tmp {prefix.path}/bin/mpirun ")


# Completion, by click's own mechanism.

SHELLS = {"bash": "complete -o nosort -F", "zsh": "#compdef {}", "fish": "complete --no-files"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("command", ["myscoop", "mympirun"])
def test_what_a_shell_sources(prefix: Prefix, command: str, shell: str) -> None:
    variable = f"_{command.upper()}_COMPLETE"
    prefix.env["PATH"] += f":{Path(BASH).parent}"
    done = getattr(prefix, command)(**{variable: f"{shell}_source"})
    assert done.returncode == 0, done.stderr
    assert SHELLS[shell].format(command) in done.stdout
    assert f"{variable}={shell}_complete" in done.stdout
    if program := shutil.which(shell):
        checked = subprocess.run(
            [program, "-n"], input=done.stdout, capture_output=True, text=True, timeout=30
        )
        assert (checked.returncode, checked.stderr) == (0, "")


def answers(prefix: Prefix, shell: str, command: str, *words: str, cwd: Path) -> list[str]:
    """The words that a shell is given for the last one of a command line."""
    told = {"COMP_WORDS": " ".join([command, *words]), "COMP_CWORD": str(len(words))}
    if shell == "fish":
        told |= {"COMP_CWORD": words[-1]}
    variable = {f"_{command.upper()}_COMPLETE": f"{shell}_complete"}
    done = getattr(prefix, command)(cwd=cwd, **told, **variable)
    assert (done.returncode, done.stderr) == (0, "")
    lines = list(filter(None, done.stdout.splitlines()))
    if shell == "zsh":  # kind, word and help in turn
        return [f"{kind},{word}" for kind, word in zip(lines[::3], lines[1::3], strict=True)]
    return [line.partition("\t")[0] for line in lines]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    made = tmp_path / "here"
    (made / "programs").mkdir(parents=True)
    for name in ("one.py", "data.txt", ".hidden.py", "programs/two.py", "programs/three.py"):
        (made / name).write_text("")
    return made


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--orde"], ["plain,--order"]),
        (["--order", "s"], ["plain,sort"]),
        (["--order", "ran"], ["plain,random", "plain,random_"]),
        (["--overridepin", "sp"], ["plain,spread"]),
        (["--sched", "sl"], ["plain,slurm"]),
        (["-S", "tor"], ["plain,torque"]),
        (["--setmpi", "open"], ["plain,openmpi"]),
        (["--basepath", "p"], ["dir,p"]),
        (["-h", "2", "--dry"], ["plain,--dry-run"]),
        (["pica"], ["plain,picalc"]),
        (["stat"], ["plain,status"]),
        (["o"], ["plain,one.py"]),
        (["p"], ["plain,programs/three.py", "plain,programs/two.py", "plain,picalc"]),
        (["pr"], ["plain,programs/three.py", "plain,programs/two.py"]),
        (["programs/tw"], ["plain,programs/two.py"]),
        (["."], ["plain,.hidden.py"]),
        (["one.py", "--dr"], ["file,--dr"]),
        (["sweep", "-n", "2", "--item"], ["plain,--item-timeout"]),
        (["one.py", "--order", "s"], ["file,s"]),
        (["one.py", "d"], ["file,d"]),
        (["--mpdboot"], []),
        (["checkpoint", "sh"], ["plain,show"]),
        (["checkpoint", "show", "--fa"], ["plain,--failed"]),
        (["status", "--wa"], ["plain,--watch"]),
        (["status", "o"], ["file,o"]),
        (["completion", "fi"], ["plain,fish"]),
        (["kernel", "in"], ["plain,install"]),
        (["kernel", "install", "--displ"], ["plain,--display-name"]),
        (["completion", "bash", "wl"], ["plain,wload"]),
        (["--sched", "local", "checkpoint", "dr"], ["plain,drop"]),
    ],
)
def test_answers(
    prefix: Prefix, here: Path, shell: str, words: list[str], found: list[str]
) -> None:
    assert answers(prefix, shell, "myscoop", *words, cwd=here) == found


def test_a_program_of_mympirun_is_any_file(prefix: Prefix, here: Path) -> None:
    assert answers(prefix, "bash", "mympirun", "o", cwd=here) == ["file,o"]
    assert answers(prefix, "bash", "mympirun", "--dou", cwd=here) == ["plain,--double"]


def test_bash_itself_completes(prefix: Prefix, here: Path) -> None:
    prefix.env["PATH"] += f":{Path(BASH).parent}:/usr/bin:/bin"
    script = """
        eval "$(_MYSCOOP_COMPLETE=bash_source myscoop)"
        COMP_WORDS=(myscoop --sched sl) COMP_CWORD=2
        _myscoop_completion myscoop
        echo "${COMPREPLY[@]}"
    """
    done = prefix.run(BASH, "--norc", "-c", script, cwd=here)
    assert done.stdout == "slurm\n", done.stderr


# Help.


@pytest.mark.parametrize("command", ["myscoop", "mympirun"])
def test_help(prefix: Prefix, command: str) -> None:
    run = getattr(prefix, command)
    long = run("--help").stdout
    assert run("-U").stdout == long
    for word in ("--hybrid N", "--overridepin WAY", "--disable-pinmpi", "$MYMPIRUN_DRY_RUN=1"):
        assert word in long
    short = run("-u")
    assert (short.returncode, short.stderr) == (0, "")
    assert run("--usage").stdout == run("--shorthelp").stdout == short.stdout
    assert "--hybrid N" in short.stdout and "--branchcount" not in short.stdout
    assert short.stdout.count("\n") < 25
    assert run("--version").stdout.startswith(f"{command}, of scoopmpi ")
    assert ("--scoop-module" in long) == (command == "myscoop")
