"""The package `scoop`: the names that SCOOP's programs touch, and SCOOP itself beside us."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import launcher
from tests.launch.test_managers import recorded
from tests.support.libraries import ROOT, Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)

NAMES = (
    "IS_RUNNING IS_ORIGIN SIZE worker logger DEBUG MAIN_MODULE CONFIGURATION BROKER"
    " WORKING_DIRECTORY SHUTDOWN_REQUESTED futures fallbacks utils"
)


def python(code: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code], cwd=cwd, env={**os.environ, **env},
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def test_every_name_is_there_without_a_launcher() -> None:
    import scoop

    for name in NAMES.split():
        assert hasattr(scoop, name) and name in dir(scoop), name
    assert (scoop.IS_RUNNING, scoop.IS_ORIGIN, scoop.SIZE) == (False, True, 1)
    assert (scoop.DEBUG, scoop.MAIN_MODULE, scoop.CONFIGURATION) == (False, None, {})
    assert isinstance(scoop.worker, bytes)
    assert isinstance(scoop.logger, logging.Logger)
    assert scoop.BROKER.hostname and scoop.BROKER.task_port == 0
    assert scoop.__version__ >= "0.7"
    with pytest.raises(AttributeError, match="module 'scoop' has no attribute 'nowhere'"):
        _ = scoop.nowhere


def test_the_same_names_on_top() -> None:
    import scoop

    import scoopmpi

    for name in ("IS_RUNNING", "IS_ORIGIN", "SIZE", "logger"):
        assert getattr(scoopmpi, name) == getattr(scoop, name)
        assert name in dir(scoopmpi) and name in scoopmpi.__all__
    with pytest.raises(AttributeError, match="module 'scoopmpi' has no attribute 'nowhere'"):
        _ = scoopmpi.nowhere


@pytest.mark.ranks
@pytest.mark.parametrize(
    "code",
    [
        "import scoop; scoop.futures.map; scoop.shared; scoop.utils.getHosts",
        "from scoop import futures, shared, fallbacks, utils",
        "import scoop.futures, scoop.shared; scoop.futures.submit",
        "from scoop.futures import map, submit, wait, as_completed, map_as_completed, shutdown",
        "from scoop import IS_RUNNING, IS_ORIGIN, logger, SIZE",
        "from scoop.futures import *; FIRST_COMPLETED, map",
        "from scoop.fallbacks import NotStartedProperly; from scoop.futures import *",
    ],
)
def test_the_ways_of_importing(code: str) -> None:
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.ranks
def test_importing_the_name_is_cheap() -> None:
    """Ranks import it from a file system that is shared by all."""
    code = "import sys, scoop; scoop.SIZE, scoop.worker; print(*sys.modules)"
    loaded = set(python(code).stdout.split())
    assert not loaded & {
        "numpy",
        "click",
        "importlib.metadata",
        "scoopmpi.executors.farm_executor",
        "subprocess",
    }


def test_the_functions_are_ours_and_can_be_pickled() -> None:
    import scoop.futures

    import scoopmpi.futures

    assert scoop.futures.map is scoopmpi.futures.map
    assert pickle.loads(pickle.dumps(scoop.futures.map)) is scoop.futures.map
    assert scoop.futures.NotStartedProperly is scoop.fallbacks.NotStartedProperly
    assert scoop.futures._controller is None


@pytest.mark.ranks
def test_submit_without_a_launcher_does_not_raise() -> None:
    code = (
        "from scoop import futures, fallbacks\n"
        "try: print(futures.submit(abs, -3).result())\n"
        "except fallbacks.NotStartedProperly: print('refused')"
    )
    done = python(code)
    assert done.stdout == "3\n"
    assert done.stderr.count("RuntimeWarning") == 1


@pytest.mark.parametrize(
    ("sample", "env", "hosts", "workers"),
    [
        (None, "other", None, None),
        ("slurm_n4", "SLURM", [("n1", 2), ("n2", 2)], 4),
        ("pbs_2x8", "PBS", [("pbs2", 8), ("pbs3", 8)], 16),
    ],
)
def test_utils_of_this_job(
    monkeypatch: pytest.MonkeyPatch,
    sample: str | None, env: str, hosts: list[tuple[str, int]] | None, workers: int | None,
) -> None:  # fmt: skip
    from scoop import utils

    for name in [name for name in os.environ if name.startswith(("SLURM", "PBS", "PE_", "NSLOTS"))]:
        monkeypatch.delenv(name)
    for name, value in (recorded(sample) if sample else {}).items():
        monkeypatch.setenv(name, value)
    assert utils.getEnv() == env
    found = utils.getHosts()
    if hosts is None:
        hosts, workers = [("127.0.0.1", utils.getCPUcount())], utils.getCPUcount()
    assert found == hosts
    assert utils.getWorkerQte(found) == workers


def test_utils_of_lists_and_files(tmp_path: Path) -> None:
    from scoop import utils

    (tmp_path / "hosts").write_text("n1 4\nn2 2 # fast\n")
    assert utils.getHosts(str(tmp_path / "hosts")) == [("n1", 4), ("n2", 2)]
    assert utils.getHosts(None, ["n1", "n2", "n1"]) == [("n1", 2), ("n2", 1)]
    assert utils.parseSLURM("n[1-2]") == [("n1", 1), ("n2", 1)]
    assert "localhost" in utils.localHostnames
    assert utils.externalHostname([("n1", 1)]) == "n1"


# On real ranks.

PROGRAM = """
import sys
import scoop
from scoop import futures

def here(_):
    import time
    time.sleep(0.02)
    scoop.logger.info("from a task")
    scoop.logger.debug("not shown")
    return (scoop.IS_RUNNING, scoop.IS_ORIGIN, scoop.SIZE, scoop.DEBUG,
            scoop.MAIN_MODULE.endswith("prog.py"), scoop.CONFIGURATION["headless"],
            bool(futures._controller)), scoop.worker.decode().partition(":")[2]

if __name__ == "__main__":
    print(here(0))
    found = list(futures.map(here, range(20)))
    print({what for what, _ in found}, sorted({who for _, who in found}))
    scoop.logger.warning("a warning of the program")
    print(sys.modules["SCOOP_WORKER"] is sys.modules["__main__"])
"""


def test_names_on_rank_0_and_on_workers(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = [sys.executable, "-m", "scoop", "-n", "2"]
    answer = start(first_library, [*words, "prog.py"], cwd=tmp_path)
    assert answer.stdout.splitlines() == [
        "((True, True, 2, False, True, False, True), '0')",
        "{(True, False, 2, False, True, False, True)} ['1', '2']",
        "True",
    ], answer.stderr
    assert answer.stderr.count("from a task") == 21
    assert answer.stderr.count("WARNING a warning of the program") == 1
    assert "not shown" not in answer.stderr
    answer = start(first_library, [*words, "-q", "prog.py"], cwd=tmp_path)
    assert "from a task" not in answer.stderr and "a warning of the program" in answer.stderr
    answer = start(first_library, [*words, "--debug", "prog.py"], cwd=tmp_path)
    assert "(True, True, 2, True, " in answer.stdout and "not shown" in answer.stderr


# SCOOP itself in the same environment.


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A directory for PYTHONPATH, with SCOOP's metadata."""
    site = tmp_path / "site"
    (site / "scoop-0.7.2.0.dist-info").mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: scoop\nVersion: 0.7.2.0\n"
    (site / "scoop-0.7.2.0.dist-info" / "METADATA").write_text(metadata)
    return site


@pytest.fixture
def in_front(beside: Path) -> Path:
    """The same, with SCOOP's package where it is found before ours."""
    (beside / "scoop").mkdir()
    (beside / "scoop" / "__init__.py").write_text("IS_RUNNING = False\n")
    return beside


REMEDY = "pip uninstall scoop && pip install --force-reinstall scoopmpi"


@pytest.mark.ranks
def test_ours_warns_of_the_original(beside: Path) -> None:
    done = python("import scoop; print(scoop.SIZE)", PYTHONPATH=str(beside))
    assert done.stdout == "1\n"
    assert done.stderr.count("RuntimeWarning: SCOOP 0.7.2.0 is installed beside scoopmpi") == 1
    assert REMEDY in done.stderr


def test_ours_warns_once_in_a_job(library: Library, beside: Path, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("import scoop\n")
    chosen = Library(library.name, {**library.env, "PYTHONPATH": str(beside)})
    found = launcher.find(chosen.env)
    own = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    scoop = [sys.executable, "-m", "scoop"]
    for words in (
        [*scoop, "-n", "1", "prog.py"],
        [found.mpirun, "-np", "2", *scoop, "prog.py"],
    ):
        answer = start(Library(library.name, {**chosen.env, **own}), words, cwd=tmp_path)
        assert answer.stderr.count("SCOOP 0.7.2.0 is installed beside") == 1, answer.stderr


def test_the_original_is_refused_in_our_ranks(
    first_library: Library, in_front: Path, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(
        "import scoop\nif __name__ == '__main__':\n    print('imported')\n"
    )
    chosen = Library(first_library.name, {**first_library.env, "PYTHONPATH": str(in_front)})
    words = [sys.executable, "-m", "scoopmpi", "-n", "1", "prog.py"]
    answer = start(chosen, words, cwd=tmp_path)
    assert answer.returncode == 1 and "imported" not in answer.stdout
    assert "ImportError: SCOOP 0.7.2.0 is installed beside scoopmpi" in answer.stderr
    assert REMEDY in answer.stderr
    (tmp_path / "prog.py").write_text(
        "import scoopmpi\nif __name__ == '__main__':\n    print(scoopmpi.SIZE)\n"
    )
    answer = start(chosen, words, cwd=tmp_path)
    assert answer.stdout == "1\n", "who does not import scoop is not disturbed"


def test_a_module_of_the_users_own_by_that_name_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, in_front: Path
) -> None:
    from scoopmpi.program.scoop_guard import Guard

    (in_front / "scoop-0.7.2.0.dist-info" / "METADATA").unlink()
    (in_front / "scoop-0.7.2.0.dist-info").rmdir()
    monkeypatch.syspath_prepend(str(in_front))
    assert Guard.find_spec("scoop") is None
