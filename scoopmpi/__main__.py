"""`python -m scoopmpi PROGRAM ARGUMENTS…`: a rank of a job, or the command that starts one.

Under an mpirun it becomes a rank (`ranks.start`). Without one it starts itself again under one, on
the hosts of the batch job or all local cores (`launch.launching`). Only the choice is made here.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from .process import launcher_variables, lifeline, streams
from .program import scoop_options, setup

FIRST_WORDS = "SCOOPMPI_WORDS_0"
"""Is set where the words come as variables, see `process.words`."""


def main() -> NoReturn:
    """Play this process's part and exit with the program's status."""
    streams.hold_closed()
    rank = launcher_variables.rank_of(os.environ)
    with_line = lifeline.command.connect(os.environ, rank)
    options = _options(rank)
    setup.log_to_stderr(options)
    if rank is None and not launcher_variables.rank_comes_late(os.environ):
        _start(options)
    if options.prolog is not None or options.python is not None:
        from .launch import scoop_command

        scoop_command.restart_rank(options)
    from .ranks.start import start

    start(rank, options, with_line)


def _start(options: scoop_options.Options) -> NoReturn:
    """Start the ranks; the prompt of `python -i` is rank 0's, not this process's."""
    from .launch import scoop_command

    if not sys.flags.interactive:
        scoop_command.start(options)
    try:
        scoop_command.start(options._replace(interactive=True))
    except SystemExit as ending:
        streams.flush()
        os._exit(ending.code if isinstance(ending.code, int) else 0)


def _options(rank: int | None) -> scoop_options.Options:
    """Read our own options, and have them in effect as far as they concern this process."""
    tell = not rank
    try:
        options = scoop_options.parse(_words())
        if options.help:
            from .program.usage import USAGE

            print(USAGE, end="")
            sys.exit(0)
        if options.version:
            from . import __version__

            print(f"python -m scoopmpi, of scoopmpi {__version__}")
            sys.exit(0)
        if tell and not options.quiet:
            for note in scoop_options.notes(options, launched=rank is not None):
                print(f"scoopmpi: {note}", file=sys.stderr)
        return setup.enter(options)
    except scoop_options.UsageError as problem:
        if tell:
            print(f"scoopmpi: {problem} (see python -m scoopmpi --help)", file=sys.stderr)
        sys.exit(2)


def _words() -> list[str]:
    """Return the words of the command line, wherever a launcher could put them."""
    if FIRST_WORDS in os.environ:
        from .process import words

        return words.taken(os.environ) or sys.argv[1:]
    return sys.argv[1:]


if __name__ == "__main__":
    main()
