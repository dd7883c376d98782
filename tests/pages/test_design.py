"""docs/design.md says what the code says: rooms, messages and waits as tables, names that exist.

The tables between `<!-- … -->` marks are made from the code. After a change that was meant:

    GOLDEN=write pytest tests/pages/test_design.py

Tests and files that other parts of the page name are looked up; of one that is missing the nearest
are said.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

import pytest

from scoopmpi.concurrency import periods
from scoopmpi.wire import messages
from tests.support.libraries import ROOT
from tests.test_quality import NAMES, PACKAGE, ROOMS, imported, room

PATH = ROOT / "docs" / "design.md"
PAGE = PATH.read_text()
SENTENCE = re.compile(
    r"From (?P<source>worker|farm|transport|any rank) to (?P<to>worker|farm|any rank), "
    r"for (?P<when>[^.]+)\.(?: Answered by (?P<answer>[^.]+)\.)?"
)
FIELD = re.compile(r"[a-z_]+(, [a-z_]+)*: ")

# The rooms.


def law(name: str) -> str:
    """The first paragraph of what a room's `__init__`, or a module that is a room, opens with."""
    folder = "" if name == "scoopmpi" else name
    text = ast.get_docstring(ast.parse(NAMES[folder or "scoopmpi"].read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).removeprefix("scoopmpi: ").rstrip(":")


def rooms() -> Iterator[str]:
    below = {
        name: {
            room(other)
            for module, path in NAMES.items()
            if room(module) == name
            for other in imported(path)
        }
        - {name}
        for name in ROOMS
    }
    yield "| room | what lives there | imports from |"
    yield "|---|---|---|"
    for name in ROOMS:
        known = ", ".join(other for other in ROOMS if other in below[name])
        yield f"| `{name}` | {law(name)} | {known or 'nothing'} |"


# The messages.


class Protocol(NamedTuple):
    """What the docstring of one message says."""

    meaning: str
    source: str
    to: str
    when: str
    answer: str


def said(kind: Any) -> Protocol:
    meaning, facts = inspect.getdoc(kind).split("\n\n")
    lines = facts.splitlines()
    end = next((place for place, line in enumerate(lines) if FIELD.match(line)), len(lines))
    found = SENTENCE.fullmatch(" ".join(lines[:end]))
    assert found, f"{kind.__name__} does not say who sends it to whom, and when: {lines[:end]}"
    words = found["source"], found["to"], found["when"], found["answer"] or "nothing"
    return Protocol(" ".join(meaning.split()), *words)


def all_messages() -> list[Any]:
    return list(get_args(messages.Message))


def protocol() -> Iterator[str]:
    yield "| message | from, to | it says | sent for | answered by | fields |"
    yield "|---|---|---|---|---|---|"
    for kind in all_messages():
        each = said(kind)
        fields = ", ".join(kind._fields) or "none"
        yield (
            f"| `{kind.__name__}` | {each.source} → {each.to} | {each.meaning} | {each.when} "
            f"| {each.answer} | {fields} |"
        )


# The waits.


def waits() -> Iterator[str]:
    yield "| seconds | period | who waits for what |"
    yield "|---|---|---|"
    body = ast.parse(NAMES["concurrency.periods"].read_text()).body
    for node, behind in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign):
            name = ast.unparse(node.targets[0])
            seconds = getattr(periods, name)
            yield f"| {seconds:g} | `{name}` | {text_behind(behind)} |"


def text_behind(node: ast.stmt | None) -> str:
    """The first sentence of the text that stands behind an assignment; empty without one."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return ""
    text = " ".join(str(node.value.value).split())
    return re.split(r"(?<=.{25}[a-z`)])[.:;] ", text)[0].rstrip(".:;")


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "rooms": rooms,
    "messages": protocol,
    "waits": waits,
}


def table_in(page: str, name: str) -> re.Match[str]:
    found = re.search(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", page, re.DOTALL)
    assert found, f"docs/design.md has no table between <!-- {name} --> and <!-- end -->"
    return found


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_say_what_the_code_says(name: str) -> None:
    made = "".join(f"{line}\n" for line in TABLES[name]())
    page = PATH.read_text()
    place = table_in(page, name)
    if os.environ.get("GOLDEN") == "write":
        PATH.write_text(page[: place.start()] + made + page[place.end() :])
        return
    was = place[0]
    differences = list(difflib.unified_diff(was.splitlines(), made.splitlines(), lineterm="", n=0))
    assert not differences, "docs/design.md and the code differ (GOLDEN=write puts it right)"


def test_every_message_says_its_way_and_its_fields() -> None:
    for kind in all_messages():
        each, text = said(kind), inspect.getdoc(kind) or ""
        ways = {
            "worker": kind in get_args(messages.ToWorker),
            "farm": kind in get_args(messages.ToFarm),
        }
        assert ways == {to: each.to in (to, "any rank") for to in ways}, kind
        for field in kind._fields:
            assert re.search(rf"\b{field}\b", text), f"{kind.__name__} does not explain {field}"


SENDERS = {
    "farm": {"farm", "constants", "ranks"},
    "worker": {"worker", "worker.nested", "constants", "ranks"},
    "any rank": {"constants"},
    "transport": {"wire"},
}
"""The rooms in which messages of a sender are made; both farm and worker share constants."""


def test_messages_are_made_where_their_docstrings_say() -> None:
    made: dict[str, set[str]] = {kind.__name__: set() for kind in all_messages()}
    for module, path in NAMES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).removeprefix("messages.")
                made.get(name, set()).add(room(module))
    for kind in all_messages():
        rooms_of_it = made[kind.__name__]
        assert rooms_of_it, f"nobody sends {kind.__name__}"
        assert rooms_of_it <= SENDERS[said(kind).source], (kind.__name__, rooms_of_it)


def test_every_answer_is_a_message() -> None:
    names = {kind.__name__ for kind in all_messages()}
    for kind in all_messages():
        named = re.findall(r"\b[A-Z]\w+", f"{said(kind).when} {said(kind).answer}")
        assert set(named) <= names | {"MPI"}, kind.__name__


# Names on the page.


def nearest(name: str, known: set[str]) -> str:
    return f"; nearest: {', '.join(difflib.get_close_matches(name, known, 3, 0.3)) or 'nothing'}"


def test_the_tests_that_keep_the_promises_are_there() -> None:
    known = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    missing = []
    for path, test in named:
        if path not in known:
            missing.append(f"{path}{nearest(path, known)}")
        elif test:
            text = (ROOT / path).read_text()
            tests = {*re.findall(r"def (test_\w+)", text), *re.findall(r"^(Test\w+) =", text, re.M)}
            if test not in tests:
                missing.append(f"{path}::{test}{nearest(test, tests)}")
    assert not missing, "docs/design.md names tests that are not there:\n" + "\n".join(missing)
    assert len(named) > 20


def test_the_files_that_decide_are_there() -> None:
    known = {path.relative_to(PACKAGE).as_posix() for path in NAMES.values()}
    known |= {f"{path.rpartition('/')[0]}/" for path in known}
    named = [name for name in re.findall(r"`([\w/]+(?:\.py|/))`", PAGE) if "tests/" not in name]
    missing = [f"{name}{nearest(name, known)}" for name in named if name not in known]
    assert not missing, "docs/design.md names files that are not there:\n" + "\n".join(missing)
    assert len(named) > 20
