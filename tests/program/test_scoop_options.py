"""SCOOP's options: words in, what is asked for out, and what each means on a real command line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.launch.commandline import rank_command
from scoopmpi.launch.commandline.launch import Launch
from scoopmpi.launch.hosts import hostlist
from scoopmpi.launch.hosts.allocation import Allocation, AllocationError
from scoopmpi.program.scoop_options import Options, UsageError, for_ranks, notes, parse
from scoopmpi.program.usage import USAGE
from tests.support.libraries import Library
from tests.support.starting import mpirun, start, start_ranks
from tests.support.wrappers import Prefix, prefix, started

__all__ = ["prefix"]
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("prog.py", {}),
        ("-n 4 prog.py", {"workers": 4}),
        ("-n4 prog.py", {"workers": 4}),
        ("-vv prog.py", {"verbose": True}),
        ("-vqn3 prog.py", {"verbose": True, "quiet": True, "workers": 3}),
        ("--verb --prof prog.py", {"verbose": True, "profile": True}),
        ("--debug prog.py", {"debug": True}),
        ("--nice -5 prog.py", {"nice": -5}),
        ("-p /d --path=/e prog.py", {"path": "/e"}),
        ("--host a b c:2 -n 2 prog.py", {"hosts": ("a", "b", "c:2"), "workers": 2}),
        ("--hosts a prog.py", {"hosts": ("a",)}),
        ("--hosts=a[1-2] --host b -- prog.py", {"hosts": ("a[1-2]", "b")}),
        ("--hostf F prog.py", {"hostfile": "F"}),
        ("--python-interpreter P prog.py", {"python": "P"}),
        ("--pythonpath a:b --prolog s prog.py", {"pythonpath": "a:b", "prolog": "s"}),
        ("--rsh --ssh-executable s prog.py", {"rsh": True, "ssh_executable": "s"}),
        ("-b 3 --tunnel prog.py", {"ignored": ("-b", "--tunnel")}),
        ("-b3 --backend=TCP prog.py", {"ignored": ("-b", "--backend")}),
        ("--external-hostname h prog.py", {"ignored": ("--external-hostname",)}),
        ("-- prog.py", {}),
    ],
)
def test_options_up_to_the_program(words: str, found: dict[str, Any]) -> None:
    assert parse(words.split()) == Options(words=("prog.py",), **found)


@pytest.mark.parametrize("words", ["prog -n 3 --help", "- -v", "prog.py -- x", "prog --hosts"])
def test_all_from_the_program_on_belongs_to_it(words: str) -> None:
    assert parse(["-v", *words.split()]) == Options(words=tuple(words.split()), verbose=True)


@pytest.mark.parametrize("words", ["", "-n 2", "--hosts a b", "--"])
def test_no_program_is_none(words: str) -> None:
    assert parse(words.split()).words == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-n", "-n needs a value"),
        ("-n x prog.py", "-n needs a number, not 'x'"),
        ("-n ٣ prog.py", "-n needs a number"),
        ("-n 0 prog.py", "at least one worker"),
        ("-n -2 prog.py", "at least one worker"),
        ("--nice 20 prog.py", "niceness is from -20 to 19"),
        ("--no-such prog.py", "unknown option --no-such"),
        ("-np 4 prog.py", "-np is -n here, as in: -n 4"),
        ("--retrys 2 prog.py", "unknown option --retrys. Did you mean --retries?"),
        ("--hybrid 2 prog.py", "unknown option --hybrid, which is one of myscoop"),
        ("-x prog.py", "unknown option -x"),
        ("--quiet=1 prog.py", "--quiet takes no value"),
        ("--tunnel=1 prog.py", "--tunnel takes no value"),
        ("--py x prog.py", "--py may be --python-interpreter or --pythonpath"),
        ("--hosts -n 2 prog.py", "--hosts needs the name of a host"),
        ("--hosts a --hostfile F prog.py", "which hosts?"),
    ],
)
def test_what_cannot_be_meant(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(words.split())


def test_ranks_are_told_what_concerns_them() -> None:
    every = parse(shlex.split("-vq --debug --profile --nice 3 -n 2 -p d --prolog s prog.py"))
    assert for_ranks(every) == ("-v", "-q", "--debug", "--profile", "--nice", "3")
    assert for_ranks(Options()) == ()
    assert parse([*for_ranks(every), "prog.py"]).nice == 3


def test_what_does_nothing_is_told_once() -> None:
    nothing = parse(shlex.split("-b 2 --tunnel -b 3 prog.py"))
    assert notes(nothing, launched=False) == ["-b, --tunnel: nothing to do, MPI has no broker"]
    (note,) = notes(parse(shlex.split("-n 2 --hosts a -- p")), launched=True)
    assert note.startswith("-n, --hosts: nothing to do, mpirun")
    assert notes(parse(shlex.split("-n 2 --hosts a -- p")), launched=False) == []


def hosts(found: Allocation) -> str:
    return " ".join(f"{host.name}:{host.slots}" for host in found.hosts)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("n1 n2", "n1:1 n2:1"),
        ("n1 n2 n1", "n1:2 n2:1"),
        ("n1:4 n2", "n1:4 n2:1"),
        ("n[01-03]:2", "n01:2 n02:2 n03:2"),
        ("n1,n2:3", "n1:1 n2:3"),
        ("10.0.0.1 10.0.0.2", "10.0.0.1:1 10.0.0.2:1"),
        ("localhost n1", "localhost:1 n1:1"),
    ],
)
def test_hosts_as_words(words: str, expected: str) -> None:
    assert hosts(hostlist.from_words(words.split())) == expected


@pytest.mark.parametrize("words", ["localhost", "127.0.0.1 localhost", "::1", os.uname().nodename])
def test_hosts_that_are_this_machine_need_no_remote_shell(words: str) -> None:
    found = hostlist.from_words(words.split())
    assert found.local and hosts(found) == f"localhost:{len(words.split())}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n1 4\nn2 2\n", "n1:4 n2:2"),
        ("# all of them\n\nn1 slots=4 # fast\n  n2:2\n", "n1:4 n2:2"),
        ("n1 port=22 slots=4 max_slots=9\n", "n1:4"),
        ("n1 slots = 4\nn2\tslots=2\n", "n1:4 n2:2"),
        ("n[1-2,7] 3\n", "n1:3 n2:3 n7:3"),
        ("n[1-2]:3\n", "n1:3 n2:3"),
        ("n1 4 all.q@n1 UNDEFINED\n", "n1:4"),
        ("n1\nn2\n", "n1:16 n2:16"),
        ("n1\nn2 2\n", "n1:16 n2:2"),
        ("n1\nn1\nn2\n", "n1:2 n2:1"),
        ("n1\r\nn2\r\n", "n1:16 n2:16"),
        ("n1 0\nn2 1\n", "n2:1"),
        ("n1 X 4\nn2 x 2\nn3 x3\nn4 * 5\n", "n1:4 n2:2 n3:3 n4:5"),
        ("n1 = 4\nn2 =2\nn3=3\nn4 workers 5 # all\n", "n1:4 n2:2 n3:3 n4:5"),
        ("n1 X 2\nn1 X 3\n", "n1:5"),
        ("  n1\t X\t 4  \r\n\r\n", "n1:4"),
    ],
)
def test_a_host_file(text: str, expected: str) -> None:
    assert hosts(hostlist.from_text(text, "host file F", lambda: 16)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "host file F names no host"),
        ("# n1\n", "host file F names no host"),
        ("n1\nn2 many\n", "host file F, line 2: 'n2 many' is no host and number"),
        ("n1 slots=x\n", "line 1"),
        ("n1 -4\n", "line 1"),
        ("n1 X many\n", "'n1 X many' is no host and number"),
        ("n1 eth0 4\n", "line 1"),
        ("n1:4:5\n", "line 1"),
        ("n[1-\n", "line 1"),
        ("n[3-1] 2\n", "'3-1' is no range"),
        ("-x 4\n", "'-x' is no host name"),
        ("localhost 0\n", "no host with a slot"),
    ],
)
def test_a_host_file_that_cannot_be_meant(text: str, said: str) -> None:
    with pytest.raises(AllocationError) as caught:
        hostlist.from_text(text, "host file F", lambda: 16)
    assert said in str(caught.value)


def test_a_host_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AllocationError, match=r"host file .*nowhere cannot be read: No such"):
        hostlist.from_file(str(tmp_path / "nowhere"), lambda: 16)


@pytest.mark.ranks
def test_a_prolog_runs_in_the_ranks_own_shell(tmp_path: Path) -> None:
    script = tmp_path / "two words.sh"
    script.write_text('export FROM_PROLOG="it\'s set"\n')
    code = "import os, sys; print(os.environ['FROM_PROLOG'], sys.argv[1:])"
    chosen = Launch(["a b", "'"], Options(prolog=str(script)))
    *shell, python, _, _, first, second = rank_command.of_rank(chosen)
    done = subprocess.run(
        [*shell, python, "-c", code, first, second], capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "it's set ['a b', \"'\"]\n", done.stderr


@pytest.mark.ranks
def test_environment_modules_are_loaded_first(tmp_path: Path) -> None:
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "bash").write_text('module() { LOADED="$*"; export LOADED; }\n')
    words = rank_command.of_rank(Launch([], loaded=["gcc/13,my mod"]))
    shell = words[: words.index(sys.executable)]  # what follows are this Python's own options, too
    code = [sys.executable, "-c", "import os; print(os.environ['LOADED'])"]
    done = subprocess.run(
        [*shell, *code],
        env={**os.environ, "MODULESHOME": str(tmp_path)},
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.stdout == "load gcc/13 my mod\n", done.stderr


# The whole way, to a stand-in for mpirun.


def scoop(prefix: Prefix, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return prefix.run(str(prefix.path / "bin" / "scoop"), *words, cwd=cwd)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """prog.py in a directory of its own, and a host file."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "prog.py").write_text("print(1)\n")
    (tmp_path / "hosts").write_text("n1 2\nn2 slots=3\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "options", "inner"),
    [
        ("-n 3", "--host localhost:4 ", ""),
        ("--hosts n1 n2 n1", "--host n1:3,n2:1 ", ""),
        ("--hosts n1 n2 -n 4", "--host n1:3,n2:2 ", ""),
        ("--hostfile hosts", "--host n1:3,n2:3 ", ""),
        ("--hostfile hosts -n 3", "--host n1:3,n2:1 ", ""),
        ("--hosts localhost", "--host localhost:2 ", ""),
        ("-n 1 -q --nice 7 --profile", "--host localhost:2 ", "-q --profile --nice 7 "),
    ],
)
def test_to_mpirun(prefix: Prefix, project: Path, words: str, options: str, inner: str) -> None:
    done = scoop(prefix, *words.split(), "-p", "work", "prog.py", "-n", "9", cwd=project)
    asked = started(done)
    assert asked.options.startswith(options)
    assert asked.inner == [*inner.split(), "prog.py", "-n", "9"]


def test_pythonpath_comes_in_front_of_what_was_set(prefix: Prefix, project: Path) -> None:
    prefix.env["PYTHONPATH"] = "/opt"
    done = scoop(prefix, "--pythonpath", "lib:/x", "-p", "work", "prog.py", cwd=project)
    assert started(done).env["PYTHONPATH"] == f"{project}/lib:/x:/opt"


def test_a_prolog_stands_before_the_interpreter(prefix: Prefix, project: Path) -> None:
    done = scoop(prefix, "--prolog", "my prolog", "-p", "work", "prog.py", cwd=project)
    words = json.loads(done.stdout)[0]
    place = words.index("-c")
    setup = f". '{project}/my prolog' && exec \"$@\""
    assert words[place + 1 :] == [setup, "prolog", sys.executable, "-m", "scoopmpi", "prog.py"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--nice x prog.py", "--nice needs a number"),
        ("-p nowhere prog.py", "--path nowhere: No such file or directory"),
        ("-p work gone.py", "there is no file gone.py"),
        ("--hostfile nowhere -p work prog.py", "cannot be read"),
        ("--python-interpreter nowhere -p work prog.py", "there is no such program"),
    ],
)
def test_refused(prefix: Prefix, project: Path, words: str, said: str) -> None:
    done = scoop(prefix, *words.split(), cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


def test_what_means_nothing_on_mpi_is_one_note(prefix: Prefix, project: Path) -> None:
    words = shlex.split("-b 2 --tunnel --backend TCP --external-hostname h -p work prog.py")
    done = scoop(prefix, *words, cwd=project)
    assert started(done).inner == ["prog.py"]
    assert done.stderr.count("MPI has no broker") == 1
    assert "MPI has no broker" not in scoop(prefix, "-q", *words, cwd=project).stderr


def test_help_names_every_option(prefix: Prefix, project: Path) -> None:
    done = scoop(prefix, "--help", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, USAGE, "")


@pytest.mark.parametrize(
    ("words", "inner"),
    [
        ("100:200 echo x", "simple_shell 100:200 echo x"),
        ("5:1:-1 echo", "simple_shell 5:1:-1 echo"),
        ("10 echo", "simple_shell 10 echo"),
        ("--scoop-profile squares 3", "--profile squares 3"),
        ("--scoop-freeorigin squares 3", "squares 3"),
        ("--scoop-broker h --scoop-tunnel squares 3", "squares 3"),
    ],
)
def test_scoops_options_of_myscoop(prefix: Prefix, words: str, inner: str) -> None:
    done = prefix.myscoop(*words.split())
    assert started(done).inner == inner.split()
    assert ("MPI has no broker" in done.stderr) == ("broker" in words)


# On real ranks.

PROGRAM = """
import os, sys
import scoop
from scoop import futures

def look(_):
    import beside
    level = os.getpriority(os.PRIO_PROCESS, 0)
    return level, os.environ["FROM_PROLOG"], os.path.basename(os.getcwd()), beside.there

if __name__ == "__main__":
    print(set(futures.map(look, range(4))), sys.argv[1:], scoop.SIZE)
"""
WORDS = shlex.split("--nice 5 -p work --pythonpath lib --prolog prolog.sh prog.py -n 9")
SEEN = "{(5, 'set', 'work', True)} ['-n', '9'] 2\n"


@pytest.fixture
def whole(project: Path) -> Path:
    """A project with all that the options name."""
    (project / "work" / "prog.py").write_text(PROGRAM)
    (project / "lib").mkdir()
    (project / "lib" / "beside.py").write_text("there = True\n")
    (project / "prolog.sh").write_text("export FROM_PROLOG=set\n")
    return project


def test_options_reach_the_ranks(first_library: Library, whole: Path) -> None:
    answer = start(first_library, [sys.executable, "-m", "scoop", "-n", "2", *WORDS], cwd=whole)
    assert answer.stdout == SEEN, answer.stderr


def test_options_reach_the_ranks_of_the_users_own_mpirun(library: Library, whole: Path) -> None:
    answer = start_ranks(library, 3, ["-m", "scoop", "-n", "7", *WORDS], whole)
    assert answer.stdout == SEEN, answer.stderr
    assert answer.stderr.count("-n: nothing to do, mpirun has started the ranks") == 1


SCRIPT = """
from scoop import futures
def square(x):
    return x * x
class Kept:
    def __init__(self, x):
        self.x = x
print(sum(futures.map(square, range(10))), futures.submit(Kept, 7).result().x)
"""


def piped(
    library: Library, words: list[str], text: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, env=library.env, input=text, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("module", ["scoop", "scoopmpi"])
def test_a_program_from_stdin(first_library: Library, tmp_path: Path, module: str) -> None:
    for words in ([], ["-"]):
        command = [sys.executable, "-m", module, "-n", "2", *words]
        answer = piped(first_library, command, SCRIPT, tmp_path)
        assert (answer.returncode, answer.stdout) == (0, "285 7\n"), answer.stderr
    answer = piped(first_library, command, "raise SystemExit(5)", tmp_path)
    assert answer.returncode == 5


def test_stdin_passes_each_librarys_launcher(library: Library, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scoop", "-n", "2"]
    answer = piped(library, command, f"{SCRIPT}raise SystemExit(5)\n", tmp_path)
    assert (answer.returncode, answer.stdout) == (5, "285 7\n"), answer.stderr


def test_a_prompt_on_rank_0(library: Library, tmp_path: Path) -> None:
    """With stdin a pipe into mpirun itself, which nobody can tell from a terminal behind it."""
    command, env = mpirun(library, 3, ["-m", "scoop"])
    lines = [
        "from scoop import futures", "def f(x):", "    return x + 1", "",
        "list(futures.map(f, range(3)))", "def f(x):", "    return x * 10", "",
        "list(futures.map(f, range(3)))", "1 / 0", "exit(4)", "",
    ]  # fmt: skip
    answer = piped(Library(library.name, env), command, "\n".join(lines), tmp_path)
    assert answer.returncode == 4
    assert ">>> [1, 2, 3]\n" in answer.stdout and ">>> [0, 10, 20]\n" in answer.stdout
    assert "ZeroDivisionError" in answer.stderr
    assert "scoopmpi with 2 workers" in answer.stderr
