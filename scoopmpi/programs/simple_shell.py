"""A shell command for each counter: `myscoop simple_shell [[START:]STOP[:STEP]] COMMAND…`.

    myscoop simple_shell 100:200 ./weather -t '$SCOOP_COUNTER'

A sweep over a range, whose items are lines for a shell. What they print comes out in the order of
the counters, byte for byte. Quote a `$` that belongs to the command: the words reach the worker's
shell, /bin/sh, joined by blanks, as with ssh.
"""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Mapping
from hashlib import blake2b

from scoopmpi import futures
from scoopmpi.process import identity
from scoopmpi.program import ready_programs
from scoopmpi.sweep.command.command import Call
from scoopmpi.sweep.items.ended import TIME, Ended
from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.running.group import SHELL
from scoopmpi.sweep.running.plan import Plan
from scoopmpi.sweep.running.runner import Runner


class Line:
    """A command that a shell reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = text.split()[0]

    def digest(self) -> bytes:
        """Return the digest of its text."""
        return blake2b(self.text.encode(errors="surrogateescape")).digest()

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return the shell that reads it, which finds the variables by itself."""
        return Call([SHELL, "-c", self.text])


class Commands:
    """A function that runs a command for a counter, and is called like the command."""

    failed_value = staticmethod(Runner.failed_value)

    def __init__(self, command: str) -> None:
        limit = identity.this.task_timeout  # kept by the runner, which ends all processes
        self._runner = Runner(Plan(Line(command), merged=True, timeout=limit))
        self.__qualname__, self.__module__ = self._runner.__qualname__, "__main__"

    def __call__(self, counter: int) -> Ended:
        return self._runner(Item(counter, ()))


def problem(ended: Ended) -> str | None:
    """Return what to say of a command that failed; None for one that did not."""
    if ended.well:
        return None
    return f"simple_shell: counter {ended.number}: {_cause(ended)}"


def _cause(ended: Ended) -> str:
    if ended.why:
        late = f"it was ended after {ended.seconds:.3g} s, as --task-timeout asks"
        return late if ended.why == TIME else ended.why
    # A shell that waits for a killed command reports the signal as 128 + its number.
    status = ended.status
    number = -status if status < 0 else status - 128
    said = f"exit status {status}" if status > 0 else "the shell"
    if number in set(signal.Signals):
        killed = f"was killed by {signal.Signals(number).name}"
        return f"{said}: it {killed}" if status > 0 else f"the shell {killed}"
    return said if status > 0 else f"the shell was killed by signal {number}"


def show(ended: Ended) -> None:
    """Print what a command printed, with an end to its last line, and how it failed."""
    out = sys.stdout.buffer
    out.write(ended.out)
    if ended.out and not ended.out.endswith(b"\n"):
        out.write(b"\n")
    out.flush()
    said = problem(ended)
    if said is not None:
        print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Run the command for all counters; the exit status is 1 where one of them failed."""
    wanted, command = ready_programs.counters(ready_programs.checked("simple_shell"))
    failures = 0
    for ended in futures.map(Commands(command), wanted, task_timeout=math.inf):
        show(ended)
        failures += not ended.well
    if failures:
        sys.exit(f"simple_shell: {failures} of {len(wanted)} commands failed")


if __name__ == "__main__":
    main()
