"""`mympirun`: any MPI program with the placement of `myscoop`, but no rank besides."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import composing
from scoopmpi.launch.commandline.launch import Launch
from scoopmpi.launch.hosts.allocation import Allocation, Host
from scoopmpi.launch.hosts.placement import Binding
from tests.support.wrappers import LIBRARY, THREADS, Prefix, asked, of_slots, prefix

__all__ = ["prefix"]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with programs of all kinds."""
    made = tmp_path / "here"
    (made / "sub").mkdir(parents=True)
    for name in (
        "hello.py",
        "run.py",
        "tool",
        "data",
        "-x.py",
        "-y",
        "two words.py",
        "a;b $(c).py",
    ):
        (made / name).write_text("#!/bin/sh\n")
    for name in ("run.py", "tool", "-y"):
        (made / name).chmod(0o755)
    return made


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["hello.py", "-n", "3"], [sys.executable, "hello.py", "-n", "3"]),
        (["./hello.py"], [sys.executable, "./hello.py"]),
        (["run.py"], ["./run.py"]),
        (["tool", "--hybrid", "4"], ["./tool", "--hybrid", "4"]),
        (["./tool", "--", "-D"], ["./tool", "--", "-D"]),
        (["mpirun"], ["mpirun"]),
        (["--", "-x.py", "a b"], [sys.executable, "./-x.py", "a b"]),
        (["--", "-y"], ["./-y"]),
        (["two words.py", "\n"], [sys.executable, "two words.py", "\n"]),
        (["a;b $(c).py", "'", '"'], [sys.executable, "a;b $(c).py", "'", '"']),
    ],
)
def test_the_programs_words(
    prefix: Prefix, here: Path, words: list[str], program: list[str]
) -> None:
    done = prefix.mympirun("-S", "local", "--universe", "2", *words, cwd=here)
    told = asked(done, program)
    assert told.inner == []
    assert told.options.endswith(" -n 2")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gone", "mympirun: there is no program gone: looked in "),
        ("sub/gone", "there is no program sub/gone: looked in "),
        ("gone.py", "there is no program gone.py"),
        ("data", "data is not executable; if it is a program: chmod +x ./data"),
        ("sub", "sub is a directory, not a program"),
    ],
)
def test_no_such_program(prefix: Prefix, here: Path, word: str, said: str) -> None:
    done = prefix.mympirun(word, cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_no_program_at_all(prefix: Prefix, here: Path) -> None:
    done = prefix.mympirun(cwd=here)
    assert done.returncode == 2
    assert "which program? For example: mympirun ./simulate" in done.stderr


@pytest.mark.parametrize(
    ("words", "hosts", "threads"),
    [
        ("", "h1:4,h2:4", "1"),
        ("-h 2", "h1:2,h2:2", "2"),
        ("--universe 3", "h1:2,h2:1", "2"),
        ("--double", "h1:8,h2:8", "1"),
    ],
)
def test_ranks(prefix: Prefix, tmp_path: Path, words: str, hosts: str, threads: str) -> None:
    done = prefix.mympirun(*words.split(), "squares.py", **of_slots(tmp_path, 4, 4))
    told = asked(done, [sys.executable, "squares.py"])
    assert told.options.startswith(f"--host {hosts} ")
    assert [told.env[name] for name in THREADS] == [threads] * 3
    assert not [name for name in told.env if name.startswith("SCOOPMPI_")]


@pytest.mark.parametrize(
    ("pin", "slots", "pinning"),
    [("compact", 2, "compact"), ("spread", 4, "spread"), (None, 2, None), ("compact", 5, None)],
)
def test_the_library_pins_unless_ranks_outnumber_cores(
    pin: str | None, slots: int, pinning: str | None
) -> None:
    allocation = Allocation("slurm", (Host("n1", slots, 4), Host("n2", 1, 4)))
    start = Launch(["./a.out"], None, binding=Binding(pin))
    ranks = composing.ranks_for(start, allocation, LIBRARY, {})
    assert (ranks.pinning, ranks.threads) == (pinning, 4 // min(slots, 4))
    assert (
        composing.ranks_for(Launch(["p"], binding=Binding(pin)), allocation, LIBRARY, {}).pinning
        is None
    )


@pytest.mark.parametrize(
    "words", [["-np", "7"], ["-machinefile", "/nowhere"], ["-np", "7", "-machinefile", "f"]]
)
def test_what_programs_say_that_start_mpirun_themselves(
    prefix: Prefix, here: Path, words: list[str]
) -> None:
    """Left out with a remark, as the batch system knows better; in the program's words it stays."""
    done = prefix.mympirun(*words, "-D", "./tool", *words, cwd=here)
    without = prefix.mympirun("-D", "./tool", *words, cwd=here)
    assert (done.returncode, done.stdout) == (0, without.stdout)
    assert done.stderr.count("is left out") == len(words) // 2
    assert prefix.mympirun("--quiet", *words, "-D", "./tool", cwd=here).stderr == ""


def test_the_launcher_on_path_where_mpi4py_has_no_library_or_another_is_wanted(
    prefix: Prefix, here: Path, tmp_path: Path
) -> None:
    """A program that is not Python may have been built with whatever the loaded module brings."""
    front = tmp_path / "front"
    front.mkdir()
    other = front / "mpirun"
    other.write_text("#!/bin/sh\necho 'HYDRA build details: 4.3.0'\n")
    other.chmod(0o755)
    prefix.env["PATH"] = f"{front}:/bin:/usr/bin"
    done = prefix.mympirun("-D", "./tool", cwd=here)
    assert done.stdout.startswith(f"{prefix.path}/bin/mpirun ")
    done = prefix.mympirun("--setmpi", "mpich", "-D", "./tool", cwd=here)
    assert done.stdout.startswith(f"{other} "), done.stderr
    done = prefix.myscoop("--setmpi", "mpich", "-D", "picalc", cwd=here)
    assert done.returncode == 2 and "mpi4py has loaded Open MPI" in done.stderr

    del prefix.env["LIBRARY"]
    nowhere = {"MPI4PY_LIBMPI": "/nowhere/libmpi.so"}
    done = prefix.mympirun("-D", "./tool", cwd=here, **nowhere)
    assert done.stdout.startswith(f"{other} "), done.stderr
    other.write_text("#!/bin/sh\necho 'a stranger 1.0'\n")
    done = prefix.mympirun("-D", "./tool", cwd=here, **nowhere)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{other} belongs to a stranger 1.0" in done.stderr


def test_a_link_called_mpirun_does_not_start_itself(prefix: Prefix, here: Path) -> None:
    """Programs that start `mpirun` themselves find ours in front of the real one."""
    front = here / "front"
    front.mkdir()
    (front / "mpirun").symlink_to(prefix.command("mympirun"))
    real = prefix.path / "bin" / "mpirun"
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    real.rename(elsewhere / "mpirun")
    path = f"{front}:{elsewhere}:/bin:/usr/bin"
    words = ["mpirun", "-np", "9", "--quiet", "./tool"]
    done = prefix.run("/bin/sh", "-c", " ".join(words), cwd=here, PATH=path, MYMPIRUN_HYBRID="3")
    assert asked(done, ["./tool"]).options.endswith(" -n 3")
    assert done.stderr == ""


def test_options_of_the_farm_are_none_of_its(prefix: Prefix, here: Path) -> None:
    for words in (["--scoop-module=x"], ["--scoop-profile"], ["-n", "3"]):
        done = prefix.mympirun(*words, "./tool", cwd=here)
        assert (done.returncode, done.stdout) == (2, "")
        assert "No such option" in done.stderr
    assert prefix.mympirun("--all-gpus", "-D", "./tool", cwd=here).returncode == 0


def test_a_hand_written_variable_of_the_farm_does_not_get_through(
    prefix: Prefix, tmp_path: Path
) -> None:
    job = of_slots(tmp_path, 1, SCOOPMPI_PIN="spread", SCOOPMPI_RANKS="9")
    told = asked(prefix.mympirun("squares.py", **job), [sys.executable, "squares.py"])
    assert not [name for name in told.env if name.startswith("SCOOPMPI_")]
    assert "SCOOPMPI" not in told.options


def test_exit_status_and_output_are_the_programs(prefix: Prefix) -> None:
    does = "os.write(1, b'out'); os.write(2, b'err'); sys.exit(5)"
    done = prefix.mympirun("squares.py", MPIRUN_DOES=does)
    assert (done.returncode, done.stdout, done.stderr) == (5, "out", "err")
