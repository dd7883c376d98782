"""What the caller's shell may lack: open streams, HOME, a directory for files; and long words."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

from scoopmpi.launch.beside import session
from scoopmpi.launch.commandline import directories, lengths, rank_command
from scoopmpi.launch.commandline.launch import Launch
from scoopmpi.launch.flavours import intelmpi, mpich, openmpi
from scoopmpi.launch.flavours.ranks import LaunchError, Ranks
from scoopmpi.launch.hosts.allocation import Host
from scoopmpi.process import words
from scoopmpi.process.asking import nobody
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)

MYMPIRUN = [sys.executable, "-m", "scoopmpi.mympirun", "--sched=local"]
SCOOP = [sys.executable, "-m", "scoopmpi"]


def by_shell(
    library: Library, command: list[str], ending: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """A command behind whose words a shell has done something, as `>&-`."""
    return start(library, ["/bin/sh", "-c", f'"$@" {ending}', "sh", *command], cwd=cwd)


# Streams that are closed.

WRITES = """
import sys
from scoopmpi import futures

def task(x):
    print("out", x)
    print("err", x, file=sys.stderr)
    return x

if __name__ == "__main__":
    print("out of the program")
    print("err of the program", file=sys.stderr)
    values = list(futures.map(task, range(4)))
    with open("values", "w") as file:
        file.write(repr(values))
"""


# Each alone with each library: tests/process/test_streams.py, test_closed_streams_stay_closed.
ONE_CLOSED = [pytest.param(closed, marks=pytest.mark.first) for closed in (">&-", "2>&-", "<&-")]


@pytest.mark.parametrize("closed", [*ONE_CLOSED, "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(MYSCOOP, id="myscoop"),
        pytest.param(SCOOP, id="python -m scoopmpi", marks=pytest.mark.first),
    ],
)
def test_a_program_runs_where_the_caller_has_closed_its_streams(
    library: Library, tmp_path: Path, command: list[str], closed: str
) -> None:
    (tmp_path / "prog.py").write_text(WRITES)
    done = by_shell(library, [*command, "-n", "2", "prog.py"], closed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "values").read_text() == "[0, 1, 2, 3]", "and nothing but what was written"
    assert done.stdout.count("out") == (0 if " >&-" in f" {closed}" else 5)
    assert done.stderr.count("err") == (0 if "2>&-" in closed else 5)


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
@pytest.mark.parametrize(
    "command",
    [
        [*MYSCOOP, "--explain", "prog.py"],
        [*MYSCOOP, "--dry-run", "prog.py"],
        [*MYSCOOP, "--help"],
        [*MYSCOOP, "--showmpi"],
        [*MYMPIRUN, "--universe", "1", "true"],
        [*SCOOP, "--help"],
    ],
    ids=" ".join,
)
def test_the_commands_themselves_do_not_need_streams(
    first_library: Library, tmp_path: Path, command: list[str], closed: str
) -> None:
    (tmp_path / "prog.py").write_text(WRITES)
    done = by_shell(first_library, command, closed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (done.stdout, done.stderr)[closed == "2>&-"] == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_what_cannot_be_started_has_its_status_all_the_same(
    first_library: Library, tmp_path: Path, closed: str
) -> None:
    for command in (MYSCOOP, SCOOP):
        assert by_shell(first_library, [*command, "nowhere.py"], closed, tmp_path).returncode == 2
        assert by_shell(first_library, [*command, "--nothing"], closed, tmp_path).returncode == 2


@pytest.mark.parametrize("closed", ["", ">&-"])
def test_a_program_that_takes_its_streams_away(
    first_library: Library, tmp_path: Path, closed: str
) -> None:
    (tmp_path / "prog.py").write_text(
        "import sys\nif __name__ == '__main__':\n    sys.stdout = None\n    1 / 0\n"
    )
    done = by_shell(first_library, [*MYSCOOP, "-n", "1", "prog.py"], closed, tmp_path)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr and "AttributeError" not in done.stderr


# Words of any length.


FEW_WORDS = [pytest.param(count, marks=pytest.mark.first) for count in (1, 1_000)]


@pytest.mark.parametrize("count", [*FEW_WORDS, 13_050, 13_200, 60_000])
def test_as_many_words_as_a_shell_can_type(library: Library, tmp_path: Path, count: int) -> None:
    (tmp_path / "prog.py").write_text(
        "import os, sys\nfrom scoopmpi import futures\n"
        "def told(_):\n"
        "    return len(sys.argv), hash(tuple(sys.argv)), 'SCOOPMPI_WORDS_0' in os.environ\n"
        "if __name__ == '__main__':\n"
        "    print(told(0)[0], {told(0)} == set(futures.map(told, range(4))), told(0)[2])\n"
        "    print(ascii(sys.argv[1:3]), sys.argv[-1])\n"
    )
    given = ["-é\udcff\n", "", *["123456789"] * count]
    chosen = Library(library.name, {**library.env, "PYTHONHASHSEED": "1"})
    answer = start(chosen, [*SCOOP, "-n", "1", "prog.py", *given], cwd=tmp_path)
    assert answer.stdout.splitlines() == [
        f"{count + 3} True False",
        f"{given[:2]!a} 123456789",
    ], answer.stderr


def test_long_words_before_which_a_prolog_runs(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prolog.sh").write_text("export TOLD=yes\n")
    (tmp_path / "prog.py").write_text(
        "import os, sys\nif __name__ == '__main__':\n    print(len(sys.argv), os.environ['TOLD'])\n"
    )
    command = [*SCOOP, "-n", "1", "--prolog", "prolog.sh", "prog.py", *["123456789"] * 20_000]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.stdout == "20001 yes\n", answer.stderr


@pytest.mark.parametrize("given", [[], [""], ["a", "1:b"], ["é\udcff\n:", "x" * 250_000, ""]])
def test_words_as_variables_and_back(given: list[str]) -> None:
    variables = words.as_variables(given)
    assert all(words.size([value]) <= 100_001 for value in variables.values())
    env = {**variables, "OTHER": "1"}
    assert (words.taken(env) or []) == given
    assert env == {"OTHER": "1"} and words.taken(env) is None


def test_what_cannot_be_helped_is_a_message_with_length_and_remedy() -> None:
    ranks = Ranks((Host("localhost", 1),), ["./simulate", *["123456789"] * 13_200], {})
    with pytest.raises(LaunchError, match=r"words have 1320\d\d bytes, .* bytes: .* into a file"):
        lengths.fitting(openmpi, ranks, (), None)
    with pytest.raises(LaunchError, match=r"13201 words .* hands on 800 words: .* into a file"):
        lengths.fitting(intelmpi, ranks, (), None)
    assert lengths.fitting(mpich, ranks, (), None) == (ranks, {})
    most = os.sysconf("SC_ARG_MAX")
    with pytest.raises(LaunchError, match=f"the system hands on {most} .* into a file"):
        lengths.check(["x" * most], {})
    with pytest.raises(LaunchError, match=f"the system hands on {most}"):
        lengths.check(["mpirun"], {"A": "x" * most})
    lengths.check(["mpirun"], {"A": "x" * 100_000})


def test_words_in_variables_reach_other_hosts() -> None:
    start_of = Launch(["prog.py", *["123456789"] * 13_200])
    ranks = Ranks((Host("n1", 1), Host("n2", 1)), rank_command.of_rank(start_of), {}, manager="pbs")
    short, variables = lengths.fitting(openmpi, ranks, ["python"], start_of.words)
    assert list(variables) == ["SCOOPMPI_WORDS_0", "SCOOPMPI_WORDS_1"]
    assert short.exporting() == tuple(variables)


@pytest.mark.parametrize("flavour", [openmpi, mpich, intelmpi])
def test_a_colon_that_begins_another_program_is_handed_on_in_a_variable(
    flavour: ModuleType,
) -> None:
    start_of = Launch(["sweep", "sh", "-c", ":"])
    ranks = Ranks((Host("localhost", 2),), rank_command.of_rank(start_of), {})
    short, variables = lengths.fitting(flavour, ranks, ["python"], start_of.words)
    assert short.checked_program() == ("python",)
    assert words.taken(variables) == start_of.words
    assert lengths.fitting(flavour, ranks, ["python"], None) == (ranks, {})


# HOME and TMPDIR under Open MPI.


def openmpi_only(library: Library) -> None:
    if not library.name.startswith("openmpi"):
        pytest.skip("others need neither")


SHOWS = "import os, sys\nif __name__ == '__main__':\n    print(os.path.exists('prog.py'))\n"


def left(place: Path) -> list[str]:
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*"))


@pytest.mark.parametrize("command", [MYSCOOP, SCOOP], ids=["myscoop", "python -m scoopmpi"])
def test_no_home(library: Library, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "prog.py").write_text(SHOWS)
    env = {name: value for name, value in library.env.items() if name != "HOME"}
    answer = start(Library(library.name, env), [*command, "-n", "1", "prog.py"], cwd=tmp_path)
    assert (answer.stdout, answer.returncode) == ("True\n", 0), answer.stderr
    told = "HOME is not set, which Open MPI needs: it is told " in answer.stderr
    assert told == library.name.startswith("openmpi-5")
    assert left(tmp_path) == ["prog.py"]


STRANGE_TOO = (
    ("TMP", "./own", "TMP=./own is no full path: Open MPI is told {here}/own"),
    ("TMPDIR", "prog.py", "TMPDIR=prog.py is no directory that can be written"),
    ("TMPDIR", "{here}/none", "TMPDIR={here}/none is no directory that can be written"),
)


@pytest.mark.parametrize(
    ("variable", "directory", "said"),
    [
        ("TMPDIR", "own", "TMPDIR=own is no full path: Open MPI is told {here}/own"),
        ("TMPDIR", "none", "TMPDIR=none is no directory that can be written: Open MPI is told /"),
        *(pytest.param(*strange, marks=pytest.mark.first) for strange in STRANGE_TOO),
    ],
)
def test_a_strange_directory_for_temporary_files(
    library: Library, tmp_path: Path, variable: str, directory: str, said: str
) -> None:
    openmpi_only(library)
    (tmp_path / "prog.py").write_text(SHOWS)
    (tmp_path / "own").mkdir()
    env = {name: value for name, value in library.env.items() if name != "TMPDIR"}
    env[variable] = directory.format(here=tmp_path)
    answer = start(Library(library.name, env), [*MYSCOOP, "-n", "1", "prog.py"], cwd=tmp_path)
    assert (answer.stdout, answer.returncode) == ("True\n", 0), answer.stderr
    assert (
        answer.stderr
        == f"myscoop: {said.format(here=tmp_path)}"
        + answer.stderr[len(f"myscoop: {said.format(here=tmp_path)}") :]
    )
    assert "remove a file" not in answer.stderr
    assert left(tmp_path) == ["own", "prog.py"]
    assert not os.path.exists(f"/{directory.removeprefix('./')}")


def test_nothing_is_set_where_nothing_is_missing(tmp_path: Path) -> None:
    mpirun = "/bin/mpirun"
    assert directories.needed({"HOME": "", "TMPDIR": ""}, mpirun, nobody) == ({}, ())
    assert directories.needed({"HOME": "/h", "TMPDIR": str(tmp_path)}, mpirun, nobody) == ({}, ())
    assert directories.needed({}, mpirun, lambda _: "mpirun (Open MPI) 4.1.4") == ({}, ())
    found, notes = directories.needed({}, mpirun, nobody)
    assert os.path.isabs(found["HOME"]) and found["HOME"] in notes[0]


# What a launcher that was killed has left.


def test_a_launcher_gets_a_fresh_directory_for_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"TMPDIR": str(tmp_path)}
    with session.directory("PLACE", place) as one, session.directory("PLACE", place) as other:
        assert one.keys() == {"PLACE"} and one != other
        assert {Path(path["PLACE"]).parent for path in (one, other)} == {tmp_path}
    assert not list(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    with session.directory("PLACE", {"TMPDIR": ""}) as usual:
        assert Path(usual["PLACE"]).parent == Path(tempfile.gettempdir())
    with session.directory("PLACE", {"PRTE_MCA_prte_tmpdir_base": "/mine"}) as own:
        assert own == {}, "the user's choice stays"
    with session.directory("PLACE", {"TMPDIR": str(tmp_path / "none")}) as own:
        assert own == {}, "the launcher says so best"
    with session.directory(None, {}) as own:
        assert own == {}, "no other library needs it"


def test_a_farm_starts_beside_what_a_killed_launcher_left(
    first_library: Library, tmp_path: Path
) -> None:
    """Of every number a process may have next; a bare mpirun of Open MPI 5 fails there."""
    with subprocess.Popen(["true"]) as latest:
        last = latest.pid
    for number in range(last, last + 400):
        left = tmp_path / f"ompi.{number}"
        left.mkdir()
        (left / "pmix.vm.tool").touch()
        (left / f"pmix.vm.tool.{number}").touch()
    env = {**first_library.env, "TMPDIR": str(tmp_path)}
    program = tmp_path / "prog.py"
    program.write_text(
        "from scoopmpi import futures\n"
        "if __name__ == '__main__':\n"
        "    print(list(futures.map(abs, range(3))))\n"
    )
    for _ in range(2):
        words = [*MYSCOOP, "-n", "2", str(program)]
        done = start(Library(first_library.name, env), words)
        assert (done.returncode, done.stdout) == (0, "[0, 1, 2]\n"), done.stderr
