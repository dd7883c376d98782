"""What debuggers and input() are told where there is no terminal."""

from __future__ import annotations

import bdb
import getpass
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scoopmpi import TaskError
from scoopmpi.process import identity
from scoopmpi.tasks import no_terminal


def raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        act()
    return caught.value


@pytest.fixture(autouse=True)
def _asks_pdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONBREAKPOINT", raising=False)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    path = tmp_path / "my prog.py"
    path.write_text("")
    monkeypatch.setattr(sys, "argv", [str(path), "-n", "a b"])
    return f"'{path}' -n 'a b'"


def test_breakpoint_in_a_task_says_how_to_debug_it(program: str) -> None:
    error = raised(no_terminal.breakpoint_in_task)
    assert "--debug-task INDEX" in str(error), "a task may catch it"
    told = no_terminal.explained(error, "Model.fit", 17)
    assert type(told) is TaskError
    assert str(told).startswith("breakpoint() in task 17 of Model.fit: tasks have no terminal.\n")
    assert f"\n    myscoop --debug-task Model.fit:17 {program}\n" in str(told)
    assert f"\n    python {program}\n" in str(told)


def test_a_debugger_that_was_called_by_name_says_the_same(program: str) -> None:
    told = no_terminal.explained(raised(_quit), "<lambda>", 3)
    assert str(told).startswith("a debugger in task 3 of <lambda>: tasks have no terminal.")
    assert f"myscoop --debug-task '<lambda>:3' {program}" in str(told)


def _quit() -> None:
    raise bdb.BdbQuit


@pytest.mark.parametrize("ask", [input, lambda: getpass.fallback_getpass("?", io.StringIO())])
@pytest.mark.filterwarnings("ignore:Can not control echo")
def test_input_in_a_task_says_where_to_ask(
    ask: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    told = no_terminal.explained(raised(ask), "fit", 2)
    assert type(told) is EOFError
    assert str(told).startswith("input in task 2 of fit: only the program has a stdin; ask in the")


def test_another_end_of_a_file_is_what_it_was() -> None:
    error = EOFError("Ran out of input")  # pickle's
    assert no_terminal.explained(error, "fit", 2) is error
    assert error.args == ("Ran out of input",)


def test_a_worker_that_imports_the_program_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "importing", True)
    assert no_terminal.breakpoint_in_task() is None


@pytest.mark.parametrize("hook", ["breakpoint_in_task", "breakpoint_in_program"])
def test_the_users_own_debugger_is_called(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(os, "called", called.append, raising=False)
    monkeypatch.setenv("PYTHONBREAKPOINT", "os.called")
    getattr(no_terminal, hook)("here")
    assert called == ["here"]
    monkeypatch.setenv("PYTHONBREAKPOINT", "0")
    getattr(no_terminal, hook)("there")
    assert called == ["here"]


def test_the_program_stops_where_there_is_somebody_to_ask(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        error = raised(no_terminal.breakpoint_in_program)
    assert isinstance(error, RuntimeError)
    assert "there is no terminal. At one, `python " in str(error)
    assert f"`myscoop {program}`; PYTHONBREAKPOINT=0 has it go on" in str(error)
    monkeypatch.setattr(sys, "stdin", None)
    assert not no_terminal.can_be_asked()
    read, write = os.pipe()
    os.close(write)
    with open(read) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert no_terminal.can_be_asked()
