"""Items as their worker runs them: what they find, what they write, how they end."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from scoopmpi.programs.simple_shell import Line
from scoopmpi.sweep.command.command import Call
from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.running import group, written
from scoopmpi.sweep.running.plan import Plan
from scoopmpi.sweep.running.runner import Runner
from scoopmpi.wire import failure

pytestmark = pytest.mark.timeout(60)


class Given:
    """A command whose words, and script, are the same for all items."""

    def __init__(self, *words: str, script: bytes | None = None) -> None:
        self.name, self.script = words[0], script
        self.words: Sequence[str] = words

    def digest(self) -> bytes:
        return repr((self.words, self.script)).encode()

    def call(self, variables: Mapping[str, str]) -> Call:
        return Call(list(self.words), self.script)


def run(
    command: Given | Line | str, values: Mapping[str, str] | None = None, **how: object
) -> Ended:
    values = values or {}
    if isinstance(command, str):
        command = Line(command)
    plan = Plan(command, tuple(values))._replace(**how)
    return Runner(plan)(Item(7, tuple(values.values()), b"digest"))


def gone(pid: int, within: float = 10) -> bool:
    """Whether a process ends in this time, or has."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


# What an item finds.


def test_an_item_finds_its_values_byte_for_byte() -> None:
    value = b"\xff $(date) `x` 'a' \"b\" \\ * \n;".decode(errors="surrogateescape")
    ended = run('printf %s "$value"', {"value": value})
    assert ended.out == value.encode(errors="surrogateescape")


def test_an_item_finds_who_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    names = "SCOOP_COUNTER WORKER_RANK WORKER_SIZE WORKER_NUM_THREADS MINE"
    ended = run(
        f"for name in {names}; do eval echo \\$$name; done",
        workers=12, variables=(("MINE", "all"),),
    )  # fmt: skip
    assert ended.out.split() == [b"7", b"0", b"12", b"3", b"all"]


def test_an_item_of_an_array_finds_its_number_by_every_name() -> None:
    names = "PBS_ARRAYID PBS_ARRAY_INDEX SLURM_ARRAY_TASK_ID SGE_TASK_ID LSB_JOBINDEX"
    ended = run(" ".join(["echo", *(f"${name}" for name in names.split())]), {"PBS_ARRAYID": "40"})
    assert ended.out == b"40 40 40 40 40\n"


def test_an_item_that_is_an_mpi_program_is_none_of_our_ranks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PMIX_RANK", "PMI_FD", "OMPI_COMM_WORLD_RANK", "OMPI_MCA_btl", "PMISC"):
        monkeypatch.setenv(name, "1")
    found = [line.partition(b"=")[0] for line in run("env").out.splitlines()]
    assert {b"OMPI_MCA_btl", b"PMISC"} <= set(found)
    assert not {b"PMIX_RANK", b"PMI_FD", b"OMPI_COMM_WORLD_RANK"} & set(found)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_item_inherits_no_files_no_session_and_no_signals() -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)  # as an MPI library's may be
    try:
        ended = run("cat; ls /proc/$$/fd; cut -d' ' -f 5,6 /proc/$$/stat; echo $$; umask")
        signals = run(Given("grep", "Sig[BI]", "/proc/self/status"))
    finally:
        os.close(read), os.close(write)
    *descriptors, group_session, pid, umask = ended.out.decode().splitlines()
    assert set(descriptors) <= {"0", "1", "2", "10", "255"}, "the shell's own"
    assert group_session == f"{pid} {pid}"
    mine = os.umask(0o22)
    os.umask(mine)
    assert int(umask, 8) == mine
    blocked, ignored = (int(line.split()[1], 16) for line in signals.out.splitlines())
    assert not blocked
    assert not ignored & 0x7FFF_FFFF, "beyond are the C library's own"


# What an item writes.


def test_output_and_errors_are_told_apart() -> None:
    ended = run("echo one; echo two >&2; echo three")
    assert (ended.out, ended.err) == (b"one\nthree\n", b"two\n")


def test_merged_they_keep_their_order() -> None:
    ended = run("echo one; echo two >&2; echo three", merged=True)
    assert (ended.out, ended.err) == (b"one\ntwo\nthree\n", b"")


def test_a_large_output_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "PIECE", 1 << 16)
    assert run("head -c 5000001 /dev/zero").out == bytes(5000001)


def test_output_arrives_where_there_are_no_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    ended = run("echo one; echo two >&2; echo three")
    assert (ended.out, ended.err) == (b"one\nthree\n", b"two\n")


def test_output_in_files_of_its_own(tmp_path: Path) -> None:
    for text in ("first attempt", "x"):
        ended = run(f"echo {text}; echo failed >&2", output_dir=str(tmp_path))
        assert (ended.status, ended.out, ended.err) == (0, b"", b"")
        found = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert found == {"0007.out": f"{text}\n", "0007.err": "failed\n"}


def test_files_for_output_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    ended = run("true", output_dir=f"{tmp_path}/file")
    assert (ended.status, ended.well) == (126, False)
    assert ended.why == f"no file for its output can be made in '{tmp_path}/file': Not a directory"
    monkeypatch.setattr(tempfile, "tempdir", f"{tmp_path}/file")
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert "no file for its output can be made" in run("true").why


def test_what_is_left_in_the_background_is_neither_waited_for_nor_ended() -> None:
    begun = time.monotonic()
    ended = run("sleep 30 & echo $!")
    assert time.monotonic() - begun < 10
    os.kill(int(ended.out), signal.SIGKILL)  # raises where it has ended


# How an item ends.


@pytest.mark.parametrize(
    ("command", "status"),
    [("true", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", -9), ("kill -40 $$", -40)],
)
def test_the_status_of_an_item(command: str, status: int) -> None:
    ended = run(command)
    assert (ended.number, ended.digest, ended.status, ended.why) == (7, b"digest", status, "")
    assert ended.well == (not status)


def test_when_an_item_ran() -> None:
    before = time.time()
    ended = run("sleep 0.2")
    assert before <= ended.started <= time.time()
    assert 0.2 <= ended.seconds < 20


# A command that cannot be started.


def test_a_program_that_is_not_there() -> None:
    ended = run(Given("no_such_program", "x"))
    assert ended.status == 127
    assert ended.why == "'no_such_program' is not found: it is in no directory of PATH"
    assert run(Given("./no_such_program")).why == "'./no_such_program' is not found: no such file"


def test_a_program_that_may_not_be_executed(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("1,2\n")
    ended = run(Given(str(path)))
    said = f"{str(path)!r} may not be executed: chmod +x makes it a program"
    assert (ended.status, ended.why) == (126, said)
    assert "is a directory, no program" in run(Given(str(tmp_path))).why


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_script_without_an_interpreter_is_read_by_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path / "plain-script", 'echo "$# $1"\n')
    assert run(Given(path, "a b")).out == b"1 a b\n"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run(Given("plain-script", "a b")).out == b"1 a b\n"


def test_a_script_whose_interpreter_is_missing(tmp_path: Path) -> None:
    ended = run(Given(script(tmp_path / "x", "#!/no/such/interpreter\n")))
    assert ended.status == 126
    assert "the interpreter in its first line is not there" in ended.why


@pytest.mark.parametrize(
    ("word", "said"),
    [("x" * (1 << 18), "longer than this system takes"), ("a\0b", "embedded null byte")],
)
def test_words_that_cannot_be_passed(word: str, said: str) -> None:
    ended = run(Given("/bin/true", word))
    assert (ended.status, ended.well) == (126, False)
    assert said in ended.why


# Scripts.


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_script_is_a_file_of_its_interpreter(
    in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    text = b'echo "$value from $0"; ls /proc/$$/fd | wc -l\n'
    runner = Runner(Plan(Given("/bin/bash", "-e", script=text), ("value",)))
    names = set()
    for value in "abc":
        ended = runner(Item(1, (value,)))
        first, said, name = ended.out.split()[:3]
        assert (first.decode(), said, ended.status) == (value, b"from", 0), ended.err
        names.add(name)
    assert len(names) == 1


def test_another_script_is_another_file(tmp_path: Path) -> None:
    class Numbered(Given):
        def call(self, variables: Mapping[str, str]) -> Call:
            return Call(["/bin/sh"], f"echo {variables['SCOOP_COUNTER']} {'x' * 9}\n".encode())

    runner = Runner(Plan(Numbered("sh")))
    assert [runner(Item(n, ())).out.split()[0] for n in (100, 1, 20)] == [b"100", b"1", b"20"]


# Limits.


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "ITEM_GRACE_SECONDS", 0.5)


@pytest.mark.parametrize("pidfd", [True, False])
def test_an_item_that_takes_too_long_is_asked_to_end(
    pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    begun = time.monotonic()
    ended = run("trap 'echo saved; exit 0' TERM; echo begun; sleep 30 & wait", timeout=0.3)
    assert (ended.status, ended.why, ended.well) == (0, "time", False)
    assert ended.out == b"begun\nsaved\n"
    assert time.monotonic() - begun < 10


def test_one_that_does_not_is_killed_with_all_that_it_has_started(soon: None) -> None:
    ended = run("trap '' TERM; sleep 30 & echo $!; sleep 30; sleep 30", timeout=0.3)
    assert (ended.status, ended.why) == (-signal.SIGKILL, "time")
    assert gone(int(ended.out))


def test_children_of_one_that_ends_in_time_get_their_time(soon: None) -> None:
    child = "trap 'sleep 0.1; echo child' TERM; sleep 30 & wait"
    ended = run(f"({child}) & sleep 0.1; exec sleep 30", timeout=0.4)
    assert (ended.status, ended.out) == (-signal.SIGTERM, b"child\n")


def test_one_that_is_stopped_ends_too() -> None:
    begun = time.monotonic()
    ended = run("kill -STOP $$", timeout=0.3)
    assert (ended.status, ended.why) == (-signal.SIGTERM, "time")
    assert time.monotonic() - begun < 4


def test_an_item_within_its_limit_is_not_touched() -> None:
    ended = run("exit 4", timeout=30, ends=time.time() + 1e9)
    assert (ended.status, ended.why) == (4, "")
    assert run("exit 5", timeout=1e30).status == 5


def test_an_item_is_told_before_the_job_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoopmpi.sweep.running.runner.ITEM_GRACE_SECONDS", 4.0)
    ended = run("trap 'echo told; exit 1' TERM; sleep 30 & wait", timeout=9, ends=time.time() + 4.6)
    assert (ended.out, ended.why) == (b"told\n", "job")
    assert ended.seconds < 4.5


def test_no_item_starts_when_it_would_be_told_at_once(tmp_path: Path) -> None:
    ended = run(f"touch {tmp_path}/started", ends=time.time() + 0.5)
    assert (ended.why, ended.well) == ("job", False)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_worker_ends_its_item(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(f"echo $$ > {tmp_path}/pid; sleep 30")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert gone(int((tmp_path / "pid").read_text()))


# The function as the farm has it.


def test_it_is_called_like_the_command() -> None:
    runner = Runner(Plan(Given("./bin/simulate", "-t", "3")))
    for one in (runner, pickle.loads(pickle.dumps(runner))):
        assert failure.describe(one) == "simulate"
    assert Runner.failed_value(run("exit 1"))
    assert not Runner.failed_value(run("true"))


@pytest.mark.parametrize("make", [lambda: Runner(Plan(Line("echo $SCOOP_COUNTER")))])
def test_it_keeps_nothing_of_a_worker_when_it_travels(make: Callable[[], Runner]) -> None:
    used, fresh = make(), make()
    used(Item(1, ()))
    assert pickle.dumps(used) == pickle.dumps(fresh)
