"""Commands as words: values are arguments, whatever stands in them."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from scoopmpi.sweep.command.command import CommandProblem
from scoopmpi.sweep.command.opening import opened
from scoopmpi.sweep.command.words import Words

HOSTILE = (
    "$(touch broken)", "`touch broken`", "; touch broken", "| touch broken", "&& touch broken",
    "x\ntouch broken\n", "'; touch broken; '", '"; touch broken; "', "> broken", "-rf", "--help",
    "*", "~", "$temperature", "${temperature}", "$$", "\\", "a  b", "", " ", "é", "\udcff", "%s",
    "#x", "{a,b}", "!x", "x$", "$(", "${", "\r", "\t", "\x1b[31m",
)  # fmt: skip


def made(words: Sequence[str], *columns: str, **env: str) -> Words:
    command = opened(words, None, False, columns, env)
    assert isinstance(command, Words)
    return command


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_one_argument_as_it_is(value: str) -> None:
    command = made(["./x", "$a", "-p$a", "--q=${a}r"], "a")
    call = pickle.loads(pickle.dumps(command)).call({"a": value, "temperature": "no"})
    assert call.words == ["./x", value, f"-p{value}", f"--q={value}r"]
    assert call.script is None


@pytest.mark.ranks
def test_no_shell_reads_a_value(tmp_path: Path) -> None:
    """Each way to a shell that there is on this machine, with each value that would break out."""
    ways = [
        ["SHELL", "-c", "printf '%s' \"$a\""],
        ["SHELL", "-ec", "printf '%s' \"$1\"", "_", "$a"],
        ["env", "B=$a", "SHELL", "-c", "printf '%s' \"$B\""],
        ["env", "printf", "%s", "$a"],
    ]
    shells = [name for name in ("sh", "bash", "zsh", "ksh") if shutil.which(name)]
    for way in ways:
        for shell in shells[: 1 if "SHELL" not in way else None]:
            command = made([shell if word == "SHELL" else word for word in way], "a")
            for value in HOSTILE:
                env = {"PATH": os.environ["PATH"], "a": value}
                done = subprocess.run(
                    command.call(env).words, env=env, cwd=tmp_path, capture_output=True, timeout=30
                )
                assert done.stdout == os.fsencode(value), (way, shell)
    assert not list(tmp_path.iterdir())


def test_the_environment_is_there_too_and_columns_come_first() -> None:
    command = made(["ls", "$HOME/$a", "$WORKER_RANK", "$SCOOP_COUNTER"], "a", HOME="/root")
    variables = {"HOME": "/root", "a": "x", "WORKER_RANK": "3", "SCOOP_COUNTER": "7"}
    assert command.call(variables).words == ["ls", "/root/x", "3", "7"]
    with pytest.raises(CommandProblem, match="WORKER_RANK"):
        command.call({"HOME": "/", "a": "x"})


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("$temprature", r"columns are temperature, pressure; \$temperature is meant\?"),
        ("${temperatureK}", r"\$\{temperature\}K is meant"),
        ("$HOMEE", r"\$HOME is meant"),
        ("awk {print $NF}", r"called NF.*A dollar itself is \$\$"),
        ("$SLURM_ARRAY_TASK_ID", "called SLURM_ARRAY_TASK_ID"),
        ("${temperature:-1}", "bash -c"),
        ("{pressure}", r"\{pressure\} in the command: the column is '\$pressure' here"),
    ],
)
def test_a_name_that_nobody_has_is_refused(word: str, said: str) -> None:
    with pytest.raises(CommandProblem, match=said):
        made(["./x", word], "temperature", "pressure", HOME="/")


def test_an_array_has_the_names_of_all_batch_systems() -> None:
    names = ["PBS_ARRAYID", "PBS_ARRAY_INDEX", "SLURM_ARRAY_TASK_ID", "SGE_TASK_ID", "LSB_JOBINDEX"]
    command = made(["./x", *(f"${name}" for name in names)], "PBS_ARRAYID")
    assert command.call(dict.fromkeys(names, "7")).words == ["./x", *["7"] * 5]


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["gzip"], ["gzip", "a b"]),
        (["mv", "$ITEM", "to/$ITEM"], ["mv", "a b", "to/a b"]),
        (["./x", "${ITEM}.gz"], ["./x", "a b.gz"]),
        (["./x", "$ITEMS"], None),
        (["./x", "$$ITEM"], ["./x", "$ITEM", "a b"]),
        (["sh", "-c", "gzip $ITEM"], ["sh", "-c", "gzip $ITEM"]),
        (["sh", "-c", 'gzip "${ITEM%.x}"'], ["sh", "-c", 'gzip "${ITEM%.x}"']),
        (["sh", "-c", 'gzip "$1"', "_"], ["sh", "-c", 'gzip "$1"', "_", "a b"]),
        (["sh", "-c", "echo $ITEMS", "_"], ["sh", "-c", "echo $ITEMS", "_", "a b"]),
    ],
)
def test_a_line_is_appended_where_no_word_names_it(
    words: list[str], called: list[str] | None
) -> None:
    if called is None:
        with pytest.raises(CommandProblem, match="called ITEMS"):
            made(words, "ITEM")
    else:
        assert made(words, "ITEM").call({"ITEM": "a b"}).words == called


def test_what_a_shell_reads_stays_and_what_stands_behind_is_an_argument() -> None:
    command = made(["bash", "-c", "echo $a $$ $none ${a:-1} $1", "$a", "$a"], "a")
    assert command.call({"a": "; ls"}).words == [
        "bash", "-c", "echo $a $$ $none ${a:-1} $1", "; ls", "; ls",
    ]  # fmt: skip


def test_a_shell_that_is_named_by_a_variable_is_one() -> None:
    text = "echo $a"
    command = made(["$SHELL", "-c", text], "a", SHELL="/bin/bash")
    assert command.call({"SHELL": "/bin/bash", "a": "; ls"}).words == ["/bin/bash", "-c", text]
    command = made(["env", "$MYSHELL", "-c", text], "a", MYSHELL="zsh")
    assert command.call({"MYSHELL": "zsh", "a": "; ls"}).words[-1] == text


def test_no_row_chooses_a_shell_that_reads_its_values() -> None:
    command = made(["$program", "-c", "$a"], "program", "a")
    assert command.call({"program": "./x", "a": "; ls"}).words == ["./x", "-c", "; ls"]
    behind = made(["timeout", "10", "$program", "-c", "$a"], "program", "a")
    assert behind.call({"program": "./x", "a": "; ls"}).words[2:] == ["./x", "-c", "; ls"]
    for program in ("sh", "/bin/bash", "su", "ssh"):
        for each in (command, behind):
            with pytest.raises(CommandProblem, match="program"):
                each.call({"program": program, "a": "; ls"})


@pytest.mark.parametrize("words", [["ssh", "host", "./x $a"], ["ssh", "$a"], ["env", "-S", "x $a"]])
def test_values_do_not_go_to_shells_elsewhere(words: list[str]) -> None:
    with pytest.raises(CommandProblem, match=r"to a shell.*@Q"):
        made(words, "a")
    assert made(["ssh", "host", "uptime"], "a").call({}).words == ["ssh", "host", "uptime"]


def test_the_digest_is_of_the_words_as_they_are_written() -> None:
    commands = [["a", "b"], ["ab"], ["a", "$x"], ["a", "${x}"], ["sh", "-c", "$x"], ["sh", "-c $x"]]
    commands += [["a", "$$x"], ["a", "$$$x"]]
    digests = [made(words, "x").digest() for words in commands]
    assert len(set(digests)) == len(digests)
    assert made(["a", "$x"], "x", "y", HOME="/").digest() == digests[2]


def test_a_line_in_quotes_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(CommandProblem, match=r"'echo \$a' is one word.*sh -c 'echo \$a'"):
        made(["echo $a"], "a", PATH=os.environ["PATH"])
    odd = tmp_path / "sh odd"
    odd.touch()
    assert made([str(odd)], "a", PATH="/bin").call({}).words == [str(odd)]
    assert made(["my program"], "a", PATH="/bin").call({}).words == ["my program"]


def test_a_ranks_place_in_the_job_is_no_variable_of_items() -> None:
    with pytest.raises(CommandProblem, match="called OMPI_COMM_WORLD_RANK"):
        made(["./x", "$OMPI_COMM_WORLD_RANK"], "a", OMPI_COMM_WORLD_RANK="0")


def test_a_command_is_wanted() -> None:
    with pytest.raises(CommandProblem, match="which command"):
        made([], "a")
    assert made(["/usr/bin/gzip"], "a").name == "gzip"
