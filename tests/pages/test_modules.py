"""The modulefiles of docs/modules under a real Lmod, and what the page beside them says.

Lmod reads those in Lua and those in Tcl.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scoopmpi
from scoopmpi import myscoop
from scoopmpi.launch.cli.setting import Setting
from tests.support.libraries import ROOT
from tests.support.prompts import Prompt

MODULES = ROOT / "docs" / "modules"
VERSION = scoopmpi.__version__
LMOD = [Path(place) for place in ("/usr/share/lmod/lmod", "/opt/apps/lmod/lmod")]
INIT = next((place / "init" / "bash" for place in LMOD if (place / "init" / "bash").exists()), None)
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
COMMANDS = re.findall(r"^(\w+) =", SETUP["options.entry_points"]["console_scripts"], re.MULTILINE)


@pytest.fixture(params=["lua", "tcl"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A cluster with an MPI module and scoopmpi as the page installs it."""
    kind: str = request.param
    commands = tmp_path / "apps" / VERSION / "bin"
    commands.mkdir(parents=True)
    for name in COMMANDS:
        main = f"import sys; sys.argv[0] = '{name}'; from scoopmpi.{name} import main; main()"
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} -c "{main}" "$@"\n')
        (commands / name).chmod(0o755)
    (commands.parent / "share").symlink_to(ROOT / "share")  # as setup.cfg installs it
    text = (MODULES / f"scoopmpi.{kind}").read_text()
    assert text.count("/apps/scoopmpi") == 1
    text = text.replace("/apps/scoopmpi", f"{tmp_path}/apps")
    alias = (MODULES / f"vsc-mympirun-scoop.{kind}").read_text()
    mpi = {
        "lua": f'prepend_path("PATH", "{tmp_path}/mpi/bin")\n',
        "tcl": f"#%Module\nprepend-path PATH {tmp_path}/mpi/bin\n",
    }[kind]
    for name, body in (
        ("scoopmpi", text), ("vsc-mympirun-scoop", alias), ("OpenMPI", mpi), ("SCOOP", mpi),
    ):  # fmt: skip
        (tmp_path / "modules" / name).mkdir(parents=True)
        end = ".lua" if kind == "lua" else ""
        (tmp_path / "modules" / name / f"{VERSION}{end}").write_text(body)
    return tmp_path


def shell(site: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    if INIT is None:
        pytest.skip("no Lmod here (Debian: apt-get install lmod)")
    script = "\n".join((f". {INIT}", f"module use {site}/modules", *lines))
    return subprocess.run(
        [shutil.which("bash") or "bash", "--noprofile", "--norc", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": str(site)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["scoopmpi", f"scoopmpi/{VERSION}", "vsc-mympirun-scoop"])
def test_module_load_gives_the_commands_and_their_mpi(site: Path, name: str) -> None:
    names = " ".join(COMMANDS)
    done = shell(site, f"module load {name}", f"command -v {names}", "echo $PATH", "module -t list")
    assert done.returncode == 0, done.stderr
    *found, path = done.stdout.splitlines()
    assert found == [f"{site}/apps/{VERSION}/bin/{command}" for command in COMMANDS]
    assert path.startswith(f"{site}/apps/{VERSION}/bin:{site}/mpi/bin:")
    assert f"OpenMPI/{VERSION}" in done.stderr.split()


def test_the_command_of_the_module_runs(site: Path) -> None:
    done = shell(site, "module load scoopmpi", "myscoop --version")
    assert VERSION in done.stdout, done.stderr


def test_module_unload_leaves_nothing(site: Path) -> None:
    before = "echo $PATH; module load scoopmpi; module unload scoopmpi; echo $PATH"
    done = shell(site, before, "command -v myscoop || echo none")
    first, last, found = done.stdout.splitlines()
    assert (last, found) == (first, "none"), done.stderr


def test_module_load_leads_to_manual_pages_and_leaves_the_paths_of_others(site: Path) -> None:
    if shutil.which("man", path="/usr/bin:/bin") is None:
        pytest.skip("no man here (Debian: apt-get install man-db groff-base)")
    look = 'man -w myscoop-sweep wsub man; echo "$MANPATH|$XDG_DATA_DIRS"'
    others = "export MANPATH=/usr/share/man XDG_DATA_DIRS=/mine:/usr/share"
    turn = f'module load scoopmpi; {look}; module unload scoopmpi; echo "$MANPATH|$XDG_DATA_DIRS"'
    done = shell(site, turn, others, turn)
    share = f"{site}/apps/{VERSION}/share"
    pages = [f"{share}/man/man1/myscoop-sweep.1", f"{share}/man/man1/wsub.1"]
    *first, man, paths, after = done.stdout.splitlines()[:5]
    assert first == pages and man.startswith("/usr/share/man/man1/man.1"), done.stderr
    assert re.fullmatch(f"{share}/man::?\\|{share}:/usr/local/share:/usr/share", paths)
    assert after == "|"
    *second, man, paths, after = done.stdout.splitlines()[5:]
    assert second == pages and man.startswith("/usr/share/man/man1/man.1")
    assert paths.startswith(f"{share}/man:/usr/share/man:") and f"|{share}:/mine:" in paths
    assert after == "/usr/share/man|/mine:/usr/share"


def test_bash_completes_the_commands_of_the_module(site: Path) -> None:
    if INIT is None or not BASH_COMPLETION.exists():
        pytest.skip("no Lmod or no completion of bash here (Debian: lmod, bash-completion)")
    lines = f". {BASH_COMPLETION}; . {INIT}; module use {site}/modules; module load scoopmpi"
    with Prompt("bash", site, lines, PATH="/usr/bin:/bin") as prompt:
        prompt.completed("mysc", "myscoop")
        prompt.completed("myscoop --order=s", "myscoop --order=sort")
        prompt.completed("wsub -bat", "wsub -batch")


def test_scoops_own_module_is_refused_beside_it(site: Path) -> None:
    done = shell(site, "module load SCOOP", "module load scoopmpi && echo loaded")
    assert "loaded" not in done.stdout.split()
    assert "SCOOP" in done.stderr


def test_module_help_names_the_commands(site: Path) -> None:
    text = shell(site, "module help scoopmpi", "module whatis scoopmpi").stderr
    assert all(command in text for command in COMMANDS)
    assert f"Version: {VERSION}" in text


def test_the_easyconfig_is_of_this_version_and_has_all_that_setup_cfg_asks_for() -> None:
    (path,) = MODULES.glob("*.eb")
    config: dict[str, object] = {"SOURCE_TAR_GZ": "%(name)s-%(version)s.tar.gz"}
    exec(compile(path.read_text(), path.name, "exec"), config)  # an easyconfig is Python
    toolchain = config["toolchain"]
    assert isinstance(toolchain, dict)
    assert path.stem == f"scoopmpi-{VERSION}-{toolchain['name']}-{toolchain['version']}"
    assert config["version"] == VERSION
    brought = {"Python-bundle-PyPI": ("click", "cloudpickle", "rich"), "SciPy-bundle": ("numpy",)}
    names: set[str] = set()
    for entry in [*config["dependencies"], *config["exts_list"]]:  # type: ignore[misc]
        names.update(brought.get(entry[0], (entry[0],)))
    asked = {re.split("[>=]", line)[0] for line in SETUP["options"]["install_requires"].split()}
    assert asked <= names
    paths = config["sanity_check_paths"]
    assert isinstance(paths, dict)
    assert paths["files"] == [f"bin/{command}" for command in COMMANDS]


PAGE = (MODULES / "README.md").read_text()


def test_the_page_names_every_file_beside_it() -> None:
    there = {path.name for path in MODULES.iterdir()} - {"README.md"}
    assert set(re.findall(r"\]\(([\w.-]+)\)", PAGE)) == there


def test_variables_of_the_page_are_options() -> None:
    known = {
        name for param in myscoop.main.params if isinstance(param, Setting)
        for name in param.envvar or ()
    }  # fmt: skip
    texts = [PAGE, *(path.read_text() for path in MODULES.glob("scoopmpi.*"))]
    found = {name for text in texts for name in re.findall(r"MYMPIRUN_\w+", text)}
    assert found and found <= known


def test_the_modulefiles_say_the_same() -> None:
    """What help and whatis say, what is loaded, and what is set."""
    lua, tcl = ((MODULES / f"scoopmpi.{kind}").read_text() for kind in ("lua", "tcl"))
    for line in lua.split("help([[")[1].split("]])")[0].strip().splitlines():
        assert line in tcl.splitlines()
    for word in ("OpenMPI", "SCOOP", "/apps/scoopmpi", "MYMPIRUN_BASEPATH"):
        assert word in lua and word in tcl
