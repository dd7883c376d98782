"""`myscoop PROGRAM ARGUMENTS…`: a program for the farm on all cores of a batch job.

The command line and what is SCOOP's in it; the rest is as for `mympirun`, in `wrapper`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Sequence
from dataclasses import replace

import click
from click.shell_completion import CompletionItem

from .launch import own_commands, sweep_words
from .launch.cli import options
from .launch.cli.completion import python_files
from .launch.cli.help import ProgramWords, WrapperCommand
from .launch.cli.kinds import JOB_TIME, MARGIN, TASK, Count, Duration, Names
from .launch.cli.request import Request, group, requested
from .launch.cli.setting import Setting
from .launch.commandline.launch import Launch, with_paths
from .launch.kernel import front_end, ports
from .process import streams
from .program import ready_programs
from .program.finding import READY_PROGRAMS
from .program.scoop_options import Options

_RANGE = re.compile(r"\d*(:-?\d*){1,2}|\d+", re.ASCII)
"""A counter as `simple_shell` takes it, which no program can be called."""
_SCOOP = "SCOOP"

SCOOP = (
    Setting(
        ["--scoop-module"], section=_SCOOP, usual=True, metavar="MODULE",
        help="Run this module; all words are its arguments.",
    ),
    Setting(
        ["--scoop-profile", "profile"], section=_SCOOP, is_flag=True,
        help="Profile all ranks, in the directory profile.",
    ),
    Setting(
        ["--scoop-load-modules", "loaded"], section=_SCOOP, type=Names(), multiple=True,
        metavar="A,B", help="Environment modules that each rank loads first.",
    ),
    Setting(
        ["--scoop-freeorigin"], section=_SCOOP, is_flag=True,
        help="Accepted: rank 0 never takes a slot.",
    ),
    Setting(
        ["--scoop-broker"], section=_SCOOP, metavar="HOST", help="Accepted: MPI has no broker."
    ),
    Setting(
        ["--scoop-tunnel"], section=_SCOOP, is_flag=True, help="Accepted: MPI has no tunnel."
    ),
)  # fmt: skip
RETRIES = Setting(
    ["--retries"], section=options.WORKERS, type=Count(min=0), metavar="N",
    help="How often a task is tried again that ran where a worker died (2).",
)  # fmt: skip
TASK_TIMEOUT = Setting(
    ["--task-timeout"], section=options.RUNNING, type=Duration(), metavar="SECONDS",
    help="How long each task may take that has no limit of its own.",
)  # fmt: skip
SEED = Setting(
    ["--seed"], section=options.RUNNING, type=Count(min=0), metavar="N",
    help="Of the random numbers of tasks; without it another one in each run.",
)  # fmt: skip
CHECKPOINT = Setting(
    ["--checkpoint"], section=options.RUNNING, usual=True, metavar="FILE",
    help="Keep outcomes there, and go on from what an earlier run has kept.",
)  # fmt: skip
KEEP_FAILURES = Setting(
    ["--keep-failures"], section=options.RUNNING, is_flag=True,
    help="Take failures from the checkpoint as they are, instead of trying again.",
)  # fmt: skip
RESTARTS = Setting(
    ["--restarts"], section=options.RUNNING, type=Count(min=0), metavar="N",
    help="How often to start again from the checkpoint after a crash (0).",
)  # fmt: skip
NO_FINISH = Setting(
    ["--no-finish"], section=options.RUNNING, is_flag=True,
    help="Do not wait at the end for maps and calls that nobody waits for.",
)  # fmt: skip
TASK_LOG = Setting(
    ["--task-log"], section=options.RUNNING, type=click.Path(), metavar="FILE",
    help="A table of all tasks, as they end: what, where, how long (CSV).",
)  # fmt: skip
TASK_OUTPUT = Setting(
    ["--task-output"], section=options.RUNNING, type=click.Path(), metavar="DIR",
    help="What each task prints, in a file of its own there.",
)  # fmt: skip
PROGRESS = Setting(
    ["--progress", " /--no-progress"], section=options.RUNNING, is_flag=True, default=None,
    help="A bar on a terminal, a line a minute in a log. Default: there, and in batch jobs.",
)  # fmt: skip
STATUS = Setting(
    ["--status"], section=options.RUNNING, type=click.Path(), metavar="FILE",
    help="Keep there what runs, and when it ends; myscoop status FILE shows it.",
)  # fmt: skip
TRACE = Setting(
    ["--trace"], section=options.RUNNING, type=click.Path(), metavar="FILE",
    help="When each batch ran where, to be opened in ui.perfetto.dev.",
)  # fmt: skip
REPORT = Setting(
    ["--report"], section=options.RUNNING, type=click.Path(), metavar="FILE",
    help="A page about the run (HTML): time line, durations, hosts, what to do better.",
)  # fmt: skip
STOP_BEFORE = Setting(
    ["--stop-before"], section=options.RUNNING, type=MARGIN, metavar="SECONDS",
    help="Begin no task that the end of the batch job would cut, less these seconds; auto.",
)  # fmt: skip
WALLTIME = Setting(
    ["--walltime"], section=options.RUNNING, type=JOB_TIME, metavar="TIME",
    help="How long the job may run, where the batch system does not say it: 12:30:00.",
)  # fmt: skip
LABEL = Setting(
    ["--label"], section=options.RUNNING, is_flag=True,
    help="Rank, host and task before each line that a worker prints.",
)  # fmt: skip
INTERACTIVE = Setting(
    ["-i", "--interactive"], section=options.RUNNING, is_flag=True,
    help="A prompt when the program is over, with its variables.",
)  # fmt: skip
DEBUG_TASK = Setting(
    ["--debug-task"], section=options.RUNNING, type=TASK, metavar="TASK",
    help="Run this task in the debugger, on rank 0: 17, FUNCTION:17, calls:3.",
)  # fmt: skip
ALL_GPUS = Setting(
    ["--all-gpus"], section=options.RANKS, is_flag=True,
    help="Every worker sees all GPUs of its host, not its share.",
)  # fmt: skip


def programs(incomplete: str) -> list[CompletionItem]:
    """Return ready programs, commands, Python files and directories that begin so."""
    places = importlib.import_module(READY_PROGRAMS).__path__
    ready = [module.name for module in pkgutil.iter_modules(places)]
    found = [name for name in (*ready, *own_commands.NAMES) if name.startswith(incomplete)]
    return [CompletionItem(name) for name in (*python_files(incomplete), *found)]


def taken(
    words: Sequence[str], incomplete: str, params: Sequence[click.Parameter]
) -> list[CompletionItem]:
    """Return what may stand behind these words and begins so: of our own commands, of a sweep."""
    if own_commands.meant(words):
        return own_commands.completed(words, incomplete)
    return [CompletionItem(name) for name in sweep_words.taken(words, incomplete, params)]


@click.command(
    "myscoop",
    cls=WrapperCommand,
    sections=(*options.SECTIONS, _SCOOP),
    ordered=sweep_words.in_front,
    taken=taken,
    params=[
        options.universe("-n"), *options.SHARED, ALL_GPUS, RETRIES, TASK_TIMEOUT,
        SEED, CHECKPOINT, KEEP_FAILURES, RESTARTS, NO_FINISH, TASK_LOG, TASK_OUTPUT, LABEL,
        PROGRESS, STATUS, TRACE, REPORT, STOP_BEFORE, WALLTIME,
        INTERACTIVE, DEBUG_TASK, *SCOOP, *options.forgotten(),
        ProgramWords("PROGRAM [ARGUMENTS]...", programs),
    ],
)  # fmt: skip
@click.pass_context
def main(ctx: click.Context, /, **given: object) -> None:
    """Run PROGRAM on all cores of this batch job, or of this machine.

    PROGRAM is a Python file, a module in the current directory or on PYTHONPATH, or one of the
    ready programs (picalc, sanity, simple_shell; each has its --help). Everything after it belongs
    to the program.

    \b
    myscoop squares 100
    myscoop --sched=local picalc 3000 5000
    myscoop 100:200 echo '$SCOOP_COUNTER'
    myscoop sweep --data data.csv ./simulate -t '$temperature'
    myscoop checkpoint --help; also: sweep, status, trace, report, summarize, results, kernel,
    completion
    """
    from .launch import wrapper  # late: at a TAB nothing is started

    streams.hold_closed()
    request = requested(ctx)
    voice = wrapper.Voice(ctx, request)
    if wrapper.shown_list(request):
        return
    if own_commands.meant(request.words):
        own_commands.run(request.words)
    ignored = [name for name in ("broker", "tunnel") if ctx.params[f"scoop_{name}"]]
    if ignored:
        names = " and ".join(f"--scoop-{name}" for name in ignored)
        voice.remark(f"{names}: nothing to do, MPI has no broker")
    kernel = front_end.is_kernel(request.words)
    if kernel:
        front_end.leave_its_job(os.environ)
    launch = _launch(ctx, request)
    if kernel:
        launch = replace(launch, kernel=True, front_end=front_end.process(os.environ))
    _answer_for_ready(ctx, request, launch.words)
    with ports.kept(request.words if kernel else ()):
        wrapper.run(launch, request, voice, ctx)


def _answer_for_ready(ctx: click.Context, request: Request, words: Sequence[str]) -> None:
    """Say for a ready program what it would say of its words, before there are ranks."""
    if request.instead.explain or request.instead.dry_run:
        return
    said = sweep_words.answer_to(words) or ready_programs.answer_to(words)
    if said is not None:
        click.echo(said.text, nl=False, err=said.status != 0)
        ctx.exit(said.status)


def _launch(ctx: click.Context, request: Request) -> Launch:
    found = ctx.params
    if found["keep_failures"] and found["checkpoint"] is None:
        raise click.UsageError("--keep-failures needs --checkpoint FILE: kept where?", ctx)
    if found["restarts"] and found["checkpoint"] is None:
        raise click.UsageError("--restarts needs --checkpoint FILE: where is it to go on?", ctx)
    words = _program(ctx, request)
    farm = with_paths(group(Options, {**found, "words": words}))
    modules = tuple(name for names in found["loaded"] for name in names)
    return Launch(words, farm, request.launcher, request.binding, modules)


def _program(ctx: click.Context, request: Request) -> tuple[str, ...]:
    """Return the program and its arguments; a counter in front means the program `simple_shell`."""
    module, words = ctx.params["scoop_module"], request.words
    if module is None and words and _RANGE.fullmatch(words[0]):
        module = "simple_shell"
        if words[0] == ":":  # launchers begin another program at this word
            words = ("0:", *words[1:])
    if module is not None and not (words and words[0].endswith(".py")):
        words = (module, *words)
    if not words and not request.instead.explain:
        raise click.UsageError("which program? For example: myscoop squares 100", ctx)
    return words


if __name__ == "__main__":
    main()
