"""What is handed out: the archive and the wheel, what is in them, and what is said of them."""

from __future__ import annotations

import configparser
import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import scoopmpi
from tests.support.libraries import ROOT

VERSION = scoopmpi.__version__
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
CITATION = (ROOT / "CITATION.cff").read_text()
SHARED = [path for path in (ROOT / "share").rglob("*") if path.is_file()]
RELEASES = re.findall(r"^## \[([\d.]+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
ADDRESS = re.compile(r"https?://", re.IGNORECASE)


# What is said of it.


def test_the_changelog_has_this_version_first_and_all_in_order() -> None:
    versions = [tuple(map(int, version.split("."))) for version, _ in RELEASES]
    assert RELEASES[0][0] == VERSION
    assert versions == sorted(versions, reverse=True)
    assert [date for _, date in RELEASES] == sorted((date for _, date in RELEASES), reverse=True)


def test_the_changelog_has_the_headings_that_readers_know() -> None:
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS
    assert len(re.findall(r"^## ", CHANGELOG, re.MULTILINE)) == len(RELEASES)
    for part in re.findall(r"^### .*\n((?:(?!##).*\n)+)", CHANGELOG, re.MULTILINE):
        lines = [line for line in part.splitlines() if line.strip()]
        assert lines and all(line.startswith(("- ", "  ")) for line in lines), lines


def test_the_citation_is_of_this_version() -> None:
    """Its form is checked by `cffconvert --validate`, by hand: CONTRIBUTING says when."""
    said = dict(re.findall(r"^([\w-]+): *(.+)$", CITATION, re.MULTILINE))
    assert (said["version"], said["date-released"]) == RELEASES[0]
    assert said["cff-version"] == "1.2.0" and said["license"] == SETUP["metadata"]["license"]
    assert "The scoopmpi authors" in CITATION and SETUP["metadata"]["author"] in CITATION


def test_no_address_is_made_up() -> None:
    """Nobody has published it yet: whoever does adds where it is."""
    metadata = SETUP["metadata"]
    assert not {"url", "project_urls", "download_url"} & {*metadata}
    assert not ADDRESS.search(CITATION)


def test_the_python_versions_are_those_that_are_tested() -> None:
    named = re.findall(r"Python :: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
    script = (ROOT / ".ci" / "interpreters").read_text()
    tried = re.search(r'^versions="([\d. ]+)"$', script, re.MULTILINE)
    assert tried is not None and named == tried[1].split()
    assert SETUP["options"]["python_requires"] == f">={named[0]}"


# What is in it.


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive, and the wheel that was made of it."""
    pytest.importorskip("build")
    setuptools = pytest.importorskip("setuptools").__version__
    if int(setuptools.split(".")[0]) < 71:
        pytest.skip(f"setuptools {setuptools} makes no wheel alone")
    made, copy = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("copy") / "scoopmpi"
    left = shutil.ignore_patterns(".git", ".venv*", ".mpi", ".*_cache", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=left)  # what is built notes things in the tree
    words = ["-m", "build", "--no-isolation", "--outdir", str(made), str(copy)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return made


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(built / f"scoopmpi-{VERSION}-py3-none-any.whl")


def metadata(wheel: zipfile.ZipFile) -> Message:
    text = wheel.read(f"scoopmpi-{VERSION}.dist-info/METADATA").decode()
    return email.message_from_string(text)


@pytest.mark.ranks
def test_the_wheel_has_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    tops = {name.split("/")[0] for name in names}
    info, data = f"scoopmpi-{VERSION}.dist-info", f"scoopmpi-{VERSION}.data"
    assert tops == {"scoopmpi", "scoop", info, data}
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "scoopmpi").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    scoop = "scoopmpi/compat/scoop/"
    there = {name.replace(scoop, "scoop/") if name.startswith(scoop) else name for name in ours}
    assert there == {name for name in names if name.split("/")[0] in ("scoopmpi", "scoop")}
    assert {"scoopmpi/py.typed", "scoop/py.typed", f"{info}/licenses/LICENSE"} <= names
    shared = {path.relative_to(ROOT).as_posix() for path in SHARED}
    assert {f"{data}/data/{name}" for name in shared} <= names


@pytest.mark.ranks
def test_the_archive_has_all_that_a_clone_has(built: Path) -> None:
    """So the tests of the README run in it, and another package can be made of it."""
    with tarfile.open(built / f"scoopmpi-{VERSION}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    if listed.returncode != 0:
        pytest.skip("this is no clone")
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    assert tracked - names <= {".gitignore"}
    more = {name for name in names - tracked if not (ROOT / name).is_dir()}
    told = [name for name in more if "__pycache__" in name or name.endswith((".pyc", ".so"))]
    assert not told


@pytest.mark.ranks
def test_the_metadata_can_be_published(wheel: zipfile.ZipFile) -> None:
    """As `twine check --strict` has it, and indexes of packages: fields that they know, a text."""
    said = metadata(wheel)
    assert (said["Name"], said["Version"]) == ("scoopmpi", VERSION)
    assert said["Description-Content-Type"] == "text/markdown"
    assert str(said.get_payload()).lstrip().startswith("# scoopmpi")
    assert {*said.get_all("Provides-Extra", [])} == {*SETUP["options.extras_require"]}
    assert len(said["Summary"]) <= 100 and said["License-File"] == "LICENSE"
    assert not said.get_all("Home-page") and not said.get_all("Project-URL")


@pytest.mark.ranks
def test_a_fresh_environment_has_the_commands_and_their_pages(
    built: Path, wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """What the package needs is this environment's; the package itself is the wheel's."""
    fresh = tmp_path / "fresh"
    for words in (
        ["-m", "venv", "--without-pip", str(fresh)],
        ["-m", "pip", "--python", str(fresh / "bin" / "python"), "install", "--quiet", "--no-deps",
         "--no-index", "--no-compile", str(wheel.filename)],
    ):  # fmt: skip
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    site = next(fresh.glob("lib/python*/site-packages"))
    needed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "needed.pth").write_text("\n".join(needed) + "\n")
    code = (
        "import scoop, scoopmpi, importlib.metadata as known, importlib.resources as files;"
        "print(scoopmpi.__version__, known.version('scoopmpi'), scoopmpi.__file__, scoop.__file__);"
        "print(len(list(files.files('scoopmpi.watching.report').glob('*.css'))))"
    )
    env = {"PATH": f"{fresh}/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    run = {"capture_output": True, "text": True, "timeout": 60, "cwd": tmp_path, "env": env}
    done = subprocess.run([fresh / "bin" / "python", "-c", code], **run)  # type: ignore[call-overload]
    ours, _ = done.stdout.splitlines()
    assert ours.split()[:2] == [VERSION, VERSION] and ours.count(str(site)) == 2, done.stderr
    commands = re.findall(r"^(\w+) = ", SETUP["options.entry_points"]["console_scripts"], re.M)
    for name in commands:
        word = "-help" if name.startswith("w") else "--help"
        done = subprocess.run([fresh / "bin" / name, word], **run)  # type: ignore[call-overload]
        assert done.returncode == 0 and name in done.stdout, done.stderr
        assert (fresh / "share" / "man" / "man1" / f"{name}.1").is_file()
    assert {os.path.basename(path) for path in (fresh / "bin").iterdir()} >= {*commands}
