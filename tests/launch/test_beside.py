"""A launcher as a child: nothing of it may look or end in another way than without us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.libraries import ROOT
from tests.support.wrappers import Prefix, prefix

__all__ = ["prefix"]
pytestmark = [pytest.mark.ranks, pytest.mark.timeout(60)]

DRIVER = """
import os, sys
from scoopmpi.launch.beside import child, ending, watch
ending.GRACE = 0.2
seconds, fatal, program = float(sys.argv[1]), sys.argv[2] == "fatal", sys.argv[3]
tell = lambda text: print(text, file=sys.stderr, flush=True)
silence = watch.Silence(seconds, fatal) if seconds else None
status = child.run([sys.executable, "-c", program], os.environ, watch.Watch(tell, silence))
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    sys.exit(status)
sys.exit("a child is left behind")
"""
LONG = "60"


@contextmanager
def watched(
    program: str, seconds: str = LONG, fatal: str = "", **more: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs a Python program as a launcher; it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, seconds, fatal, program],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        start_new_session=True,
    )  # type: ignore[call-overload]
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate(timeout=10)


def result(program: str, seconds: str = LONG, fatal: str = "") -> tuple[int, bytes, bytes]:
    with watched(program, seconds, fatal) as process:
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err


@pytest.mark.parametrize("seconds", [LONG, "0"])
def test_the_exit_status_is_the_launchers(seconds: str) -> None:
    assert result("raise SystemExit(7)", seconds) == (7, b"", b"")
    assert result("import os; os.kill(os.getpid(), 9)", seconds)[0] == 128 + 9


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells the launcher")
@pytest.mark.parametrize("seconds", [LONG, "0"])
def test_the_launcher_ends_when_its_wrapper_is_killed(seconds: str) -> None:
    """As if it stood in its place: nobody else knows the job."""
    with watched("import os, time; print(os.getpid(), flush=True); time.sleep(60)", seconds) as job:
        launcher = int(job.stdout.readline()) if job.stdout else 0
        job.kill()
        deadline = time.monotonic() + 10
        while os.path.exists(f"/proc/{launcher}/exe"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_output_passes_unchanged() -> None:
    """Megabytes of any bytes on both streams, the last ones without a line's end."""
    program = (
        "import os, threading\n"
        "def write(fd, data):\n"
        "    while data: data = data[os.write(fd, data):]\n"
        "each = threading.Thread(target=write, args=(2, b'\\xff\\0\\r' * 700000 + b'end'))\n"
        "each.start(); write(1, bytes(range(256)) * 8000); each.join()\n"
    )
    status, out, err = result(program)
    assert status == 0
    assert out == bytes(range(256)) * 8000
    assert err == b"\xff\0\r" * 700000 + b"end"


def test_output_passes_at_once_and_stdin_is_the_launchers() -> None:
    program = "import os; os.write(1, b'name? '); os.write(1, b'hello ' + os.read(0, 99))"
    with watched(program) as process:
        assert process.stdin and process.stdout
        assert os.read(process.stdout.fileno(), 99) == b"name? "
        process.stdin.write(b"you")
        process.stdin.flush()
        assert os.read(process.stdout.fileno(), 99) == b"hello you"


def test_the_order_of_both_streams_is_kept_where_they_are_one() -> None:
    program = "import os\nfor n in range(2000): os.write(1 + n % 2, b'%d ' % n)"
    with watched(program, stderr=subprocess.STDOUT) as process:
        out, _ = process.communicate(timeout=30)
    assert out == b"".join(b"%d " % n for n in range(2000))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"])
@pytest.mark.parametrize("seconds", [LONG, "0"])
def test_signals_reach_the_launcher(name: str, seconds: str) -> None:
    program = (
        "import os, signal, sys, time\n"
        f"signal.signal(signal.{name}, lambda *_: sys.exit(33))\n"
        "os.write(1, b'ready')\n"
        "while True: time.sleep(.05)\n"  # not pause(): a signal just before it would be missed
    )
    with watched(program, seconds) as process:
        assert process.stdout
        assert os.read(process.stdout.fileno(), 5) == b"ready"
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=20) == 33


def test_ignored_signals_stay_ignored() -> None:
    """As after nohup, or in the background of a script."""
    program = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert result(program) == (0, b"True\n", b"")
    finally:
        signal.signal(signal.SIGHUP, before)


def test_silence_is_told_once_and_the_job_goes_on() -> None:
    program = "import os; os.read(0, 1); print('late'); raise SystemExit(3)"
    with watched(program, "0.1") as process:
        assert process.stderr and process.stdin
        assert process.stderr.readline() == b"nothing was printed for 0.1 s; the job goes on\n"
        out, err = process.communicate(b"x", timeout=20)
    assert (process.returncode, out, err) == (3, b"late\n", b"")


@pytest.mark.parametrize("stream", [1, 2])
def test_who_has_printed_once_may_be_silent(stream: int) -> None:
    program = f"import os, select; os.write({stream}, b'.'); select.select([], [], [], 0.6)"
    status, out, err = result(program, "0.3", "fatal")
    assert (status, out + err) == (0, b".")


def test_a_silent_job_is_ended() -> None:
    program = (
        "import signal, sys, os\n"
        "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye'), sys.exit(0)))\n"
        "while True: signal.pause()\n"
    )
    status, out, err = result(program, "1", "fatal")
    assert (status, out) == (124, b"bye")
    assert err == b"nothing was printed for 1 s; the job is ended (--output-check-fatal)\n"


def test_a_silent_job_that_will_not_end_is_killed() -> None:
    program = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile 1: signal.pause()"
    )
    assert result(program, "1", "fatal")[0] == 124


def test_who_closes_the_output_may_live_on_and_is_silent_all_the_same() -> None:
    program = "import os; os.close(1); os.close(2); os.read(0, 1); os._exit(5)"
    with watched(program, "0.1") as process:
        assert process.stdin and process.stderr
        assert b"nothing was printed" in process.stderr.readline()
        process.communicate(b"x", timeout=20)
        assert process.returncode == 5


def test_who_is_left_behind_with_the_output_does_not_hold_up_the_end() -> None:
    program = "import os, signal\nif os.fork() == 0: signal.pause()\nos.write(1, b'x'); os._exit(4)"
    with watched(program) as process:
        assert process.stdout
        assert process.wait(timeout=20) == 4
        assert os.read(process.stdout.fileno(), 9) == b"x"


def test_where_nobody_reads_the_launcher_learns_it() -> None:
    program = (
        "import os, signal\nsignal.signal(13, signal.SIG_DFL)\nwhile 1: os.write(1, b'x' * 999)"
    )
    read, write = os.pipe()
    os.close(read)
    with watched(program, stdout=write) as process:
        os.close(write)
        assert process.wait(timeout=20) == 128 + signal.SIGPIPE


def test_a_slow_reader_that_does_not_block_gets_all() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    seen = bytearray()

    def collect() -> None:
        while data := os.read(read, 1000):
            seen.extend(data)

    with watched("print('x' * 10**6)", stdout=write) as process:
        os.close(write)
        thread = threading.Thread(target=collect)
        thread.start()
        assert process.wait(timeout=20) == 0
        thread.join(20)
    os.close(read)
    assert len(seen) == 10**6 + 1


def test_a_reader_who_has_stopped_is_waited_for_until_a_signal_comes() -> None:
    """The launcher has ended, and 40 kB of what it printed have found no room."""
    program = "import os; os.write(1, b'x' * 40_000); os.write(2, b'%d\\n' % os.getpid())"
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while os.write(write, b"." * 4096):
            pass
    os.set_blocking(write, True)
    with watched(program, stdout=write) as process:
        assert process.stderr is not None
        launcher = int(process.stderr.readline())
        deadline = time.monotonic() + 20
        while os.path.exists(f"/proc/{launcher}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    os.close(read)
    os.close(write)


# Through the command.

SLEEPER = "import signal; signal.pause()"


@pytest.mark.parametrize("command", ["myscoop", "mympirun"])
def test_a_silent_job_of_the_command(prefix: Prefix, tmp_path: Path, command: str) -> None:
    words = ["--output-check-timeout", "0.2", "--output-check-fatal", "squares.py"]
    done = getattr(prefix, command)(*words, MPIRUN_DOES=SLEEPER)
    assert (done.returncode, done.stdout) == (124, "")
    assert done.stderr.startswith(f"{command}: nothing was printed for 0.2 s; the job is ended")


def test_with_a_file_for_the_output_the_warning_stays_on_stderr(
    prefix: Prefix, tmp_path: Path
) -> None:
    does = (
        "import select; select.select([], [], [], 1.5)\n"
        "os.write(1, b'out\\n'); os.write(2, b'err\\n'); sys.exit(9)"
    )
    words = ["--output", str(tmp_path / "f"), "--output-check-timeout", "0.2", "squares.py"]
    done = prefix.myscoop(*words, MPIRUN_DOES=does)
    assert (done.returncode, done.stdout) == (9, "")
    assert done.stderr == "myscoop: nothing was printed for 0.2 s; the job goes on\n"
    assert (tmp_path / "f").read_text() == "out\nerr\n"


@pytest.mark.parametrize("seconds", ["-1", "0", "inf", "1000"])
def test_output_is_the_same_with_and_without_a_limit(prefix: Prefix, seconds: str) -> None:
    does = "os.write(1, b'out\\n'); os.write(2, b'err\\n'); sys.exit(9)"
    done = prefix.myscoop("--output-check-timeout", seconds, "squares", MPIRUN_DOES=does)
    assert (done.returncode, done.stdout, done.stderr) == (9, "out\n", "err\n")


def test_for_foreign_programs_the_command_becomes_the_launcher(prefix: Prefix) -> None:
    """Where nothing has to be seen of it, and the launcher tells the end of stdin by itself."""
    with subprocess.Popen(
        [prefix.command("mympirun"), "squares.py"],
        env=prefix.env
        | {"MPIRUN_DOES": "print(os.getpid())", "LIBRARY": "Open MPI v4.1.4", "V": "4.1.4"},
        cwd=ROOT / "jobscripts", stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        out, _ = process.communicate(timeout=30)
    assert int(out) == process.pid
