"""The user's program: how it is found, and what it sees of itself when it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import scoopmpi.programs
from scoopmpi.program import finding, naming

SHOW = "import sys\nprint(__name__, __package__, __file__, sys.argv)\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs, as the current one."""
    files = {
        "squares.py": SHOW,
        "no_ending": SHOW,
        "sub/script.py": SHOW + "import beside\nprint(beside.NAME)\n",
        "sub/beside.py": "NAME = 'beside'\n",
        "pkg/__init__.py": "",
        "pkg/__main__.py": SHOW + "from .part import NAME\nprint(NAME)\n",
        "pkg/part.py": "NAME = 'part'\n",
        "pkg/deep/__init__.py": "",
        "pkg/deep/prog.py": SHOW + "from ..part import NAME\nprint(NAME)\n",
        "spaces/sub/prog.py": SHOW,
        "broken/__init__.py": "raise ImportError('no such library')\n",
        "broken/prog.py": SHOW,
        "folder/__main__.py": SHOW,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "link.py").symlink_to(tmp_path / "sub" / "script.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "path", "module"),
    [
        ("squares", "squares.py", "squares"),
        ("squares.py", "squares.py", None),
        ("./squares.py", "squares.py", None),
        ("no_ending", "no_ending", None),
        ("sub/script.py", "sub/script.py", None),
        ("sub.script", "sub/script.py", "sub.script"),
        ("pkg", "pkg/__main__.py", "pkg.__main__"),
        ("pkg.deep.prog", "pkg/deep/prog.py", "pkg.deep.prog"),
        ("spaces.sub.prog", "spaces/sub/prog.py", "spaces.sub.prog"),
        ("broken.prog", "broken/prog.py", "broken.prog"),
        ("folder/", "folder/__main__.py", None),
        ("folder", "folder/__main__.py", "folder.__main__"),
    ],
)
def test_found(here: Path, name: str, path: str, module: str | None) -> None:
    found = finding.find(name)
    assert found[:2] == (str(here / path), module)
    as_typed = os.path.join(name, "__main__.py") if name.endswith("/") else name
    assert found.shown == (found.path if module else as_typed), "as `python` shows it"


def test_found_on_pythonpath(here: Path) -> None:
    sys.path.append(str(here / "sub"))  # where PYTHONPATH's entries end up
    assert finding.find("beside")[:2] == (str(here / "sub" / "beside.py"), "beside")


def test_a_ready_program_unless_there_is_one_here(here: Path) -> None:
    ready = Path(scoopmpi.programs.__file__).with_name("picalc.py")
    assert finding.find("picalc")[:2] == (str(ready), "scoopmpi.programs.picalc")
    (here / "picalc.py").touch()
    assert finding.find("picalc")[:2] == (str(here / "picalc.py"), "picalc")


@pytest.mark.parametrize(
    "name", ["cubes", "pkg.cubes", "cubes.prog", "", ".squares", "pkg..part", "sys"]
)
def test_no_module(here: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/some/where")
    with pytest.raises(finding.ProgramNotFound) as caught:
        finding.find(name)
    assert f"no module {name}: looked in {here} and on PYTHONPATH=/some/where" in str(caught.value)


@pytest.mark.parametrize("name", ["cubes.py", "sub/cubes.py", "sub/"])
def test_no_file(here: Path, name: str) -> None:
    with pytest.raises(finding.ProgramNotFound) as caught:
        finding.find(name)
    assert str(caught.value) == f"there is no file {name} (in {here})"


@pytest.mark.parametrize("name", ["cubes", "cubes.py"])
def test_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(finding.ProgramNotFound, match="the current directory is gone"):
        finding.find(name)


def test_finding_runs_no_code(here: Path) -> None:
    (here / "pkg" / "__init__.py").write_text("raise SystemExit('imported')\n")
    assert finding.find("pkg").module == "pkg.__main__"


IMPORTS = """
import sys
from scoopmpi.program.finding import find
from scoopmpi.program.naming import defined_names
from scoopmpi.program.running import load, run
"""


def python(here: Path, code: str) -> list[str]:
    """The lines that a fresh interpreter prints, which has this directory first on its path."""
    done = subprocess.run(
        [sys.executable, "-c", f"{IMPORTS}\n{code}"],
        cwd=here, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.ranks
@pytest.mark.parametrize(
    ("name", "path", "package", "more"),
    [
        ("squares", "squares.py", "", []),
        ("squares.py", "squares.py", None, []),
        ("sub/script.py", "sub/script.py", None, ["beside"]),
        ("link.py", "link.py", None, ["beside"]),
        ("pkg", "pkg/__main__.py", "pkg", ["part"]),
        ("pkg.deep.prog", "pkg/deep/prog.py", "pkg.deep", ["part"]),
    ],
)
def test_what_a_program_sees(
    here: Path, name: str, path: str, package: str | None, more: list[str]
) -> None:
    for call, own_name in ("run", "__main__"), ("load", naming.WORKER_NAME):
        lines = python(here, f"{call}(find({name!r}), ['10', '-n'])")
        file = str(here / path)
        shown = file if package is not None else name
        assert lines == [f"{own_name} {package} {file} {[shown, '10', '-n']}", *more]


@pytest.mark.ranks
def test_a_script_replaces_the_directory_that_python_m_put_first(here: Path) -> None:
    (here / "sub" / "script.py").write_text("import sys; print(sys.path[:2])")
    lines = python(here, "was = sys.path[1]; run(find('sub/script.py'), []); print(was)")
    assert lines[0] == str([str(here / "sub"), lines[1]])


GUARDED = """
import math, pickle
from collections import OrderedDict
def f(): pass
class C:
    def method(self): pass
g = f
number = 3
if __name__ == "__main__":
    def below(): pass
    class Below: pass
    print(sorted(naming.missing_names(frozenset({"f:5", "C"}))), naming.missing_names(None))
    print(pickle.loads(b"cSCOOP_WORKER\\nf\\n.") is f)
else:
    import sys
    print(pickle.loads(b"c__main__\\nf\\n.") is f)
"""


@pytest.mark.ranks
def test_names_of_the_program(here: Path) -> None:
    (here / "prog.py").write_text("from scoopmpi.program import naming\n" + GUARDED)
    lines = python(here, "print(sorted(defined_names(load(find('prog'), []))))")
    assert lines == ["True", "['C', 'f:5']"]
    assert python(here, "run(find('prog'), [])") == ["['Below', 'below'] frozenset()", "True"]


def test_names_defined_later_are_seen() -> None:
    module = types.ModuleType("__main__")
    exec("def f(): pass", vars(module))
    assert naming.defined_names(module) == {"f:1"}
    exec("def g(): pass", vars(module))
    assert naming.defined_names(module) == {"f:1", "g:1"}


@pytest.mark.ranks
def test_what_the_program_raises_comes_out(here: Path) -> None:
    (here / "prog.py").write_text("raise LookupError('mine')")
    code = "\ntry: run(find('prog'), [])\nexcept LookupError as error: print(error)"
    assert python(here, code) == ["mine"]


@pytest.mark.ranks
def test_the_current_directory_comes_first_where_python_left_it_out(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"from {finding.__name__} import *; print(find('squares').path)"],
        cwd=here, env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.stdout.strip() == str(here / "squares.py"), done.stderr
