"""Start `python -m scoopmpi` under a launcher, where it was called without one.

Its options are SCOOP's, read in `program.scoop_options`, as each rank may have to read them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from ..process.asking import asking
from ..program import ready_programs
from ..program.scoop_options import UNABLE, Options
from ..watching.progress import choice
from . import detection, job_files, managers, running
from .commandline import composing, rank_command
from .commandline.launch import NAMED, Launch, with_paths
from .flavours.ranks import LauncherOptions, LaunchError
from .hosts import hostlist, placement
from .hosts.allocation import Allocation
from .managers import local


def start(options: Options) -> NoReturn:
    """Start the ranks and stay until the end of the job; exit with its status."""
    env = os.environ
    try:
        hosts = allocation_for(options, env)
        launch = launch_for(options)
        if (said := _answer_to(launch.words)) is not None:
            print(said.text, end="", file=sys.stderr if said.status else sys.stdout)
            sys.exit(said.status)
        if not launch.words and not _terminal():
            launch = replace(launch, words=("-",))  # only here: behind mpirun it is a pipe always
        terminal = options.output is None and choice.draws(options.progress, options.quiet, env)
        launch = replace(launch, terminal=terminal)
        job_files.check(launch.farm, {"--output": options.output})
        composed = composing.command_line(launch, hosts, env)
        for note in () if options.quiet else composed.notes:
            _tell(note)
        sys.exit(running.run(launch, composed, _tell, output=_output(options)))
    except composing.PROBLEMS as problem:
        _tell(str(problem))
        sys.exit(UNABLE)


def _answer_to(words: Sequence[str]) -> ready_programs.Answer | None:
    """Return what to print instead of starting ranks; mostly None."""
    if words[:1] == ("sweep",):
        from . import sweep_words  # late: its options are read by click, which takes 30 ms

        return sweep_words.answer_to(words)
    return ready_programs.answer_to(words)


def _output(options: Options) -> int | None:
    """Open the file that stands in the place of stdout and stderr, where one is asked for."""
    path = job_files.output(options.output, _tell)
    if path is None:
        return None
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        raise LaunchError(f"--output {path} cannot be written: {problem.strerror}") from None


def restart_rank(options: Options) -> NoReturn:
    """Become the same rank again, by another interpreter or behind the prolog.

    For ranks of the user's own mpirun, which nobody has told of these two.
    """
    try:
        launch = launch_for(options)
        # The names of its files stay as the user gave them: {job} is no number of this process.
        given = {name: getattr(options, name) for name in (*NAMED, "output")}
        farm = with_paths(options)._replace(**given)
        words = rank_command.of_rank(replace(launch, farm=farm))
    except composing.PROBLEMS as problem:
        _tell(str(problem))
        sys.exit(UNABLE)
    os.execv(words[0], words)


def launch_for(options: Options) -> Launch:
    """Return what the options ask to start."""
    agent = options.ssh_executable or ("rsh" if options.rsh else None)
    return Launch(options.words, with_paths(options), LauncherOptions(agent=agent))


def allocation_for(options: Options, env: Mapping[str, str]) -> Allocation:
    """Return the hosts that the options name, else those of the batch job, with the workers asked.

    Raises AllocationError, naming the file and line of a host file.
    """
    named = bool(options.hosts or options.hostfile is not None)
    if options.hosts:
        found = hostlist.from_words(options.hosts)
    elif options.hostfile is not None:
        found = hostlist.from_file(options.hostfile, local.cores)
    else:
        found = managers.detect(env, ask=asking(env))
    if options.workers is None:
        return found
    resized = placement.resized(found, options.workers)
    return resized if named else detection.warned(found, resized, "worker", "-q")


def _tell(text: str) -> None:
    print(f"scoopmpi: {text}", file=sys.stderr, flush=True)


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
