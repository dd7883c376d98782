"""Pictures of scoopmpi beside its peers: `python benchmarks/plots.py`, from `measured.json`.

The figures there come from `python benchmarks/plots.py --measure ROUNDS [PART ...]`, which runs the
parts of `peers.py` and, of `arrays.py`, arrays of 16 MiB; each part is kept with its date, machine
and versions, and the others stay as they were. It wants a machine that does nothing else. Pictures
are written to docs/pictures/benchmarks, and shown by docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from drawing import Chart, drawn

HERE = Path(__file__).resolve().parent
DATA = HERE / "measured.json"
PICTURES = HERE.parent / "docs" / "pictures" / "benchmarks"
PEERS = ("generations", "sleepers", "calls", "squares", "maps")
ARRAYS = "arrays"
Figures = Mapping[str, Mapping[str, float]]
"""Medians by case and system."""


class Picture(NamedTuple):
    """A picture: what is shown of a part, under which names.

    rows: the cases as the part calls them, and as the picture does.
    """

    part: str
    title: str
    axis: str
    systems: Sequence[str]
    rows: Mapping[str, str]
    log: bool = False


PICTURES_OF = {
    "small-maps": Picture(
        "generations", "Many small maps, one after the other",
        "efficiency: 1 is the best there is, every worker busy all the time",
        ("scoopmpi", "Pool.map", "ProcessPool in chunks", "mpi4py in chunks", "schwimmbad"),
        {
            "32 x 10 us": "32 tasks of 10 µs", "32 x 100 us": "32 tasks of 100 µs",
            "32 x 1 ms": "32 tasks of 1 ms", "8 x 1 ms": "8 tasks of 1 ms",
            "1000 x 100 us": "1000 tasks of 100 µs", "4 x 10 ms": "4 tasks of 10 ms",
        },
    ),
    "uneven": Picture(
        "maps", "One map of tasks that differ in length",
        "time taken / the shortest possible time: 1 is the best there is",
        ("scoopmpi", "Pool.map", "ProcessPool", "mpi4py.futures", "mpi4py in chunks", "schwimmbad"),
        {
            "makespan / ideal: pareto, shuffled": "a few long ones anywhere",
            "makespan / ideal: pareto, rising": "the long ones last",
            "makespan / ideal: 3000 short, 8 long": "3000 short ones, then 8 long",
            "makespan / ideal: 8 long, 3000 short": "8 long ones, then 3000 short",
        },
    ),
    "long-map": Picture(
        "maps", "One long map", "efficiency: 1 is the best there is",
        ("scoopmpi", "Pool.map", "ProcessPool", "mpi4py.futures", "mpi4py in chunks", "schwimmbad"),
        {"efficiency at 1 ms": "tasks of 1 ms", "efficiency at 10 us": "tasks of 10 µs"},
    ),
    "sleepers": Picture(
        "sleepers", "Tasks that wait, 16 workers", "efficiency: 1 is the best there is",
        ("scoopmpi", "Pool.map", "mpi4py.futures", "mpi4py in chunks", "schwimmbad"),
        {
            "3 ms, 16 workers": "3 ms each", "10 ms, 16 workers": "10 ms each",
            "100 ms, 16 workers": "100 ms each", "1 s, 16 workers": "1 s each",
        },
    ),
    "round-trip": Picture(
        "calls", "One call after the other", "µs from submit to the value: less is better",
        ("scoopmpi", "Pool.map", "ProcessPool", "mpi4py.futures"),
        {"round trip, us": "a round trip"}, log=True,
    ),
    "submits": Picture(
        "calls", "Many calls at once", "calls a second: more is better",
        ("scoopmpi", "Pool.map", "ProcessPool", "mpi4py.futures"),
        {"5000 submits, 1/s": "5000 calls that are submitted, then waited for"}, log=True,
    ),
    "squares": Picture(
        "squares", "Tasks that take next to nothing", "millions of tasks a second: more is better",
        ("scoopmpi", "Pool.map", "ProcessPool in chunks", "mpi4py in chunks", "schwimmbad"),
        {"10^4 squares, M/s": "a map of 10,000", "10^6 squares, M/s": "a map of 1,000,000"},
    ),
    "arrays": Picture(
        ARRAYS, "Arrays of 16 MiB", "GB/s: more is better",
        ("scoopmpi", "Pool", "loky", "mpi4py.futures"),
        {
            "results, dropped": "results, taken one by one", "results, kept": "results, all kept",
            "distinct arguments": "an array for each task",
            "the same array": "the same array for all tasks",
            "in a partial": "in a functools.partial",
        },
    ),
}  # fmt: skip


def charts(kept: Mapping[str, Any]) -> Iterator[tuple[str, Chart]]:
    """Give each picture's name and what it shows, of the parts that are kept."""
    for name, picture in PICTURES_OF.items():
        if picture.part in kept:
            yield name, chart(picture, kept[picture.part])


def chart(picture: Picture, part: Mapping[str, Any]) -> Chart:
    """Return what a picture shows. part: as it is kept."""
    rows = {
        shown: {
            system: part["figures"][case][system]
            for system in picture.systems if system in part["figures"][case]
        }
        for case, shown in picture.rows.items()
    }  # fmt: skip
    rounds = "1 round" if part["rounds"] == 1 else f"medians of {part['rounds']} rounds"
    mpi, python = part["versions"]["MPI"], part["versions"]["Python"]
    below = (
        f"{part['machine'].partition(' of ')[0]}, {rounds}, {part['date']}; {mpi}, Python {python}"
    )
    return Chart(picture.title, picture.axis, picture.systems, rows, picture.log, below)


def measured(part: str, rounds: int) -> dict[str, Any]:
    """Return a part as it is kept, measured now."""
    import peers
    from systems import CORES

    if part == ARRAYS:
        figures, command = arrays(rounds), shlex.join(["arrays.py", *array_words(rounds)])
    else:
        workers = peers.WORKERS.get(part, (CORES,))
        found = peers.measured(part, peers.SYSTEMS[part], workers, rounds, 1.0)
        figures, command = medians(found), f"peers.py {part} {rounds}"
    return {
        "command": f"python benchmarks/{command}", "date": datetime.date.today().isoformat(),
        "machine": machine(), "versions": versions(peers.library()), "rounds": rounds,
        "workers": CORES, "figures": figures,
    }  # fmt: skip


def medians(found: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Return medians by case and system. found: figures by case of each round of each system."""
    figures: dict[str, dict[str, float]] = {}
    for system, rounds in found.items():
        for case in dict.fromkeys(case for each in rounds for case in each):
            values = [each[case] for each in rounds if case in each]
            figures.setdefault(case, {})[system] = float(f"{statistics.median(values):.4g}")
    return figures


def arrays(rounds: int) -> dict[str, dict[str, float]]:
    """Return medians for arrays of 16 MiB."""
    import arrays as benchmark

    picture = PICTURES_OF[ARRAYS]
    systems = ["--systems", ",".join(picture.systems)]
    options = benchmark.asked([*array_words(rounds), *systems, *picture.rows])
    rows = benchmark.together(benchmark.measured(options, 0))["16 MiB"]
    return {
        case: {name: float(f"{statistics.median(row[name]):.4g}") for name in row}
        for case, row in rows.items()
    }


def array_words(rounds: int) -> list[str]:
    """Return the options of `arrays.py` for what is kept of it."""
    return ["--sizes", "16 MiB", "--total", "128", "--seconds", "0", "--rounds", str(rounds)]


def machine() -> str:
    """Return what this machine is: cores, processor, system."""
    from systems import CORES

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{CORES} cores of {model or platform.machine()}, {system}"


def versions(library: str) -> dict[str, str]:
    """Return the versions of what is measured. library: the MPI's name and version."""
    import scoopmpi  # of this tree, whatever was installed when

    found = {"Python": platform.python_version(), "MPI": library.replace("MPI v", "MPI ")}
    found["scoopmpi"] = scoopmpi.__version__
    for name in ("mpi4py", "numpy", "schwimmbad", "joblib"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--measure", type=int, metavar="ROUNDS", help="measure, before drawing")
    reader.add_argument("parts", nargs="*", help=f"of {', '.join((*PEERS, ARRAYS))} (all)")
    options = reader.parse_args()
    kept = json.loads(DATA.read_text()) if DATA.exists() else {}
    for part in options.parts or (*PEERS, ARRAYS):
        if part not in (*PEERS, ARRAYS):
            reader.error(f"{part} is no part; known are {', '.join((*PEERS, ARRAYS))}")
        if options.measure:
            kept[part] = measured(part, options.measure)
            DATA.write_text(json.dumps(kept, indent=1) + "\n")
    PICTURES.mkdir(exist_ok=True, parents=True)
    for name, each in charts(kept):
        (PICTURES / f"{name}.svg").write_text(drawn(each))


if __name__ == "__main__":
    main()
