"""What watching a run costs: `python benchmarks/watching.py [ROUNDS] [--before PYTHON]`.

Each round starts the same program once for each way of watching it, in another order next time:
without a reader, with each of the four, with all of them, and of another version, of which PYTHON
is the interpreter. The first column of the table has medians, all others the median over the rounds
of how fast that was beside the start without a reader in the same round: 1 costs nothing, below 1
is slower.

Every start sits at a pseudo-terminal of 100 columns, which is read at once: a bar is drawn where
one is asked for. An option that a version does not have is left out, and the way that needs it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import resource
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from work import spin, square, timed

HERE = os.path.abspath(__file__)
WORKERS = 2
Figures = dict[str, float]
BAR, STATUS, TRACE, REPORT = "--progress", "--status", "--trace", "--report"
NO_BAR = "--no-progress"
FILES = {STATUS: "status.json", TRACE: "trace.json", REPORT: "report.html"}
WAYS: dict[str, tuple[str, ...]] = {
    "without": (NO_BAR,),
    "a bar": (BAR,),
    STATUS: (NO_BAR, STATUS),
    TRACE: (NO_BAR, TRACE),
    REPORT: (NO_BAR, REPORT),
    "all four": (BAR, STATUS, TRACE, REPORT),
}
"""The ways to watch, each with its options."""
BEFORE = "before"


# In the program that is watched.


def tree(depth: int) -> int:
    """The number of nodes, each of which maps over its two children."""
    from scoopmpi import futures

    return 1 + (sum(futures.map(tree, [depth - 1] * 2)) if depth else 0)


def squares(number: int) -> None:
    from scoopmpi import futures

    assert sum(1 for _ in futures.map(square, range(number))) == number


def milliseconds() -> None:
    from scoopmpi import futures

    assert len(list(futures.map(spin, [0.001] * 4000))) == 4000


def trip() -> None:
    from scoopmpi import futures

    assert futures.submit(square, 3).result() == 9


def generations() -> None:
    from scoopmpi import futures

    for _ in range(200):
        list(futures.map(spin, [1e-5] * 32))


def submits() -> None:
    from scoopmpi import futures

    calls = [futures.submit(square, x) for x in range(5000)]
    assert all(call.result() >= 0 for call in calls)


def nodes() -> None:
    from scoopmpi import futures

    assert futures.submit(tree, 13).result() == 2**14 - 1


class Part(NamedTuple):
    """Something to measure: it runs so many times; figures are medians, a time is divided by so
    much and is in such a unit."""

    job: Callable[[], None]
    times: int
    divided: float


PARTS: dict[str, Part] = {
    "10^6 squares, ms": Part(lambda: squares(10**6), 11, 1e-3),
    "3 x 10^7 squares, s": Part(lambda: squares(3 * 10**7), 1, 1),
    "4000 tasks of 1 ms, s": Part(milliseconds, 1, 1),
    "maps of 32 tasks of 10 us, ms": Part(generations, 3, 200e-3),
    "5000 submits, us each": Part(submits, 5, 5000e-6),
    "round trip, us": Part(trip, 1000, 1e-6),
    "a nested task of 2^14, us": Part(nodes, 3, 2**14 * 1e-6),
}
RANK_0 = "processor time of rank 0"
END = "from the end of the program to that of the command, s"


def measure(parts: Sequence[str]) -> Figures:
    """Return what each part takes; of the long ones also what it takes of rank 0's processor."""
    from scoopmpi import futures

    squares(10_000)
    list(futures.map(spin, [0.0005] * 400))
    list(futures.map(tree, [6] * 2 * WORKERS))
    found: Figures = {}
    for name in parts:
        job, times, unit = PARTS[name]
        used = time.process_time()
        found[name] = statistics.median(timed(job) for _ in range(times)) / unit
        used = time.process_time() - used
        if times < 100:
            found[f"{name}: {RANK_0}"] = used / times / unit
    found["peak memory of rank 0, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found[END] = time.time()
    return found


# Beside it.


def words_for(
    python: str, asked: Sequence[str], directory: str, parts: Sequence[str]
) -> list[str]:  # fmt: skip
    """The command of one start; its figures are in the file `figures` then."""
    words = [python, "-m", "scoopmpi", "-n", str(WORKERS)]
    for option in asked:
        words += [option, os.path.join(directory, FILES[option])] if option in FILES else [option]
    return [*words, HERE, "--measure", os.path.join(directory, "figures"), *parts]


def started(words: Sequence[str], cwd: str, seconds: float = 120) -> bytes:
    """Run a command at a terminal, and return what is shown there; raises where it fails."""
    terminal, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        words, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    shown, until = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if select.select([terminal], [], [], 0.5)[0]:
                shown += os.read(terminal, 65536)
            elif process.poll() is not None:
                break
    except OSError:  # nobody can write there any more
        pass
    finally:
        os.close(terminal)
    if process.wait(max(1.0, until - time.monotonic())):
        sys.exit(f"{' '.join(words)} fails:\n{shown.decode(errors='replace')}")
    return shown


def one_start(python: str, asked: Sequence[str], parts: Sequence[str]) -> Figures:
    """Start one version with options, and return its figures, with what the readers have written.

    The directory has no checkout in it, so that each interpreter imports its own version.
    """
    with tempfile.TemporaryDirectory() as directory:
        started(words_for(python, asked, directory, parts), directory)
        ended = time.time()
        found: Figures = json.loads(Path(directory, "figures").read_text())
        found[END] = ended - found[END]
        for option in asked:
            if option in FILES:
                size = Path(directory, FILES[option]).stat().st_size
                found[f"file of {option}, MB"] = size / 1e6
    return found


def known_options(python: str) -> set[str]:
    """Return which of ours a version has."""
    with tempfile.TemporaryDirectory() as directory:
        words = [python, "-m", "scoopmpi", "--help"]
        answer = subprocess.run(
            words, cwd=directory, timeout=60, check=True, capture_output=True, text=True
        )
    return {option for option in (BAR, NO_BAR, *FILES) if option in answer.stdout}


def ways(before: str | None, wanted: str = "") -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the ways that can be measured: of each its interpreter and its options.

    wanted: those beside the first, separated by commas; all of them without.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    known = known_options(sys.executable)
    for way, asked in WAYS.items():
        if wanted and way not in ("without", *wanted.split(",")):
            continue
        missing = [option for option in asked if option not in known and option != NO_BAR]
        if missing:
            print(f"{way}: this version has no {', '.join(missing)}", file=sys.stderr)
        else:
            found[way] = sys.executable, tuple(option for option in asked if option in known)
    if before is not None:
        found[BEFORE] = before, tuple({NO_BAR} & known_options(before))
    return found


def table(rounds: Sequence[Mapping[str, Figures]]) -> str:
    """Medians of the first way, and of the ratios of its time to that of all others."""
    first, *others = rounds[0]
    lines = [f"| | {first} | {' | '.join(others)} |", "|---|" + "---:|" * (1 + len(others))]
    figures = dict.fromkeys(figure for way in rounds[0].values() for figure in way)
    for figure in figures:
        if figure in rounds[0][first]:
            plain = f"{statistics.median(each[first][figure] for each in rounds):.4g}"
            cells = [_ratio(rounds, figure, first, other) for other in others]
        else:  # what a reader has written
            plain, cells = "", [_plain(rounds, figure, other) for other in others]
        lines.append(f"| {figure} | {plain} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratio(rounds: Sequence[Mapping[str, Figures]], figure: str, first: str, other: str) -> str:
    ratios = (each[first][figure] / each[other][figure] for each in rounds)
    return f"{statistics.median(ratios):.3f}"


def _plain(rounds: Sequence[Mapping[str, Figures]], figure: str, way: str) -> str:
    found = [each[way][figure] for each in rounds if figure in each[way]]
    return f"{statistics.median(found):.3g}" if found else ""


def main(rounds: int, before: str | None, parts: Sequence[str], wanted: str) -> None:
    asked = ways(before, wanted)
    found: list[dict[str, Figures]] = []
    for number in range(rounds):
        order = list(asked)[:: -1 if number % 2 else 1]
        seen = {way: one_start(*asked[way], parts) for way in order}
        found.append({way: seen[way] for way in asked})
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    print(f"Medians of {rounds} rounds, {WORKERS} workers, Python {sys.version.split()[0]}\n")
    print(table(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--before", metavar="PYTHON", help="the interpreter of another version")
    parser.add_argument("--parts", default="", metavar="WORD", help="those with this in their name")
    parser.add_argument("--ways", default="", help="some of: " + ", ".join(list(WAYS)[1:]))
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        Path(sys.argv[2]).write_text(json.dumps(measure(sys.argv[3:])))
    else:
        options = arguments()
        parts = [name for name in PARTS if options.parts in name]
        main(options.rounds, options.before, parts, options.ways)
