"""Large arrays, scoopmpi beside its peers in one run: `python benchmarks/arrays.py [CASE ...]`.

Every round starts each system afresh, in turn, and measures all cases there, map after map, the
first one too, in an order of its own. A table for each size shows the median of all maps of all
rounds (worst to best), in GB/s. CASE: the beginning of a case's name, `"the same"`. With `--into
FILE` rounds are kept, and shown together with those that further runs add: a machine that others
use is free for moments only.
The MPI library is that of mpi4py: MPI4PY_LIBMPI=/path/to/libmpi.so.12 chooses another one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from array_cases import MIB, SIZES
from array_systems import BEFORE, DRIVERS, command
from peers import library, shown
from systems import CORES, answer_of

Start = dict[str, Any]
"""The system, and its figures."""
Rounds = dict[str, dict[str, dict[str, list[float]]]]
"""Figures of all maps of all rounds, by size, case and system."""


def asked(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What words say: those of the command line, or others."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("cases", nargs="*", help="beginnings of names (all)")
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--sizes", default=",".join(SIZES), help=f"of {', '.join(SIZES)}")
    reader.add_argument("--systems", help=f"of {', '.join(DRIVERS)}")
    reader.add_argument("--before", metavar="PYTHON", help="an interpreter with another scoopmpi")
    reader.add_argument("--workers", type=int, default=CORES)
    reader.add_argument("--seconds", type=float, default=0.2, help="of a case, two maps at least")
    reader.add_argument("--total", type=int, default=256, help="MiB of a map, four tasks at least")
    reader.add_argument("--into", metavar="FILE", type=Path, help="keeps rounds, and adds to them")
    reader.add_argument("--quick", action="store_true", help="one round of 1 and 16 MiB")
    options = reader.parse_args(words)
    if options.quick:
        options.rounds, options.seconds, options.sizes = 1, 0.0, "1 MiB,16 MiB"
    options.sizes = [size.strip() for size in options.sizes.split(",")]
    before = [BEFORE] if options.before else []
    own = [name for name in DRIVERS if name != BEFORE or before]
    options.systems = [*options.systems.split(","), *before] if options.systems else own
    for known, words in ((SIZES, options.sizes), (DRIVERS, options.systems)):
        for word in words:
            if word not in known:
                reader.error(f"{word} is none of {', '.join(known)}")
    return options


def measured(options: argparse.Namespace, past: int) -> Iterator[Start]:
    """What each start of a system finds, as it comes; past: rounds that there have been before."""
    more = [
        str(options.seconds), str(options.total * MIB), ",".join(options.sizes),
        ";".join(options.cases),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as directory:  # a checkout would be imported from its own
        for turn in range(options.rounds):
            for name in options.systems:
                python = options.before if name == BEFORE else sys.executable
                words, env = command(name, options.workers, [*more, str(past + turn)], python)
                found = answer_of(name, words, env, directory)
                print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
                yield {"system": name, "figures": found}


def together(starts: Iterable[Start]) -> Rounds:
    found: Rounds = {}
    for start in starts:
        for size, rows in start["figures"].items():
            for case, figures in rows.items():
                row = found.setdefault(size, {}).setdefault(case, {})
                row.setdefault(start["system"], []).extend(figures)
    return found


def tables(found: Rounds) -> Iterator[str]:
    """A table for each size: a column for each system, empty where it cannot do it."""
    for size, rows in found.items():
        systems = [name for name in DRIVERS if any(name in row for row in rows.values())]
        yield f"\n| {size} | {' | '.join(systems)} |"
        yield "|---|" + "---:|" * len(systems)
        for case, row in rows.items():
            cells = [cell(row[name]) if name in row else "" for name in systems]
            yield f"| {case} | {' | '.join(cells)} |"


def cell(figures: Sequence[float]) -> str:
    """The median, and from the worst to the best."""
    middle, worst, best = statistics.median(figures), min(figures), max(figures)
    return f"{shown(middle)} ({shown(worst)} to {shown(best)})"


def main() -> None:
    options = asked()
    starts: list[Start] = []
    if options.into and options.into.exists():
        starts = [json.loads(line) for line in options.into.read_text().splitlines()]
    past = len(starts) // len(options.systems)
    for start in measured(options, past):
        starts.append(start)
        if options.into:
            with options.into.open("a") as file:
                print(json.dumps(start), file=file)
    print(
        f"{CORES} cores, {options.workers} workers, {library()}",
        *tables(together(starts)),
        sep="\n",
    )


if __name__ == "__main__":
    main()
