"""Each option of `myscoop` and `mympirun` is a variable too; what is mistyped is told."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest

from scoopmpi import myscoop
from scoopmpi.launch.cli.options import SHARED, universe
from scoopmpi.launch.cli.request import Instead, Output, Request
from scoopmpi.launch.cli.setting import Setting, unknown_variables, variable
from scoopmpi.launch.flavours.ranks import LauncherOptions
from scoopmpi.launch.hosts.placement import Binding, Placement
from scoopmpi.program.scoop_options import Options
from tests.launch.test_myscoop_options import COMMANDS, no_variables
from tests.support.libraries import ROOT
from tests.support.wrappers import Prefix, prefix

__all__ = ["no_variables", "prefix"]

VALUES: dict[str, tuple[str, str]] = {
    "universe": ("3", "x"),
    "seed": ("7", "-7"),
    "hybrid": ("2", "0"),
    "threads": ("4", "0"),
    "multi": ("4", "-1"),
    "order": ("random_3", "up"),
    "manager": ("slurm", "cron"),
    "job": ("slurm:3x4x8", "slurm"),
    "flavour": ("mpich", "lam"),
    "agent": ("a;b $(c)", ""),
    "branches": ("8", "many"),
    "mpirun_options": ("-a 'b c'", "'"),
    "pin": ("cyclepin", "around"),
    "prefixes": ("A,B", ""),
    "temporary": ("/tmp", "/nowhere"),
    "output": ("-x y", ""),
    "silence": ("2.5", "soon"),
    "log": ("a\nb", ""),
    "retries": ("0", "-1"),
    "checkpoint": ("a b", ""),
    "task_log": ("a {job}", ""),
    "task_output": ("a b", ""),
    "status": ("a {job}", ""),
    "trace": ("a {job}", ""),
    "report": ("a {job}", ""),
    "stop_before": ("auto", "soon"),
    "walltime": ("1-12:00:00", "a day"),
    "restarts": ("3", "-1"),
    "task_timeout": ("2.5", "0"),
    "debug_task": ("fit:17", "fit:"),
    "scoop_module": ("squares", ""),
    "loaded": ("gcc/13,b", ""),
    "scoop_broker": ("h", ""),
}
"""By the option's name: a value, and one that cannot be meant, where there is such a one."""
SETTINGS = [
    pytest.param(command, param, id=f"{name} {param.opts[-1]}")
    for name, command in COMMANDS.items() for param in command.params if isinstance(param, Setting)
]  # fmt: skip


def parsed(command: click.Command, words: list[str]) -> dict[str, Any]:
    with command.make_context("command", [*words, "program"]) as ctx:
        return dict(ctx.params)


@pytest.mark.parametrize(("command", "param"), SETTINGS)
def test_every_option_is_a_variable(
    command: click.Command, param: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert param.name is not None
    value, bad = ("1", "maybe") if param.is_flag else VALUES[param.name]
    default = parsed(command, [])
    for option in (name for name in param.opts if name.startswith("--")):
        by_words = parsed(command, [option] if param.is_flag else [option, value])
        assert by_words != default or param.default is True
        name = variable(option)
        assert name == "MYMPIRUN_" + option[2:].upper().replace("-", "_")
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert parsed(command, []) == by_words
            patch.setenv(name, "")
            assert parsed(command, []) == default
            if bad:
                patch.setenv(name, bad)
                with pytest.raises(click.UsageError) as caught:
                    parsed(command, [])
                assert f"${name}" in caught.value.format_message()
                words = [option] if param.is_flag else [option, value]
                assert parsed(command, words) == by_words  # the command line wins


@pytest.mark.parametrize(("command", "param"), [one for one in SETTINGS if one.values[1].is_flag])
def test_every_flag_has_an_opposite(
    command: click.Command, param: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    opposite = f"--disable-{param.opts[-1][2:]}"
    assert parsed(command, [param.opts[-1]])[param.name or ""] is True
    assert parsed(command, [opposite])[param.name or ""] is False
    assert parsed(command, [param.opts[-1], opposite])[param.name or ""] is False
    monkeypatch.setenv(variable(opposite), "1")
    assert parsed(command, [])[param.name or ""] is False
    assert parsed(command, [param.opts[-1]])[param.name or ""] is True
    monkeypatch.setenv(variable(opposite), "0")
    assert parsed(command, [])[param.name or ""] is True


def test_every_option_has_its_place_in_a_group() -> None:
    """A group takes options by the names of its fields; others would be lost."""
    joined = {"multi", "double", "pinned", "no_modules", "silence_ends"}
    groups = (Request, Placement, LauncherOptions, Binding, Output, Instead)
    fields = {name for group in groups for name in group.__annotations__}
    assert {param.name for param in (*SHARED, universe())} - fields == joined
    own = {param.name for param in myscoop.main.params if isinstance(param, Setting)}
    of_scoop = {"scoop_module", "loaded", "scoop_freeorigin", "scoop_broker", "scoop_tunnel"}
    assert own - fields - joined - Options.__annotations__.keys() == of_scoop


def test_the_page_has_every_option_and_no_other() -> None:
    table = [
        line for line in (ROOT / "docs" / "myscoop.md").read_text().splitlines()
        if line.startswith("| `-") and "MYMPIRUN" in line
    ]  # fmt: skip
    found = {}
    for line in table:
        names, _, meant = (cell.strip() for cell in line.strip("|").split(" | "))
        found[names] = meant
    expected = {}
    for param in myscoop.main.params:
        if isinstance(param, Setting):
            names = sorted([*param.opts], key=lambda name: name.startswith("--"))
            value = f" {param.metavar}" if param.metavar else ""
            names_shown = ", ".join(f"`{name}`" for name in names[:-1])
            shown = f"{names_shown}, `{names[-1]}{value}`".removeprefix(", ")
            longs = [name for name in names if name.startswith("--")]
            expected[shown] = ", ".join(f"`{variable(name)}`" for name in longs)
    assert found == expected


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("myscoop", "--retrys 3", "No such option '--retrys'. Did you mean '--retries'?"),
        ("myscoop", "--task-timout 3", "Did you mean '--task-timeout'?"),
        ("myscoop", "--xyz", "No such option '--xyz'."),
        ("myscoop", "--sss", "No such option '--sss'."),  # not one that old scripts have
        ("myscoop", "--hosts n1", "No such option '--hosts': it is one of python -m scoopmpi."),
        ("mympirun", "-n 3", "No such option '-n': it is called --universe here."),
        ("mympirun", "--hybird=3", "Did you mean '--hybrid'?"),
    ],
)
def test_a_mistyped_option(command: str, words: str, said: str) -> None:
    with pytest.raises(click.NoSuchOption) as problem:
        parsed(COMMANDS[command], words.split())
    assert without_points(said) in without_points(problem.value.format_message())


def without_points(text: str) -> str:
    """Leave out what versions of click do differently between the same words."""
    return re.sub(r"[.:()']", "", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-h"], "-h is --hybrid and needs a number: -h 2. For help: --help"),
        (["-np", "4"], "-np is -n here, as in: -n 4"),
        (["-n", "0"], "'0' is no whole number from 1 on"),
        (["-n", "many"], "'many' is no whole number from 1 on"),
    ],
)
def test_a_value_that_cannot_be_meant(words: list[str], said: str) -> None:
    with pytest.raises(click.UsageError) as problem, myscoop.main.make_context("myscoop", words):
        pass
    assert said in problem.value.format_message()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_mistyped_variable(command: str) -> None:
    with COMMANDS[command].make_context(command, ["program"]) as ctx:
        env = {
            "MYMPIRUN_HYBIRD": "3", "MYMPIRUN_XYZ": "1", "MYMPIRUN_EMPTY": "", "MPIRUN_X": "1",
            "MYMPIRUN_HYBRID": "3", "MYMPIRUN_CHECKPOINT": "x", "MYMPIRUN_DISABLE_DOUBLE": "1",
            "MYMPIRUN_SSH": "1", "MYMPIRUN_STATS": "3",
        }  # fmt: skip
        assert list(unknown_variables(ctx, env)) == [
            "MYMPIRUN_HYBIRD is the variable of no option; did you mean MYMPIRUN_HYBRID?",
            "MYMPIRUN_XYZ is the variable of no option (--help has them)",
        ]


def test_a_mistyped_variable_is_told(prefix: Prefix) -> None:
    done = prefix.myscoop("-D", "squares", MYMPIRUN_HYBIRD="3")
    assert done.returncode == 0
    assert done.stderr.startswith("myscoop: MYMPIRUN_HYBIRD is the variable of no option; did you")
