"""Texts with variables: what is replaced, what stays, what is refused."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.command.command import CommandProblem
from scoopmpi.sweep.command.pattern import Pattern

VALUES = {"a": "1", "ab": "2", "A_1": "3", "_x": "4", "empty": "", "wild": "$a ${ab} $$ %s %"}


@pytest.mark.parametrize(
    ("text", "put"),
    [
        ("$a", "1"),
        ("$ab", "2"),
        ("${a}b", "1b"),
        ("-t=$a,$ab.$a", "-t=1,2.1"),
        ("$A_1-$_x", "3-4"),
        ("[$empty]", "[]"),
        ("$wild", "$a ${ab} $$ %s %"),
        ("%s %% %(a)s $a", "%s %% %(a)s 1"),
        ("$$a $$$a $$$$", "$a $1 $$"),
        (
            "$ $1 $@ $* $# $? $! $- $(a) $((1)) $[1] a$",
            "$ $1 $@ $* $# $? $! $- $(a) $((1)) $[1] a$",
        ),
        ("$_ ${_} $_ax"[:6], "$_ ${_"),
        ("${ ${} ${1} ${!a} ${a", None),
        ("é$a€", "é1€"),
        ("\\$a", "\\1"),
        ("", ""),
    ],
)
def test_names_become_values_once(text: str, put: str | None) -> None:
    if put is None:
        with pytest.raises(CommandProblem, match="within the braces"):
            Pattern(text)
    else:
        assert Pattern(text).put(VALUES) == put


@pytest.mark.parametrize("text", ["${a:-1}", "${a%.csv}", "x${a@Q}", "${a ", "${a"])
def test_what_shells_do_within_braces_is_refused(text: str) -> None:
    with pytest.raises(CommandProblem, match=r"bash -c.*\$\$"):
        Pattern(text)


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandProblem, match="'x-\\$none' needs the variable none"):
        Pattern("x-$none").put(VALUES)


@settings(max_examples=150)
@given(value=st.text(max_size=20), text=st.text("ab$ {}%", max_size=12))
def test_no_value_changes_what_stands_around_it(value: str, text: str) -> None:
    try:
        pattern = pickle.loads(pickle.dumps(Pattern(f"<$v>{text}<${{v}}>")))
    except CommandProblem:
        return
    variables = {"v": value, "a": value, "b": value, "ab": value, "ba": value}
    found = pattern.put(dict.fromkeys(pattern.names, value) | variables)
    assert found.startswith(f"<{value}>") and found.endswith(f"<{value}>")
    assert found.count(value) >= 2
