"""Docstrings as they are written become what the reference shows: examples, parameters, errors."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from tests.support.libraries import ROOT


@pytest.fixture
def docstrings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs" / "reference")
    monkeypatch.delitem(sys.modules, "docstrings", raising=False)
    import docstrings  # type: ignore[import-not-found]

    return docstrings  # type: ignore[no-any-return]


SAID = """\
Return the value of `name`; see `map`.

    value = get("a")
    print(value)

name: of what is asked for, as `*args` are; TimeoutError for none. context: without effect.
timeout, *more: seconds to wait,
    two lines of it.

Raises TypeError for no name, and `pickle.PicklingError`.
"""
SHOWN = """\
Return the value of ``name``; see :py:obj:`map <scoopmpi.futures.map>`.

.. code-block:: python

    value = get("a")
    print(value)

:Parameters:
    **name**
        of what is asked for, as ``*args`` are; ``TimeoutError`` for none.

    **context**
        without effect.

    **timeout**, **more**
        seconds to wait, two lines of it.


:Raises: ``TypeError`` for no name, and ``pickle.PicklingError``.
"""


def test_a_docstring_is_shown_in_its_parts(docstrings: ModuleType) -> None:
    link = {"map": "scoopmpi.futures.map"}.get
    assert "\n".join(docstrings.rendered(SAID.splitlines(), link)) == SHOWN


def test_errors_behind_parameters_are_set_apart(docstrings: ModuleType) -> None:
    block = ["timeout: seconds.", "Raises what the call raised."]
    shown = docstrings.rendered(block, lambda word: None)
    assert [line.strip() for line in shown if line] == [
        ":Parameters:", "**timeout**", "seconds.", "Raises what the call raised.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a * b and x_ and |c|", r"a \* b and x\_ and \|c\|"),
        ("snake_case and __init__", r"snake_case and __init_\_"),
        ("`a_` is code", "``a_`` is code"),
        ("WorkerLost, or a Pool", "``WorkerLost``, or a Pool"),
    ],
)
def test_signs_of_restructuredtext_stand_for_themselves(
    docstrings: ModuleType, text: str, shown: str
) -> None:
    assert docstrings.inline(text, lambda word: None) == shown
