"""`myscoop completion`: what shells read, and real shells that have read it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from scoopmpi.launch import completion_command
from scoopmpi.launch.cli import completion
from scoopmpi.myscoop import main as myscoop
from tests.support.prompts import Prompt

NAMES = (*completion_command.ASKED, *completion_command.LISTED)


def said(*words: str) -> str:
    done = CliRunner().invoke(myscoop, ["completion", *words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_all_commands_or_those_that_are_named(shell: str) -> None:
    each = [said(shell, name) for name in NAMES]
    assert said(shell) == "\n".join(each) and all(each)
    assert said(shell, "wsub", "wcat") == "\n".join((said(shell, "wsub"), said(shell, "wcat")))


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_shell_finds_no_fault(shell: str) -> None:
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"no {shell} here")
    done = subprocess.run(
        [program, "-n"], input=said(shell), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_refused() -> None:
    done = CliRunner().invoke(myscoop, ["completion", "tcsh"])
    assert done.exit_code == 2 and "tcsh" in done.output


def test_the_words_of_the_command_and_those_of_a_program() -> None:
    assert completion_command.takes(["bash"]) and completion_command.takes(["zsh", "wsub"])
    for words in ([], ["data.csv"], ["bash", "data.csv"], ["wsub"]):
        assert not completion_command.takes(words)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--order", "=", "sort", "pi"], ["--order=sort", "pi"]),
        (["--order", "="], ["--order"]),
        (["-n", "2", "--order", "=", "sort"], ["-n", "2", "--order=sort"]),
        (["a", "=", "b"], ["a", "=", "b"]),
        (["="], ["="]),
        (["--one", "=", "1", "--two", "=", "2"], ["--one=1", "--two=2"]),
    ],
)
def test_what_bash_takes_apart_is_put_together(words: list[str], found: list[str]) -> None:
    assert completion.joined(words) == found


STRANGE = [
    completion.Listed("-a", "FILE[:N]", r"It's [a]: b\c"),
    completion.Listed("--bc", "", "D"),
]


def test_options_are_listed_with_whatever_is_in_their_help() -> None:
    bash, zsh, fish = (completion.listed("x", shell, STRANGE) for shell in completion.SHELLS)
    assert "-W '-a --bc'" in bash and bash.endswith("complete -o default -F _x_completion x\n")
    assert r"'-a[It'\''s \[a\]\: b\\c]:FILE\[\:N\]:_files'" in zsh and "'--bc[D]'" in zsh
    assert fish == "complete -c x -s a -r -d 'It\\'s [a]: b\\\\c'\ncomplete -c x -l bc -d 'D'\n"


@pytest.mark.ranks
def test_a_tab_loads_nothing_that_starts_jobs() -> None:
    """It is to take no longer than a person waits: 0.15 s, half of which is Python and click."""
    code = "import sys, scoopmpi.myscoop, scoopmpi.mympirun; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "scoopmpi.launch.cli.completion" in loaded
    assert not loaded & {"numpy", "mpi4py", "cloudpickle", "rich", "asyncio", "ipykernel"}
    assert not loaded & {f"scoopmpi.launch.{name}" for name in ("wrapper", "running", "detection")}
    assert "scoopmpi.launch.worker_framework" not in loaded


TYPED = {
    "myscoop --ord": "myscoop --order",
    "myscoop --order so": "myscoop --order sort",
    "myscoop --order=s": "myscoop --order=sort",
    "myscoop --order=sort pica": "myscoop --order=sort picalc",
    "myscoop --output=mi": "myscoop --output=mine.py",
    "myscoop checkpoint sh": "myscoop checkpoint show",
    "myscoop status mi": "myscoop status mine.py",
    "myscoop mi": "myscoop mine.py",
    "mympirun --dou": "mympirun --double",
    "wsub -bat": "wsub -batch",
    "wsub -batch mi": "wsub -batch mine.py",
}
"""What is typed before TAB, and what the line is then."""
READ = {
    "bash": 'eval "$(myscoop completion bash)"',
    "zsh": 'autoload -U compinit; compinit -u -D; eval "$(myscoop completion zsh)"',
    "fish": "myscoop completion fish | source",
}


@pytest.mark.ranks
@pytest.mark.parametrize("shell", completion.SHELLS)
def test_a_shell_completes_what_a_person_types(shell: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    with Prompt(shell, tmp_path, READ[shell]) as prompt:
        for typed, line in TYPED.items():
            prompt.completed(typed, line)
