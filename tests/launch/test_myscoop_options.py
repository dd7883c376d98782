"""Each option of `myscoop` and `mympirun`: its effect on the launcher's words."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

import scoopmpi
from scoopmpi import mympirun, myscoop
from scoopmpi.launch.cli.request import requested
from scoopmpi.launch.commandline import composing
from scoopmpi.launch.commandline.launch import Launch
from scoopmpi.launch.flavours.ranks import LauncherOptions
from scoopmpi.launch.hosts.allocation import Allocation, Host
from tests.support.wrappers import JOBSCRIPTS, LIBRARY, Prefix, of_slots, prefix, started

__all__ = ["prefix"]
COMMANDS = {"myscoop": myscoop.main, "mympirun": mympirun.main}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MYMPIRUN_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        ("", "h1:5,h2:2"),
        ("-h 1", "h1:2,h2:1"),
        ("--hybrid=3", "h1:4,h2:3"),
        ("--threads 2", "h1:3,h2:1"),
        ("--threads 3", "h1:2"),
        ("-n 3", "h1:3,h2:1"),
        ("--universe 6", "h1:5,h2:2"),
        ("--multi 3", "h1:13,h2:6"),
        ("--double", "h1:9,h2:4"),
        ("--multi 2 --double", "h1:9,h2:4"),
        ("--double --universe 9", "h1:6,h2:4"),
        ("-h 2 --multi 2", "h1:5,h2:4"),
        ("-h 2 -n 3", "h1:3,h2:1"),
        ("--order sort", "h1:5,h2:2"),
        ("--order normal", "h1:5,h2:2"),
        ("--sched local -n 3", "localhost:4"),
        ("-S none -n 3", "localhost:4"),
        ("--schedtype=PBS", "h1:5,h2:2"),
        ("--setsched torque", "h1:5,h2:2"),
    ],
)
def test_workers(prefix: Prefix, tmp_path: Path, words: str, hosts: str) -> None:
    done = prefix.myscoop(*words.split(), "squares", **of_slots(tmp_path, 4, 2))
    assert started(done).options.startswith(f"--host {hosts} ")


def test_order(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, *[1] * 12)

    def hosts(how: str) -> list[str]:
        words = started(prefix.myscoop("--order", how, "squares", **job)).options.split()
        return [host.split(":")[0] for host in words[1].split(",")]

    assert hosts("sort") == hosts("normal") == [f"h{n}" for n in range(1, 13)]
    assert hosts("random_7") == hosts("random_7") != hosts("random_8")
    assert sorted(hosts("random")) == sorted(hosts("normal"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--multi 3 --double", "--multi 3 or --double: how many workers on each slot?"),
        ("--universe 7", "--universe 7 is more than the 6 slots of this pbs job"),
        ("-h 2 --universe 5", "more than the 4 workers that --hybrid 2 allows on 2 hosts"),
        ("-S local -h 2 -n 3", "more than the 2 workers that --hybrid 2 allows on 1 host"),
        ("-h 2 --threads 2", "--hybrid 2 or --threads 2: how many workers on each host?"),
        ("--threads 5", "--threads 5 is more than the 4 cores that the job has on any host"),
        ("--order backwards", "--order: backwards is none of normal, sort"),
        ("--order sort_3", "--order: sort_3 is none of"),
        ("--overridepin maybe", "'maybe' is not one of 'compact', 'packed'"),
        ("--hybrid 0", "'0' is no whole number from 1 on"),
        ("--multi x", "'x' is no whole number from 1 on"),
        ("--mpirunoptions '\"'", "cannot be split into words: No closing quotation"),
        ("--basepath /nowhere", "Directory '/nowhere' does not exist"),
        ("--output-check-timeout soon", "'soon' is no number of seconds"),
        ("--output-check-timeout nan", "'nan' is no number of seconds"),
        ("--output /nowhere/f", "--output: '/nowhere/f' cannot be written: No such file"),
        ("--logtofile /nowhere/f", "--logtofile: '/nowhere/f' cannot be written: No such file"),
        ("--setmpi lam", "--setmpi: 'lam' is none of"),
        ("--double=1", "does not take a value"),
        ("--hybird 3", "--hybrid"),
        ("--univers 3", "--universe"),
        ("--disable-hybrid", "No such option"),
    ],
)
def test_refused(prefix: Prefix, tmp_path: Path, words: str, said: str) -> None:
    done = prefix.myscoop(*shlex.split(words), "squares", **of_slots(tmp_path, 4, 2))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


def test_what_the_command_line_says_settles_a_contradiction(prefix: Prefix) -> None:
    for words, more, ranks in (
        (["--double"], {"MYMPIRUN_MULTI": "3"}, 5),
        (["--multi", "3"], {"MYMPIRUN_DOUBLE": "1"}, 7),
        (["--disable-double"], {"MYMPIRUN_DOUBLE": "1"}, 3),
    ):
        done = prefix.myscoop("-h", "2", "-S", "local", *words, "squares", **more)
        assert started(done).options.endswith(f" -n {ranks}")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--launcher oarsh", "--prtemca plm_ssh_agent oarsh "),
        ("--mpirunoptions '--display map --tag \"a b\"'", "--display map --tag a b "),
        ("--mpirunoptions --a --mpirunoptions '--b c'", "--a --b c "),
        ("-V MINE,OTHER_", "-x MINE -x MODULEPATH -x OTHER_ONE "),
        ("--variablesprefix MINE -V OTHER", "-x MINE -x MODULEPATH -x OTHER_ONE "),
        ("", "-x MODULEPATH "),
    ],
)
def test_words_for_the_launcher(prefix: Prefix, tmp_path: Path, words: str, found: str) -> None:
    job = of_slots(tmp_path, 1, 1, MINE="1", OTHER_ONE="2", MODULEPATH="/m", MY="3")
    told = started(prefix.myscoop(*shlex.split(words), "squares", **job)).options
    assert found in told
    assert "-x MY " not in told


@pytest.mark.parametrize("words", ["--debugmpi", "--branchcount 7"])
def test_what_only_the_flavour_can_say(prefix: Prefix, tmp_path: Path, words: str) -> None:
    job = of_slots(tmp_path, 1, 1)
    told = started(prefix.myscoop(*words.split(), "squares", **job)).options.split()
    plain = started(prefix.myscoop("squares", **job)).options.split()
    more = [word for word in told if word not in plain]
    assert more and ("7" in more) == ("7" in words)


def test_the_remote_shell_of_the_batch_system_unless_the_user_names_one() -> None:
    given = Allocation("oar", (Host("n1", 2), Host("n2", 2)), agent="oarsh")
    for agent, expected in ((None, "oarsh"), ("rsh", "rsh")):
        start = Launch(["p"], asked=LauncherOptions(agent=agent))
        assert composing.ranks_for(start, given, LIBRARY, {}).asked.agent == expected


def test_no_environment_modules(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, 1, MODULEPATH="/m", LOADEDMODULES="a")
    told = started(prefix.myscoop("--noenvmodules", "squares", **job)).options
    assert "MODULEPATH" not in told and "LOADEDMODULES" not in told


def test_no_names_are_no_prefix_of_everything(prefix: Prefix, tmp_path: Path) -> None:
    job = of_slots(tmp_path, 1, MINE="1")
    for names in ("", ",", " , "):
        assert "-x MINE" not in started(prefix.myscoop("-V", names, "squares", **job)).options


def test_a_directory_for_temporary_files(prefix: Prefix, tmp_path: Path) -> None:
    """For the launcher itself by its environment, for the ranks by its words."""
    (tmp_path / "two words").mkdir()
    words = ("--basepath", "two words", "-n", "1", "-D", str(tmp_path / "p.py"))
    (tmp_path / "p.py").write_text("")
    done = prefix.myscoop(*words, cwd=tmp_path)
    assert done.stdout.startswith(f"env 'TMPDIR={tmp_path}/two words' {prefix.path}/bin/mpirun ")
    assert f" -x 'TMPDIR={tmp_path}/two words' " in done.stdout
    assert started(prefix.myscoop(*words[:4], words[5], cwd=tmp_path)).env["TMPDIR"] == str(
        tmp_path / "two words"
    )


def test_output_goes_to_a_file(prefix: Prefix, tmp_path: Path) -> None:
    does = "os.write(1, b'out\\n'); os.write(2, b'err\\n'); sys.exit(7)"
    words = ("--output", str(tmp_path / "a b"), "squares")
    done = prefix.myscoop(*words, MPIRUN_DOES=does)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    assert (tmp_path / "a b").read_text() == "out\nerr\n"


def test_a_dry_run_touches_no_file(prefix: Prefix, tmp_path: Path) -> None:
    done = prefix.myscoop("-D", "--output", str(tmp_path / "f"), "squares")
    assert done.stdout.startswith(f"{prefix.path}/bin/mpirun ") and done.stdout.count("\n") == 1
    assert not (tmp_path / "f").exists()


def test_remarks_go_to_a_file(prefix: Prefix, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = prefix.myscoop("--logtofile", str(log), "--scoop-tunnel", "-d", "squares")
    assert (done.returncode, done.stderr) == (0, "")
    assert "myscoop: --scoop-tunnel: nothing to do" in log.read_text()
    assert f"myscoop: starts {prefix.path}/bin/mpirun" in log.read_text()
    done = prefix.myscoop("--logtofile", str(log), "cubes")
    assert done.returncode == 2
    assert "no module cubes" in done.stderr
    assert "tunnel" in log.read_text() and "no module cubes" in log.read_text()


@pytest.mark.parametrize(
    ("words", "inner", "said"),
    [
        ("-v", "-v", True),
        ("-d", "--debug", True),
        ("--quiet", "-q", False),
        ("--quiet --scoop-broker h", "-q", False),
    ],
)
def test_how_much_is_said(prefix: Prefix, words: str, inner: str, said: bool) -> None:
    done = prefix.myscoop(*words.split(), "squares")
    assert started(done).inner == [inner, "squares"]
    assert bool(done.stderr) == said


def test_hyperthreads_are_counted_where_managers_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(*words: str) -> str | None:
        with myscoop.main.make_context("myscoop", [*words, "p"]) as ctx:
            return requested(ctx).environment(os.environ).get("MYMPIRUN_HYPERTHREADS")

    assert (seen(), seen("--hyperthreads")) == (None, "1")
    monkeypatch.setenv("MYMPIRUN_HYPERTHREADS", "yes")
    assert (seen(), seen("--disable-hyperthreads")) == ("1", None)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_old_scripts_have_is_accepted_silently(prefix: Prefix, command: str) -> None:
    old = """
        --ssh --mpdbootverbose --impi-mpdbulletproof --impi-fallback --impi-daplud --impi-xrc
        --sockets-per-node 2 --stats 3 --debuglvl 50 --rdma --libfabric --socket --use_psm
        --qlogic_ipath --info --configfiles /nowhere --disable-rdma
    """
    run = getattr(prefix, command)
    done = run(*old.split(), "-D", "squares.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("-D", "squares.py").stdout
    shown = run("--help").stdout
    assert not [word for word in old.split() if word[:2] == "--" and word[2:] in shown.split()]


@pytest.mark.parametrize("command", [*COMMANDS, "scoop"])
def test_the_version(prefix: Prefix, command: str) -> None:
    done = prefix.run(prefix.command(command), "--version", cwd=JOBSCRIPTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"of scoopmpi {scoopmpi.__version__}\n")


@pytest.mark.parametrize("command", [*COMMANDS, "scoop"])
def test_help_fits_100_columns(prefix: Prefix, command: str) -> None:
    done = prefix.run(prefix.command(command), "--help", cwd=JOBSCRIPTS, COLUMNS="250")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
