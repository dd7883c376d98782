"""The options that `myscoop` and `mympirun` share, as click knows them, and what was asked for.

Each is a word of the command line and a variable `$MYMPIRUN_<OPTION>`, each flag also
`--disable-<FLAG>`. What they mean for hosts and ranks is decided elsewhere. The spellings are those
of vsc-mympirun, in whose place these commands are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import click

from .. import flavours, managers
from ..hosts import placement
from ..hosts.allocation import Allocation, AllocationError
from . import settings
from .settings import Setting

SILENCE = 3600.0
"""Seconds without output that count as too long where only --output-check-fatal is given."""


_COUNT = click.IntRange(min=1)
_MANAGERS = settings.Name(managers.NAMES, managers.ALIASES)
_FLAVOURS = settings.Name(flavours.NAMES, flavours.ALIASES)

WORKERS, CLUSTER, RANKS = "Workers", "Batch system and MPI", "Placement and environment"
RUNNING, SHOWING = "Output", "Instead of running"
SECTIONS = (WORKERS, CLUSTER, RANKS, RUNNING, SHOWING)


def universe(*more: str) -> Setting:
    """--universe, with further names of the command."""
    return Setting(
        [*more, "--universe", "universe"], section=WORKERS, usual=True, type=_COUNT, metavar="N",
        help="N in total, dealt to the hosts in turn.",
    )  # fmt: skip


SHARED: tuple[Setting, ...] = (
    Setting(
        ["-h", "--hybrid"], section=WORKERS, usual=True, type=_COUNT, metavar="N",
        help="N on each host; they share its cores, a thread for each.",
    ),
    Setting(["--multi"], section=WORKERS, type=_COUNT, metavar="N", help="N on each slot."),
    Setting(["--double"], section=WORKERS, is_flag=True, help="As --multi 2."),
    Setting(
        ["--order"], section=WORKERS, type=settings.Order(), default="normal", metavar="ORDER",
        help="Of the hosts: normal, sort, random or random_SEED; the first one has rank 0.",
    ),
    Setting(
        ["--hyperthreads"], section=WORKERS, is_flag=True,
        help="Count hyper-threads as cores, where this machine is asked.",
    ),
    Setting(
        ["-S", "--sched", "--schedtype", "--setsched", "manager"], section=CLUSTER, usual=True,
        type=_MANAGERS, metavar="NAME",
        help="Believe this batch system, or none: local (--showsched has the names).",
    ),
    Setting(
        ["-M", "--setmpi", "flavour"], section=CLUSTER, type=_FLAVOURS, metavar="NAME",
        help="This MPI and no other (--showmpi has the names).",
    ),
    Setting(
        ["--launcher", "agent"], section=CLUSTER, metavar="NAME",
        help="What starts the launcher's daemons: a remote shell, or Hydra's bootstrap.",
    ),
    Setting(
        ["--branchcount", "branches"], section=CLUSTER, type=_COUNT, metavar="N",
        help="Width of the launcher's tree of daemons.",
    ),
    Setting(
        ["--mpirunoptions", "launcher_words"], section=CLUSTER, type=settings.ShellWords(),
        multiple=True, metavar='"WORDS"', help="Further options for the launcher.",
    ),
    Setting(
        ["--overridepin", "pin"], section=RANKS, type=settings.Pin(list(settings.PINS)),
        metavar="WAY",
        help="Pin compact (also packed, bunch) or spread (scatter, cycle). Default: compact.",
    ),
    Setting(
        ["--pinmpi", "pinned"], section=RANKS, is_flag=True, default=None,
        help="Pin in any case, or not at all. Default: workers of a batch job that have its cores.",
    ),
    Setting(
        ["-V", "--variablesprefix", "prefixes"], section=RANKS, type=settings.Names(),
        multiple=True, metavar="A,B",
        help="Hand over these variables too, names or how names begin.",
    ),
    Setting(
        ["--noenvmodules", "no_modules"], section=RANKS, is_flag=True,
        help="Do not hand over the variables of environment modules.",
    ),
    Setting(
        ["--basepath", "temporary"], section=RANKS, metavar="DIR",
        type=settings.Directory(exists=True, file_okay=False, writable=True),
        help="For temporary files: TMPDIR of launcher and ranks.",
    ),
    Setting(
        ["--output"], section=RUNNING, usual=True, type=click.Path(), metavar="FILE",
        help="Where stdout and stderr go.",
    ),
    Setting(
        ["--output-check-timeout", "silence"], section=RUNNING, type=settings.Seconds(),
        metavar="SECONDS", help="Warn when nothing was printed for so long from the start on.",
    ),
    Setting(
        ["--output-check-fatal", "silence_ends"], section=RUNNING, is_flag=True,
        help="End the job then, with status 124. Without a time: after an hour.",
    ),
    Setting(
        ["--logtofile", "log"], section=RUNNING, type=click.Path(), metavar="FILE",
        help="Where the command's own remarks go; they are appended.",
    ),
    Setting(
        ["-v", "--verbose"], section=RUNNING, is_flag=True, usual=True, help="Say what is done."
    ),
    Setting(["-d", "--debug"], section=RUNNING, is_flag=True, help="Say more."),
    Setting(["--quiet"], section=RUNNING, is_flag=True, help="Only warnings and errors."),
    Setting(
        ["--debugmpi", "debug_mpi"], section=RUNNING, is_flag=True,
        help="Let the launcher show what it does.",
    ),
    Setting(
        ["-D", "--dry-run"], section=SHOWING, is_flag=True, usual=True,
        help="Print the launcher's command and nothing else.",
    ),
    Setting(
        ["--explain"], section=SHOWING, is_flag=True, usual=True,
        help="Print what was detected, and why.",
    ),
    Setting(
        ["-s", "--showsched", "show_managers"], section=SHOWING, is_flag=True,
        help="Print the known batch systems and which one this is.",
    ),
    Setting(
        ["-m", "--showmpi", "show_flavours"], section=SHOWING, is_flag=True,
        help="Print the known MPIs and which one is there.",
    ),
)  # fmt: skip

# Of the times of MPD and of fabrics that libraries find by themselves; old scripts have them.
_OLD_FLAGS = """
    ssh mpdbootverbose impi-mpdbulletproof impi-fallback impi-daplud impi-xrc rdma libfabric socket
    use_psm qlogic_ipath info ignoreconfigfiles
"""
_OLD_VALUES = "sockets-per-node stats debuglvl configfiles"


def forgotten(*flags: str) -> tuple[click.Option, ...]:
    """Options that are accepted without a word and mean nothing; `flags` are the command's own."""
    found: list[click.Option] = []
    for name in (*_OLD_FLAGS.split(), *flags):
        words = [f"--{name}/--disable-{name}"]
        found.append(click.Option(words, is_flag=True, hidden=True, expose_value=False))
    values = [[f"--{name}"] for name in _OLD_VALUES.split()]
    return (*found, *(click.Option(words, hidden=True, expose_value=False) for words in values))


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, by words or variables; `words` are the program and its arguments.

    times: workers for each slot. pin: None is not to pin; pin_asked: in any case. silence: seconds,
    None is no limit.
    """

    words: tuple[str, ...]
    hybrid: int | None
    universe: int | None
    times: int
    order: str
    hyperthreads: bool
    manager: str | None
    flavour: str | None
    agent: str | None
    branches: int | None
    launcher_words: tuple[str, ...]
    pin: str | None
    pin_asked: bool
    prefixes: tuple[str, ...]
    modules: bool
    temporary: str | None
    output: str | None
    silence: float | None
    silence_ends: bool
    log: str | None
    verbose: bool
    debug: bool
    quiet: bool
    debug_mpi: bool
    dry_run: bool
    explain: bool
    show_managers: bool
    show_flavours: bool


def requested(ctx: click.Context) -> Request:
    """What click has found, joined where several options mean one thing.

    Raises click.UsageError where they contradict each other.
    """
    found = dict(ctx.params)
    silence, pinned = found["silence"], found.pop("pinned")
    if silence is None and found["silence_ends"]:
        silence = SILENCE
    found["silence"] = silence if silence is not None and 0 < silence < math.inf else None
    found["pin_asked"] = bool(pinned or found["pin"])
    found["pin"] = None if pinned is False else found["pin"] or "compact"
    found["times"] = _times(ctx, found.pop("multi"), found.pop("double"))
    found["modules"] = not found.pop("no_modules")
    for name in ("launcher_words", "prefixes"):
        found[name] = tuple(word for words in found[name] for word in words)
    return Request(**{name: found[name] for name in Request.__dataclass_fields__})


def _times(ctx: click.Context, multi: int | None, double: bool) -> int:
    if not double or multi is None:
        return multi or (2 if double else 1)
    sources = [ctx.get_parameter_source(name) for name in ("multi", "double")]
    if multi != 2 and sources[0] == sources[1]:
        raise click.UsageError(f"--multi {multi} or --double: how many workers on each slot?", ctx)
    return multi if sources[0] == click.core.ParameterSource.COMMANDLINE else 2


def placed(allocation: Allocation, request: Request) -> Allocation:
    """The allocation with as many workers on its hosts as was asked for.

    --multi multiplies the slots, or the workers of --hybrid; --universe takes some of these.
    Raises AllocationError where there are fewer.
    """
    found = placement.ordered(allocation, request.order)
    if request.hybrid is not None:
        found = placement.hybrid(found, request.hybrid)
    if request.times > 1:
        found = placement.multiplied(found, request.times)
    if request.universe is None:
        return found
    if request.hybrid is not None and request.universe > found.slots:
        raise AllocationError(
            f"--universe {request.universe} is more than the {found.slots} workers that "
            f"--hybrid {request.hybrid} allows on {len(found.hosts)} hosts; leave one of them out"
        )
    return placement.exactly(found, request.universe)
