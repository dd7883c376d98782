"""The options that `myscoop` and `mympirun` share, as a table for click.

Each is a word of the command line and a variable `$MYMPIRUN_<OPTION>`, each flag also
`--disable-<FLAG>`. The spellings are those of vsc-mympirun, in whose place these commands are used.
To add one: a `Setting` here, a field of the same name in the group that it belongs to (`request`),
and its use where that group goes.
"""

from __future__ import annotations

import click

from .. import flavours, managers
from . import kinds
from .setting import Setting

_COUNT = kinds.Count(min=1)
_MANAGERS = kinds.Name(managers.NAMES, managers.ALIASES)
_FLAVOURS = kinds.Name(flavours.NAMES, flavours.ALIASES)

WORKERS, CLUSTER, RANKS = "Workers", "Batch system and MPI", "Placement and environment"
RUNNING, SHOWING = "Output", "Instead of running"
SECTIONS = (WORKERS, CLUSTER, RANKS, RUNNING, SHOWING)


def universe(*more: str) -> Setting:
    """Return --universe, with further names that it has under one of the commands."""
    return Setting(
        [*more, "--universe", "universe"], section=WORKERS, usual=True, type=_COUNT, metavar="N",
        help="N in total, dealt to the hosts in turn.",
    )  # fmt: skip


SHARED: tuple[Setting, ...] = (
    Setting(
        ["-h", "--hybrid"], section=WORKERS, usual=True, type=_COUNT, metavar="N",
        help="N on each host; they share its cores, a thread for each.",
    ),
    Setting(
        ["--threads"], section=WORKERS, type=_COUNT, metavar="N",
        help="As many as have N cores each, on each host.",
    ),
    Setting(["--multi"], section=WORKERS, type=_COUNT, metavar="N", help="N on each slot."),
    Setting(["--double"], section=WORKERS, is_flag=True, help="As --multi 2."),
    Setting(
        ["--order"], section=WORKERS, type=kinds.Order(), default="normal", metavar="ORDER",
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
        ["--mpirunoptions", "mpirun_options"], section=CLUSTER, type=kinds.ShellWords(),
        multiple=True, metavar='"WORDS"', help="Further options for the launcher.",
    ),
    Setting(
        ["--overridepin", "pin"], section=RANKS, type=kinds.Pin(list(kinds.PINS)),
        metavar="WAY",
        help="Pin compact (also packed, bunch) or spread (scatter, cycle). Default: compact.",
    ),
    Setting(
        ["--pinmpi", "pinned"], section=RANKS, is_flag=True, default=None,
        help="Pin in any case, or not at all. Default: workers of a batch job that have its cores.",
    ),
    Setting(
        ["-V", "--variablesprefix", "prefixes"], section=RANKS, type=kinds.Names(),
        multiple=True, metavar="A,B",
        help="Hand over these variables too, names or how names begin.",
    ),
    Setting(
        ["--noenvmodules", "no_modules"], section=RANKS, is_flag=True,
        help="Do not hand over the variables of environment modules.",
    ),
    Setting(
        ["--basepath", "temporary"], section=RANKS, metavar="DIR",
        type=kinds.Directory(exists=True, file_okay=False, writable=True),
        help="For temporary files: TMPDIR of launcher and ranks.",
    ),
    Setting(
        ["--output"], section=RUNNING, usual=True, type=click.Path(), metavar="FILE",
        help="Where stdout and stderr go; with {rank} or {host} in it a file for each.",
    ),
    Setting(
        ["--output-check-timeout", "silence"], section=RUNNING, type=kinds.Seconds(),
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
        ["--as", "job"], section=SHOWING, usual=True, type=kinds.Rehearsed(), metavar="SHAPE",
        help="Explain a job before it is submitted, as slurm:3x4x8: nodes x tasks x cores.",
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
    """Return options that are accepted without a word and mean nothing.

    flags: further ones of the command.
    """
    found: list[click.Option] = []
    for name in (*_OLD_FLAGS.split(), *flags):
        words = [f"--{name}/--disable-{name}"]
        found.append(click.Option(words, is_flag=True, hidden=True, expose_value=False))
    values = [[f"--{name}"] for name in _OLD_VALUES.split()]
    return (*found, *(click.Option(words, hidden=True, expose_value=False) for words in values))
