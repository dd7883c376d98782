"""`--profile`: a cProfile file for each rank, and one table of them all.

Each rank writes `profile/rank-N.prof` when it ends, for any viewer of such files; rank 0 merges
what is there. A rank is profiled in its main thread, where tasks run, as long as it serves. Where a
task waits and others run meanwhile, calls are counted right, and times may go to the function that
waits.
"""

from __future__ import annotations

import cProfile
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HEAD = 15
"""Lines of the table that are shown on stderr: they fit a terminal with all that stands around."""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PROGRAMS = (os.path.join(_PACKAGE, "programs"), os.path.join(_PACKAGE, "program", "shell.py"))
"""Files of ours that are programs like the user's."""
_FARM = ("scoopmpi", "scoop", "mpi4py", "cloudpickle", "greenlet")
_LIBRARY = os.path.dirname(os.__file__)
Entry = tuple[str, int, str]
"""A function: its file (~ for one in C), line and name."""
Cost = tuple[int, float, float]
"""Calls, seconds in the function itself, seconds with what it calls."""


def begin(rank: int, ranks: int) -> Callable[[], None]:
    """Begin the profile of a rank, and return what ends it; the user is told where that fails.

    What ends it writes the rank's file, and on rank 0 prints the table of all ranks; only its
    first call does. ranks: how many there are.
    """
    try:
        profile = RankProfile(rank, Path("profile").absolute())
    except OSError as problem:
        print(f"scoopmpi: no profile of rank {rank}: {problem}", file=sys.stderr)
        return lambda: None

    def end() -> None:
        try:
            if profile.write() and rank == 0:
                print(profile.summary(ranks), file=sys.stderr)
        except OSError as problem:
            print(f"scoopmpi: no profile of rank {rank}: {problem}", file=sys.__stderr__)

    return end


class RankProfile:
    """Profiles this rank from now on.

    directory: the one that all ranks share.
    """

    def __init__(self, rank: int, directory: Path) -> None:
        self._directory = directory
        self._pid = os.getpid()
        self._path = directory / f"rank-{rank}.prof"
        self._profile: cProfile.Profile | None = cProfile.Profile()
        directory.mkdir(exist_ok=True)
        if rank == 0:  # files of an earlier run; no rank of this one has written yet
            for old in (*directory.glob("rank-*.prof"), directory / "summary.txt"):
                old.unlink(missing_ok=True)
        self._profile.enable()

    def write(self) -> bool:
        """End the profile and write its file; False for a second call, and in a forked child."""
        profile, self._profile = self._profile, None
        if profile is None or os.getpid() != self._pid:
            return False
        profile.disable()
        # Under another name first: rank 0 may be looking.
        part = self._path.with_suffix(f".{os.getpid()}")
        profile.dump_stats(part)
        part.replace(self._path)
        return True

    def summary(self, ranks: int) -> str:
        """Merge the files of all ranks into `summary.txt`; return its head, for stderr."""
        return summarise(self._directory, ranks)


def summarise(directory: Path, ranks: int) -> str:
    """Merge the files that the ranks have left in a directory; return the head of the table.

    It says which files are missing. ranks: how many ranks there are.
    """
    paths = {rank: directory / f"rank-{rank}.prof" for rank in range(ranks)}
    found = {rank: _read(path) for rank, path in paths.items()}
    present = {rank: stats for rank, stats in found.items() if stats is not None}
    if not present:
        return "No rank has left a profile."
    first, *others = present
    merged = _read(paths[first])
    merged.add(*(present[rank] for rank in others))
    lines = [f"Profile of {len(present)} of {ranks} ranks; times in seconds, over all ranks."]
    missing = [str(rank) for rank in found if rank not in present]
    if missing:
        lines.append(
            f"No file of rank {', '.join(missing)}: it was ended early, or has other disks."
        )
    program = _of_the_program(merged)
    heading = "\n".join(lines)
    table, everything = _table(program), _table(_everything(merged))
    path = directory / "summary.txt"
    path.write_text(
        f"{heading}\n\n{_per_rank(present)}\n\nThe program, without the farm\n\n{table}\n"
        f"\nEverything, waiting ranks too\n\n{everything}\n"
    )
    head = "\n".join(table.splitlines()[: HEAD + 1])
    return f"{heading}\n\n{head}\n\nThe whole table is in {path}, a file for each rank beside it."


def _read(path: Path) -> Any:
    import pstats

    try:
        return pstats.Stats(str(path))
    except (OSError, TypeError, EOFError, ValueError):
        return None  # not there, or cut off with its rank; TypeError means no call at all


def _everything(stats: Any) -> dict[Entry, Cost]:
    return {entry: values[1:4] for entry, values in stats.stats.items()}


def _of_the_program(stats: Any) -> dict[Entry, Cost]:
    """Return the program's functions, and all that they call but the farm and imports.

    Of a function that others call too, only the calls from here count.
    """
    entries = stats.stats
    called: dict[Entry, list[Entry]] = {}
    for entry, values in entries.items():
        for caller in values[4]:
            called.setdefault(caller, []).append(entry)
    starts = {entry for entry, values in entries.items() if _a_start(entry, values[4])}
    found, todo = set(starts), list(starts)
    while todo:
        for entry in called.get(todo.pop(), ()):
            if entry not in found and not _ours(entry) and not entry[0].startswith("<frozen"):
                found.add(entry)
                todo.append(entry)
    return {
        entry: entries[entry][1:4] if entry in starts else _part(entries[entry][4], found)
        for entry in found
    }


def _part(callers: dict[Entry, Any], wanted: set[Entry]) -> Cost:
    """Sum up calls, own and total time of the calls that came from certain functions."""
    costs = [cost for caller, cost in callers.items() if caller in wanted]
    calls, own, total = (sum(cost[place] for cost in costs) for place in (0, 2, 3))
    return int(calls), own, total


def _a_start(entry: Entry, callers: Iterable[Entry]) -> bool:
    """True for a function of the user's, by its place, or an installed one that we call."""
    file, _, name = entry
    if file.startswith("<"):  # made by exec, as namedtuples are; or typed into our shell
        return file in ("<stdin>", "<console>")
    if _built_in(entry) or _ours(entry):
        return False
    if "site-packages" in file or "dist-packages" in file:
        return name != "<module>" and any(map(_ours, callers))
    return not file.startswith(_LIBRARY + os.sep)


def _ours(entry: Entry) -> bool:
    """True for a function of the farm and what it is made of."""
    file = entry[0]
    if file.startswith(_PROGRAMS):
        return False
    for places in ("site-packages", "dist-packages"):
        _, installed, inside = file.partition(places + os.sep)
        if installed:
            return inside.split(os.sep)[0] in _FARM
    return file.startswith(_PACKAGE + os.sep)


def _built_in(entry: Entry) -> bool:
    return entry[0] == "~"


def _per_rank(present: dict[int, Any]) -> str:
    rows = [f"{'rank':>6} {'calls':>12} {'program':>10} {'in all':>10}"]
    for rank, stats in present.items():
        busy = sum(own for _, own, _ in _of_the_program(stats).values())
        rows.append(f"{rank:>6} {stats.total_calls:>12} {busy:>10.3f} {stats.total_tt:>10.3f}")
    return "\n".join(rows)


def _table(entries: dict[Entry, Cost]) -> str:
    """Return one line a function, the most expensive first."""
    rows = [f"{'calls':>10} {'own time':>10} {'with calls':>10}  function"]
    ordered = sorted(entries.items(), key=lambda item: (-item[1][1], item[0]))
    for entry, (calls, own, total) in ordered:
        rows.append(f"{calls:>10} {own:>10.3f} {total:>10.3f}  {_name(entry)}")
    return "\n".join(rows)


def _name(entry: Entry) -> str:
    file, line, name = entry
    if _built_in(entry):
        return name
    for place in sys.path:
        if place and file.startswith(place + os.sep):
            file = file[len(place) + 1 :]
            break
    return f"{file}:{line} {name}"
