"""A program in each form that `python` runs: the same facts, and its functions on workers.

Files, directories, zip files, bytecode, modules, -c; with the options of the interpreter itself.
"""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
import zipapp
import zipfile
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import rank_command
from scoopmpi.launch.commandline.launch import Launch
from scoopmpi.process import interpreter
from scoopmpi.program.scoop_options import Options
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)

FACTS = """
import sys

def facts():
    main = sys.modules["__main__"]
    space = vars(main)
    spec, loader = space["__spec__"], space["__loader__"]
    return {
        "argv": sys.argv, "path": sys.path[0], "builtins": type(space["__builtins__"]).__name__,
        "spec": spec and (spec.name, spec.origin, type(spec.loader).__name__),
        "loader": (loader if isinstance(loader, type) else type(loader)).__name__,
        **{name: space.get(name, "none") for name in
           ("__file__", "__package__", "__cached__", "__annotations__", "__doc__")},
    }
"""
PROGRAM = """
'''A program.'''
import sys
from facts import facts

class Point:
    def __init__(self, x):
        self.x = x

def task(x):
    return Point(x * x), facts(), __name__

def fails(x):
    raise LookupError(x)  # this line is shown

if __name__ == "__main__":
    print(__name__, facts())
    if "farm" in sys.argv:
        from scoopmpi import futures
        found = list(futures.map(task, range(4)))
        assert [type(point) is Point and point.x for point, *_ in found] == [0, 1, 4, 9]
        assert {repr(there) for _, there, _ in found} == {repr(facts())}, found
        assert {name for *_, name in found} == {"SCOOP_WORKER"}
        problem = futures.submit(fails, 1).exception()
        assert "raise LookupError(x)  # this line is shown" in str(problem.__cause__), problem
"""
CODE = """
from facts import facts
def task(x):
    return x * x
print(__name__, facts())
if sys.argv[-1] == "farm":
    from scoopmpi import futures
    assert list(futures.map(task, range(4))) == [0, 1, 4, 9]
    assert futures.submit(lambda: 5).result() == 5
    assert {repr(facts())} == set(futures.map(lambda _: repr(facts()), "abc"))
"""
FORMS = [
    "prog.py", "./prog.py", "folder/../prog.py", "plain", "link.py", "a b.py", "ünï.py",
    "-- -dash.py", "folder", "folder/", "./folder", "app.pyz", "./app.pyz", "byte.pyc", "-m prog",
    "-mprog", "-m pkg", "-m pkg.mod", "-m spaces.mod", "-m zipped", "-m zippkg", "-m zippkg.mod",
    "-m bytes", "-c CODE",
]  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the program in all forms."""
    place = tmp_path_factory.mktemp("forms")
    names = """prog.py plain sub/linked.py |a b.py| ünï.py -dash.py folder/__main__.py pkg/mod.py
        pkg/__main__.py spaces/mod.py""".replace("|a b.py|", "").split()
    for name in (*names, "a b.py", "zipped.py"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(PROGRAM)
    (place / "pkg" / "__init__.py").touch()
    (place / "link.py").symlink_to("sub/linked.py")
    (place / "lib").mkdir()
    (place / "lib" / "facts.py").write_text(FACTS)
    zipapp.create_archive(place / "folder", place / "app.pyz", interpreter=sys.executable)
    py_compile.compile(str(place / "prog.py"), str(place / "byte.pyc"))
    py_compile.compile(str(place / "prog.py"), str(place / "lib" / "bytes.pyc"))
    with zipfile.ZipFile(place / "lib.zip", "w") as file:
        file.write(place / "zipped.py", "zipped.py")
        for name in ("__init__", "__main__", "mod"):
            file.write(place / "pkg" / f"{name}.py", f"zippkg/{name}.py")
    (place / "zipped.py").unlink()
    return place


def environment(here: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, (here / "lib", here / "lib.zip")))}


def under_python(here: Path, words: list[str], *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, *words], cwd=here, env={**os.environ, **environment(here)},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def words_of(form: str) -> list[str]:
    if form == "a b.py":
        return [form]
    return [f"import sys\n{CODE}" if word == "CODE" else word for word in form.split()]


@pytest.mark.parametrize("form", FORMS)
def test_a_program_finds_what_it_finds_under_python(
    first_library: Library, here: Path, form: str
) -> None:
    words = [*words_of(form), "an argument", "farm"]
    expected = under_python(here, [*words[:-1], "none"]).replace("'none']", "'farm']")
    chosen = Library(first_library.name, {**first_library.env, **environment(here)})
    command = [sys.executable, "-m", "scoopmpi", "-n", "2", *words]
    answer = start(chosen, command, cwd=here)
    assert (answer.stdout, answer.returncode) == (expected, 0), answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "pkg.mod"],
        ["-c", f"import sys\n{CODE}"],
        ["folder"],
        ["app.pyz"],
        ["--", "-m", "pkg"],
    ],
    ids=["module", "code", "directory", "zip file", "behind dashes"],
)
def test_the_same_by_the_other_commands(
    first_library: Library, here: Path, words: list[str]
) -> None:
    given = words[1:] if words[0] == "--" else words
    expected = under_python(here, [*given, "none"]).replace("'none']", "'farm']")
    chosen = Library(first_library.name, {**first_library.env, **environment(here)})
    behind = words if words[0] == "--" or not words[0].startswith("-") else ["--", *words]
    myscoop = [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local", "-n", "1", *behind]
    assert start(chosen, [*myscoop, "farm"], cwd=here).stdout == expected
    scoop = [sys.executable, "-m", "scoop", "-n", "1", *words, "farm"]
    assert start(chosen, scoop, cwd=here).stdout == expected


SOURCES = {
    "latin": "# -*- coding: latin-1 -*-\ntext = 'é'\n".encode("latin-1"),
    "bom": "\ufefftext = 'é'\n".encode(),
    "crlf": "text = 'é'\r\nother = '''a\r\nb'''\r\n".encode(),
    "future": b"from __future__ import annotations\ntext = 'no names': (undefined)\n"[:34]
    + b"\ntext: undefined = '\\xe9'\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_sources_as_editors_write_them(first_library: Library, tmp_path: Path, name: str) -> None:
    more = "def task(x):\n    return text\nif __name__ == '__main__':\n"
    more += (
        "    from scoopmpi import futures\n    print(ascii(list(futures.map(task, range(2)))))\n"
    )
    line = "\r\n" if name == "crlf" else "\n"
    (tmp_path / "prog.py").write_bytes(SOURCES[name] + more.replace("\n", line).encode())
    answer = start(
        first_library, [sys.executable, "-m", "scoopmpi", "-n", "1", "prog.py"], tmp_path
    )
    assert answer.stdout == "['\\xe9', '\\xe9']\n", answer.stderr


# What cannot be run.


@pytest.mark.ranks
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m"], "-m needs its code, or its module, behind it"),
        (["-c"], "-c needs its code, or its module, behind it"),
        (["-m", "nowhere"], "-m nowhere: there is no module of that name that can be run"),
        (["-m", "prog.py"], "-m prog.py: there is no module"),
        (["-m", "sys"], "-m sys: there is no module of that name that can be run"),
        (["-m", "picalc"], "-m picalc: there is no module of that name that can be run"),
        (["lib"], "there is no file and no module lib"),
        (["lib/"], "there is no file lib/"),
        (["lib.zip"], "lib.zip is a zip file without a __main__"),
    ],
)
def test_what_is_no_program_is_named(here: Path, words: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scoopmpi", *words], cwd=here, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.startswith(f"scoopmpi: {said}"), done.stderr


# The options of the interpreter.


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ("python -m scoop", ""),
        ("python -O -m scoop", "-O"),
        ("python -OO -mscoop prog.py", "-OO"),
        ("python -W error -Wignore::UserWarning -m scoop -W x", "-W error -W ignore::UserWarning"),
        ("python -X dev -Xutf8 bin/myscoop -O", "-X dev -X utf8"),
        ("python -OuXdev -IBm scoop", "-Ou -X dev -IB"),
        ("python -i -Oi -x -m scoop", "-O"),
        ("python -E -s -P -b -q -S -v -d -R -c code -O", "-E -s -P -b -q -S -v -d -R"),
        ("python --check-hash-based-pycs never -O x", "--check-hash-based-pycs never -O"),
        ("python - -O", ""),
        ("python", ""),
        ("", ""),
    ],
)
def test_the_interpreters_own_options(words: str, flags: str) -> None:
    assert interpreter.flags(words.split(" ")) == tuple(flags.split())


TOLD = """
import sys
def told(_=None):
    return repr(sys.flags), sys.warnoptions, sys._xoptions, __debug__, sys.path[0], told.__doc__
def documented():
    '''This.'''
if __name__ == "__main__":
    print(told(), documented.__doc__)
    if sys.argv[1:]:
        from scoopmpi import futures
        for found in set(map(repr, futures.map(told, range(2)))):
            print(found, documented.__doc__)
"""


NEW = pytest.mark.skipif(sys.version_info < (3, 11), reason="-P is new in Python 3.11")


@pytest.mark.parametrize(
    "flags",
    ["-O", "-OO", "-W error", "-X dev", "-X utf8=0", "-bb", "-B -q -s", "-I", "-E",
     "-W error -X dev -I", pytest.param("-P", marks=NEW)],
)  # fmt: skip
def test_every_rank_is_run_as_the_first_was(
    first_library: Library, tmp_path: Path, flags: str
) -> None:
    (tmp_path / "prog.py").write_text(TOLD)
    (expected,) = under_python(tmp_path, ["prog.py"], *flags.split()).splitlines()
    chosen = Library(first_library.name, {**first_library.env, **environment(tmp_path)})
    command = [sys.executable, *flags.split(), "-m", "scoopmpi", "-n", "1", "prog.py", "farm"]
    answer = start(chosen, command, cwd=tmp_path)
    assert answer.stdout.splitlines() == [expected] * 2, answer.stderr
    assert answer.stderr == ""


def test_by_the_console_script_too(library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(TOLD)
    (expected,) = under_python(tmp_path, ["prog.py"], "-O").splitlines()
    script = str(Path(sys.executable).with_name("myscoop"))
    if not os.path.exists(script):
        pytest.skip("the command is not installed beside this interpreter")
    command = [sys.executable, "-O", script, "--sched=local", "-n", "1", "prog.py", "farm"]
    answer = start(library, command, cwd=tmp_path)
    assert answer.stdout.splitlines() == [expected] * 2, answer.stderr


def test_another_interpreter_gets_them_too() -> None:
    start_of = Launch(["p.py"], Options(python="/other/python"), flags=("-O", "-W", "error"))
    expected = ["/other/python", "-O", "-W", "error", "-m", "scoopmpi", "p.py"]
    assert rank_command.of_rank(start_of) == expected
    with_prolog = Launch(["p.py"], Options(python="/x", prolog="p"), flags=("-I",))
    assert rank_command.of_rank(with_prolog)[-5:] == ["/x", "-I", "-m", "scoopmpi", "p.py"]


def test_a_python_file_under_mympirun_gets_them_too(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("import sys\nprint(sys.flags.optimize, sys.argv)\n")
    command = [sys.executable, "-OO", "-m", "scoopmpi.mympirun", "--sched=local"]
    answer = start(first_library, [*command, "--universe", "1", "prog.py", "-O"], cwd=tmp_path)
    assert answer.stdout == "2 ['prog.py', '-O']\n", answer.stderr


def test_paths_for_ranks_that_ignore_the_environment(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far.py").write_text("def there(x):\n    return x\n")
    (tmp_path / "prog.py").write_text(
        "from far import there\nfrom scoopmpi import futures\n"
        "if __name__ == '__main__':\n    print(list(futures.map(there, range(2))))\n"
    )
    command = [sys.executable, "-I", "-m", "scoopmpi", "-n", "1", "--pythonpath", "lib", "prog.py"]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.stdout == "[0, 1]\n", answer.stderr


# What a checkpoint keeps of a program whose code is not in plain files.

COUNTS = """
from scoopmpi import futures
import helper
def task(x):
    print("ran", x)
    return helper.helped(x)
if __name__ == "__main__":
    print(list(futures.map(task, range(2))))
"""


def built(place: Path, form: str, body: str) -> str:
    """The program with a helper of this body, in a form without sources beside it."""
    source = place / f"source {form}"
    source.mkdir(exist_ok=True)
    (source / "helper.py").write_text(f"def helped(x):\n    return {body}\n")
    (source / "__main__.py").write_text(COUNTS)
    if form == "zip":
        zipapp.create_archive(source, place / "app.pyz")
        return "app.pyz"
    for name in ("helper", "__main__"):
        py_compile.compile(str(source / f"{name}.py"), str(place / f"{name}.pyc"))
    return "__main__.pyc"


@pytest.mark.parametrize("form", ["zip", "bytecode"])
def test_a_checkpoint_sees_changes_in_what_the_program_imports(
    first_library: Library, tmp_path: Path, form: str
) -> None:
    command = [sys.executable, "-m", "scoopmpi", "-n", "1", "--checkpoint", "run.ckpt"]
    for body, ran in (("x", 2), ("x", 0), ("x + 100", 2)):
        program = built(tmp_path, form, body)
        answer = start(first_library, [*command, program], cwd=tmp_path)
        expected = [eval(body, {"x": x}) for x in range(2)]
        assert answer.stdout.splitlines()[-1] == str(expected), answer.stderr
        assert answer.stdout.count("ran") == ran
