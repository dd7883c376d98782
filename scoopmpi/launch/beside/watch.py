"""How a launcher is to be run, a `Watch`, and how long it may be silent, a `Silence`. Data only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Silence:
    """How many seconds nothing may be printed from the start on; `fatal` ends the job then."""

    seconds: float
    fatal: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """How a launcher is to be run.

    tell: hears what the user has to know.
    output: a file descriptor in the place of our stdout and stderr.
    here: rank 0 is one of ours, on this host. marked: it is one of ours, elsewhere: its stdin gets
    a mark at the end. opened: it opens our stdin itself.
    apart: what the launcher prints when the program is over, or a signal has come, goes to stderr.
    draws: our stderr is a terminal, on which what rank 0 says of its jobs may be drawn.
    front_end: a process without which nobody wants the job any more; None for none.
    patience: seconds in which rank 0 has to end that is asked to; None for as long as it likes.
    cells: rank 0 shows in cells what it finds on its stdout and stderr.
    signalled: called where a signal asks for the end; SIGUSR1 and SIGUSR2 do so then.
    """

    tell: Callable[[str], None]
    silence: Silence | None = None
    output: int | None = None
    here: bool = False
    marked: bool = False
    opened: bool = False
    apart: bool = False
    draws: bool = False
    front_end: int | None = None
    patience: float | None = None
    cells: bool = False
    signalled: Callable[[], None] | None = None
