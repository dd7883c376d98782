"""Workers that die at random moments: `python benchmarks/chaos.py [RUNS]`, `--help` for more.

A run is a program of maps, calls and nested jobs (`dying.py`), with 4 or 5 workers: 1 to 3 of them
are killed or stopped by somebody else, or die in a task. The seed of a run decides on all of that;
when exactly it happens, the machine. `1 --first SEED` repeats a run. Values are compared one by
one. Needs an MPI library that survives a loss: Open MPI from 5 on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dying.py")
LIMIT = 40.0
"""Seconds for a run, which takes 1 to 2: beyond, it hangs."""
KINDS = {
    "SIGKILL": (signal.SIGKILL,),
    "SIGSEGV": (signal.SIGSEGV,),
    "os._exit in a task": ("exit",),
    "SIGSTOP for a while": (signal.SIGSTOP,),
    "all of them": (signal.SIGKILL, signal.SIGSEGV, "exit", signal.SIGSTOP),
}
"""How workers are lost: a signal from outside, or in a task."""
MOST_DEATHS = 3
TASKS = 500
"""Every program has more than these; the fatal ones are among them."""
BUSY = 0.5
"""Seconds that the tasks take after the first ones: within them fall the signals."""


# What is to happen.


class Blow(NamedTuple):
    """A signal from outside: seconds after the first tasks, to the worker of this place."""

    moment: float
    worker: int
    number: int


class Plan(NamedTuple):
    """A run, as its seed has it. fatal: the tasks that end their worker, by the order of start."""

    seed: int
    kind: str
    workers: int
    blows: tuple[Blow, ...]
    fatal: frozenset[int]

    @classmethod
    def of(cls, seed: int, kinds: tuple[str, ...] = tuple(KINDS), workers: int = 0) -> Plan:
        """Kinds take turns from seed to seed; 0 workers stand for 4 or 5."""
        chance = random.Random(seed)
        kind = kinds[seed % len(kinds)]
        workers = workers or chance.choice((4, 5))
        blows, fatal = [], set()
        most = min(MOST_DEATHS, workers - 1)
        for worker in chance.sample(range(workers), chance.randint(1, most)):
            how = chance.choice(KINDS[kind])
            moment = chance.uniform(0, BUSY)
            if isinstance(how, str):
                fatal.add(int(moment / BUSY * TASKS))
                continue
            blows.append(Blow(moment, worker, how))
            if how == signal.SIGSTOP:
                blows.append(Blow(moment + chance.uniform(0.05, 0.5), worker, signal.SIGCONT))
        return cls(seed, kind, workers, tuple(sorted(blows)), frozenset(fatal))

    @property
    def name(self) -> str:
        """With all that is needed to repeat it."""
        return f"seed {self.seed}, {self.kind}"


class Run(NamedTuple):
    """What came of a plan.

    right: whether every value was the one that it had to be. lost: workers that the farm missed.
    again: tasks that had to start once more.
    """

    plan: Plan
    status: int
    right: bool
    hangs: bool
    lost: int
    again: int
    seconds: float
    said: str


# The conductor.


def carry_out(plan: Plan, found: Any, env: Mapping[str, str]) -> Run:
    """Start the program, and do to its workers what is planned; ends within LIMIT seconds.

    found: the launcher of the MPI library that `env` selects.
    """
    with tempfile.TemporaryDirectory(prefix="chaos") as place:
        began, told = os.path.join(place, "began"), os.path.join(place, "told")
        with open(began, "wb"), open(told, "wb") as err:
            # A directory for each mpirun: one of Open MPI 5 does not start where another that had
            # its process number was killed (`launch.beside.session`).
            words, env = command(plan, found, {**env, "DYING": began, "TMPDIR": place})
            start = time.monotonic()
            with subprocess.Popen(
                words, env=env, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=err, start_new_session=True, text=True,
            ) as process:  # fmt: skip
                fired = threading.Event()
                watchdog = threading.Timer(LIMIT, lambda: (fired.set(), process.kill()))
                watchdog.start()
                try:
                    assert process.stdout is not None
                    strike(process, plan.blows, json.loads(process.stdout.readline() or "[]"))
                    said = process.stdout.read()
                    process.wait()
                finally:
                    process.kill()
                    watchdog.cancel()
            seconds = time.monotonic() - start
        with open(told, errors="replace") as file:
            stderr = file.read()
        answer = json.loads(said) if said.startswith("{") and not fired.is_set() else {}
        again = os.path.getsize(began) - answer["needed"] if answer else 0
    lost = len(re.findall(r"worker \d+ on \S+ died; what", stderr))
    return Run(
        plan, process.returncode, answer.get("right", False), fired.is_set(), lost, again, seconds,
        said + stderr,
    )  # fmt: skip


def strike(process: subprocess.Popen[str], blows: Iterable[Blow], workers: list[int]) -> None:
    """Send the signals, each at its moment, as long as there is somebody to get them."""
    begun = time.monotonic()
    for blow in blows:
        try:
            process.wait(max(0.0, begun + blow.moment - time.monotonic()))
            return
        except subprocess.TimeoutExpired:
            pass
        try:
            os.kill(workers[blow.worker], blow.number)
        except (ProcessLookupError, IndexError):
            pass  # the job has ended, or never began


def command(plan: Plan, found: Any, env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The words that start a plan's program, by the library's own mpirun; and the environment."""
    from scoopmpi.launch.flavours.ranks import Ranks
    from scoopmpi.launch.hosts.allocation import Host

    given = {"seed": plan.seed, "workers": plan.workers, "fatal": sorted(plan.fatal)}
    # A task may be the one that runs wherever a worker dies: it is not to blame for three of them.
    retries = ["--retries", str(MOST_DEATHS)]
    words = [sys.executable, "-m", "scoopmpi", *retries, PROGRAM, json.dumps(given)]
    ranks = Ranks(
        (Host("localhost", plan.workers + 1),), words, env, library=found.library,
        root=os.geteuid() == 0, survive=True,
    )  # fmt: skip
    made = found.flavour.command_line(found.mpirun, ranks)
    return list(made.argv), {**env, **made.env}


# The table.


def rows(runs: list[Run]) -> Iterator[str]:
    """A line for each kind of death, and one for all."""
    yield "| how | runs | workers lost | tasks started again | median s | worst s | wrong | failed | hangs |"  # noqa: E501
    yield "|---|" + "---:|" * 8
    kinds = list(dict.fromkeys(run.plan.kind for run in runs))
    for kind in [*kinds, "together"]:
        of_it = [run for run in runs if kind in (run.plan.kind, "together")]
        seconds = [run.seconds for run in of_it]
        ended = [run for run in of_it if not run.hangs]
        figures = [
            len(of_it), sum(run.lost for run in of_it), sum(run.again for run in of_it),
            f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}",
            sum(not run.right and run.status == 0 for run in ended),
            sum(run.status != 0 for run in ended), len(of_it) - len(ended),
        ]  # fmt: skip
        yield f"| {kind} | " + " | ".join(map(str, figures)) + " |"


def main() -> None:
    from scoopmpi.launch.commandline import launcher

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", type=int, nargs="?", default=500)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first run")
    parser.add_argument("--workers", type=int, default=0, help="4 or 5, by the seed")
    parser.add_argument("--kind", action="append", choices=KINDS, help="all in turn; repeatable")
    given = parser.parse_args()
    if given.workers == 1:
        parser.error("--workers 1: one has to be left")
    runs: list[Run] = []
    kinds, found = tuple(given.kind or KINDS), launcher.find(os.environ)
    for seed in range(given.first, given.first + given.runs):
        run = carry_out(Plan.of(seed, kinds, given.workers), found, os.environ)
        runs.append(run)
        if run.hangs or run.status or not run.right:
            print(f"{run.plan}: status {run.status}, hangs: {run.hangs}\n{run.said[-3000:]}")
        elif sys.stderr.isatty():
            print(f"{run.plan.name}: {run.lost} lost, {run.seconds:.2f} s", file=sys.stderr)
    print("\n".join(rows(runs)))
    sys.exit(any(run.hangs or run.status or not run.right for run in runs))


if __name__ == "__main__":
    main()
