"""A shell command for each counter: `myscoop simple_shell [[START:]STOP[:STEP]] COMMAND…`.

    myscoop simple_shell 100:200 ./weather -t '$SCOOP_COUNTER'

What the commands print comes out in the order of the counters, byte for byte. Quote a `$` that
belongs to the command: the words reach the worker's shell, /bin/sh, joined by blanks, as with ssh.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache, partial
from typing import BinaryIO, NamedTuple

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.process.launcher_variables import without_place
from scoopmpi.program import ready_programs

PIECE = 1 << 24
"""Read at once: one read takes less than 2 GiB."""


class Ended(NamedTuple):
    """How a command ended: its exit status, negative for a signal, and what it has printed."""

    counter: int
    status: int
    output: bytes


def run(command: str, counter: int) -> Ended:
    """Run the command for one counter; its output goes to a file.

    A pipe would make a command that leaves something in the background last as long as that.
    """
    env = environment(counter, os.environ)
    with tempfile.TemporaryFile() as file:
        with subprocess.Popen(
            ["/bin/sh", "-c", command], start_new_session=True,
            env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            _tell_warden(str(process.pid))
            status = process.wait()
        _tell_warden("")
        return Ended(counter, status, _content(file))


def failed(ended: Ended) -> bool:
    """True where a command failed: a checkpoint has it run again then."""
    return ended.status != 0


run.failed_value = failed  # type: ignore[attr-defined]


@cache
def _warden() -> subprocess.Popen[bytes]:
    """Return a process that kills the command that runs when this process dies.

    It knows that by the end of its input.
    Neither all launchers do, nor the kernel: it would kill the shell and leave its children.
    """
    words = [
        "/bin/sh",
        "-c",
        'while read group; do last=$group; done; [ "$last" ] && kill -9 "-$last"',
    ]
    return subprocess.Popen(
        words, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0,
    )  # fmt: skip


def _tell_warden(group: str) -> None:
    pipe = _warden().stdin
    try:
        if pipe is not None:
            pipe.write(f"{group}\n".encode())
    except OSError:
        pass  # somebody has killed it; the commands are more important


def environment(counter: int, env: Mapping[str, str]) -> dict[str, str]:
    """Return what a command sees: the worker's environment, the counter, and who runs it."""
    origin = identity.this.rank == 0  # only where the program runs without a farm
    return {
        **without_place(env),
        "SCOOP_COUNTER": str(counter),
        "SCOOP_WORKER_NAME": f"{socket.gethostname()}:{identity.this.rank}",
        "SCOOP_WORKER_ORIGIN": str(origin),
        "SCOOP_WORKER_FREEORIGIN": str(not origin),
    }


def _content(file: BinaryIO) -> bytes:
    """Return all of a file, leaving its position to those who may still be writing."""
    content = bytearray()
    while part := os.pread(file.fileno(), PIECE, len(content)):
        content += part
    return bytes(content)


def problem(ended: Ended) -> str | None:
    """Return what to say of a command that failed; None for one that did not."""
    if ended.status == 0:
        return None
    # A shell that waits for a killed command reports the signal as 128 + its number.
    number = -ended.status if ended.status < 0 else ended.status - 128
    cause = f"exit status {ended.status}" if ended.status > 0 else "the shell"
    if number in set(signal.Signals):
        killed = f"was killed by {signal.Signals(number).name}"
        cause = f"{cause}: it {killed}" if ended.status > 0 else f"the shell {killed}"
    elif ended.status < 0:
        cause = f"the shell was killed by signal {number}"
    return f"simple_shell: counter {ended.counter}: {cause}"


def show(ended: Ended) -> None:
    """Print what a command printed, with an end to its last line, and how it failed."""
    out = sys.stdout.buffer
    out.write(ended.output)
    if ended.output and not ended.output.endswith(b"\n"):
        out.write(b"\n")
    out.flush()
    said = problem(ended)
    if said is not None:
        print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Run the command for all counters; the exit status is 1 where one of them failed."""
    wanted, command = ready_programs.counters(ready_programs.checked("simple_shell"))
    failures = 0
    for ended in futures.map(partial(run, command), wanted):
        show(ended)
        failures += failed(ended)
    if failures:
        sys.exit(f"simple_shell: {failures} of {len(wanted)} commands failed")


if __name__ == "__main__":
    main()
