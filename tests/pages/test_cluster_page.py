"""docs/on-your-cluster.md says what the code says: its messages, managers, flavours and variables.

Messages are collected from the sources, so that neither a new one nor a removed one goes unseen.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from scoopmpi import mympirun, myscoop
from scoopmpi.launch import managers
from scoopmpi.launch.flavours import NAMES
from tests.support.libraries import ROOT

PACKAGE = ROOT / "scoopmpi"
PAGE = (ROOT / "docs" / "on-your-cluster.md").read_text()
ERRORS = ("AllocationError", "LaunchError", "ProgramNotFound")
SOME = "…"
"""What stands in the page for a name or a number, and here for what is no literal."""
RANKS = (
    "__main__.py", "ranks/rank0.py", "program/profiling.py",
    "process/launcher_mismatch.py",
)  # fmt: skip
"""Files whose messages begin with the program's name instead of being an error's argument."""


def text_of(node: ast.expr) -> str:
    """What an expression says, as far as the source tells."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    return SOME


def meant(argument: ast.expr, tree: ast.AST) -> list[ast.expr]:
    """An error's argument; for a variable, all that is assigned to its name or added to it."""
    if not isinstance(argument, ast.Name):
        return [argument]
    return [
        node.value
        for node in ast.walk(tree)
        if (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument.id)
        or (isinstance(node, ast.AugAssign) and ast.unparse(node.target) == argument.id)
    ]


def messages(tree: ast.AST, *, of_ranks: bool) -> Iterator[str]:
    nodes = [*ast.walk(tree)]
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ERRORS and node.args:
                yield from map(text_of, meant(node.args[0], tree))
        if of_ranks and isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in parts:
            text = text_of(node)
            if text.startswith("scoopmpi: "):
                yield text.removeprefix("scoopmpi: ")


@functools.cache
def all_messages() -> dict[str, str]:
    """Every message that stops a start, and the file that it is in."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        source = path.read_text()
        if name not in RANKS and not any(error in source for error in ERRORS):
            continue  # parsing all takes seconds, in each process that shares the tests
        for text in messages(ast.parse(source), of_ranks=name in RANKS):
            plain = re.sub(f"{SOME}+", SOME, text)
            if len(re.findall(r"[a-z]{2,}", plain)) > 2:
                found[plain] = name
    return found


def rows(heading: str, until: str = "#+") -> list[list[str]]:
    """The cells of the tables below a heading, without their heads."""
    section = re.split(rf"^#+ {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)[1]
    section = re.split(rf"^{until} ", section, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    heads = [place for place, line in enumerate(lines) if re.fullmatch(r"[|-]+", line)]
    return [row for place, row in enumerate(cells) if place not in heads and place + 1 not in heads]


@functools.cache
def patterns() -> list[str]:
    """The messages of the page, as they stand there."""
    return [
        span for row in rows("Messages", until="##") for span in re.findall(r"`([^`]+)`", row[0])
    ]


def says(pattern: str, message: str) -> bool:
    """Whether a message is the one that the page shows, where `…` is anything."""
    parts = [re.escape(part.replace("`", "")) for part in pattern.split(SOME)]
    return re.search(".*".join(parts), message.replace("`", "")) is not None


def test_messages_are_found_in_the_sources() -> None:
    found = all_messages()
    assert len(found) > 40
    assert any(name.startswith("launch/managers/") for name in found.values())
    assert set(RANKS) <= set(found.values())


@pytest.mark.parametrize(("message", "file"), all_messages().items())
def test_the_page_has_every_message(message: str, file: str) -> None:
    assert any(says(pattern, message) for pattern in patterns()), f"{file}: {message}"


@pytest.mark.parametrize("pattern", patterns())
def test_the_page_has_no_message_that_is_gone(pattern: str) -> None:
    assert len(re.findall(r"\w{2,}", pattern)) > 2, "too short to tell messages apart"
    assert any(says(pattern, message) for message in all_messages())


def test_no_message_is_hidden_in_a_variable() -> None:
    """A literal is what the other tests can read."""
    hidden = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            name = ast.unparse(node.exc.func).rpartition(".")[2]
            said = "".join(map(text_of, meant(node.exc.args[0], tree))) if node.exc.args else ""
            if name in ERRORS and not re.search("[a-z]{2}", said):
                hidden.append(f"{path.name}: {ast.unparse(node.exc)}")
    assert hidden == []


def test_the_page_has_every_batch_system_in_the_order_in_which_they_are_asked() -> None:
    names = [module.NAME for module in managers.MANAGERS]
    rows_of = [re.findall(r"`(\w+)`$", row[0]) for row in rows("How the job is detected")]
    assert {name for found in rows_of for name in found} == set(names)
    (asked,) = re.findall(r"^Flux, .*$", PAGE, re.MULTILINE)
    spoken = [word.strip(" .").lower() for word in re.split("[,;]", asked)]
    meant_by = {"grid engine": "sge", "else this machine": "local"}
    assert [meant_by.get(word, word) for word in spoken] == names


def test_the_page_has_every_flavour_by_the_name_of_its_option() -> None:
    table = rows("Which MPI, which launcher")
    assert {name for row in table for name in re.findall(r"`(\w+)`$", row[0])} == set(NAMES)


def test_variables_of_the_page_are_read_by_the_code() -> None:
    sources = "".join(path.read_text() for path in (PACKAGE / "launch").rglob("*.py"))
    for row in rows("How the job is detected"):
        for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_a-z]+\b", " ".join(row)):
            assert name in sources, name


def test_options_of_the_page_are_known() -> None:
    known = {name for command in (myscoop.main, mympirun.main) for param in command.params
             for name in (*param.opts, *param.secondary_opts)}  # fmt: skip
    section = (
        PAGE.split("## Which MPI, which launcher")[0] + PAGE.split("### What has been tried")[1]
    )
    others = {
        "--ntasks-per-node", "--exact", "--shm-size", "--cap-add", "--allow-run-as-root", "--mpi",
        "--export", "--hostfile", "--hosts", "--python-interpreter", "--profile", "--help",
        "--mpi-lib-version",
        "--nodes", "--cpus-per-task",
    }  # fmt: skip
    assert set(re.findall(r"--[a-z][a-z-]+", section)) - others <= known


TREE = "tests", "scoopmpi", "benchmarks", "jobscripts", "docs"


def test_files_that_pages_name_are_there() -> None:
    pages = [*ROOT.glob("*.md"), *(page for name in TREE for page in (ROOT / name).rglob("*.md"))]
    named = rf"(?<![\w./-])(?:{'|'.join(TREE)})/[\w/.-]+\.(?:py|md|sh|csv)\b"
    gone = [
        f"{page.relative_to(ROOT)}: {path}"
        for page in pages
        for path in re.findall(named, page.read_text())
        if not (ROOT / path).exists()
    ]
    assert gone == []
