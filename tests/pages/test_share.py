"""`share/`: manual pages and what shells read are those of the commands as they are, and whole."""

from __future__ import annotations

import configparser
import importlib.util
import itertools
import re
import shutil
import subprocess
from types import ModuleType

import click
import pytest
from click.shell_completion import ZshComplete

from scoopmpi import mympirun, myscoop
from scoopmpi.launch import completion_command
from scoopmpi.sweep import options as sweep
from tests.support.libraries import ROOT

SHARE = ROOT / "share"
MAN = sorted((SHARE / "man" / "man1").iterdir())
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
COMMANDS = re.findall(r"^(\w+) =", SETUP["options.entry_points"]["console_scripts"], re.MULTILINE)

OLD_CLICK = "loadautofunc" not in ZshComplete.source_template
"""Its own texts for shells, which the files of commands that are asked hold, were others."""


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """docs/man/make.py, which has written the files."""
    spec = importlib.util.spec_from_file_location("make_share", ROOT / "docs" / "man" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_of_the_commands_as_they_are(make: ModuleType) -> None:
    there = {
        path.relative_to(SHARE).as_posix(): path.read_text()
        for path in SHARE.rglob("*") if path.is_file()
    }  # fmt: skip
    made = make.files()
    again = "run: python docs/man/make.py"
    assert there.keys() == made.keys(), again
    asked = itertools.product(make.FOR_SHELLS.values(), completion_command.ASKED)
    left_out = {path.format(name) for path, name in asked} if OLD_CLICK else set()
    for name in made.keys() - left_out:
        assert there[name] == made[name], f"{name}: {again}"


def test_all_files_are_installed() -> None:
    folders = {
        path.parent.relative_to(ROOT).as_posix() for path in SHARE.rglob("*") if path.is_file()
    }
    given = SETUP["options.data_files"]
    assert {*given} == folders
    assert all(given[folder] == f"{folder}/*" for folder in folders)


def test_each_command_has_a_page_and_is_completed_in_each_shell() -> None:
    pages = {path.stem for path in MAN}
    assert {*COMMANDS} == {name for name in pages if "-" not in name}
    for folder, form in (
        ("bash-completion/completions", "{}"), ("zsh/site-functions", "_{}"),
        ("fish/vendor_completions.d", "{}.fish"),
    ):  # fmt: skip
        there = {path.name for path in (SHARE / folder).iterdir()}
        assert there == {form.format(name) for name in COMMANDS}


def shown(*words: str) -> str:
    """A page as a person sees it, in lines of 200 characters."""
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("no man here (Debian: apt-get install man-db groff-base)")
    done = subprocess.run(
        ["man", "--warnings", *words], capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(".\b", "", done.stdout)


def test_man_shows_all_pages_without_a_warning() -> None:
    text = shown("-l", *map(str, MAN))
    for path in MAN:
        assert re.search(rf"^ +{path.stem} - \w", text, re.MULTILINE), path
    assert text.count("SEE ALSO") == len(MAN)


@pytest.mark.parametrize(
    ("page", "command"),
    [("myscoop", myscoop.main), ("mympirun", mympirun.main), ("myscoop-sweep", sweep.command)],
)
def test_a_page_has_every_option_as_it_is_typed(page: str, command: click.Command) -> None:
    text = shown("-l", str(SHARE / "man" / "man1" / f"{page}.1"))
    options = [param for param in command.params if isinstance(param, click.Option)]
    for option in (option for option in options if not option.hidden):
        assert re.search(rf"^ +(\S+, )*{re.escape(option.opts[0])}[ ,\n]", text, re.MULTILINE)
        assert " ".join((option.help or "").split()) in " ".join(text.split())


def test_text_stands_for_itself(make: ModuleType) -> None:
    text = ".SH is no heading here, 'nor' this: \\fB--x\\fR `a` ~/b ^ü…"
    assert make.escaped(text) == (
        "\\&.SH is no heading here, \\(aqnor\\(aq this: \\efB\\-\\-x\\efR \\(gaa\\(ga \\(ti/b \\(ha"
        "\\[u00FC]\\[u2026]"
    )
    assert make.escaped("'first") == "\\(aqfirst"
    assert make.bold("-n, --universe N") == "\\fB\\-n, \\-\\-universe\\fR \\fIN\\fR"
    assert make.bold("any other") == "\\fBany other\\fR"
    (*_, last) = make.paragraphs("One\n  paragraph.\n\n\b\nkept  as\n  it is")
    assert last == ".RE"
