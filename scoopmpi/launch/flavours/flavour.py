"""The convention that every module of an MPI library keeps; `mypy` checks each one against it.

The tuple `FLAVOURS` in `flavours` is typed by this. What a flavour is asked for is `Ranks`, what it
answers a `CommandLine`.
"""

from __future__ import annotations

from typing import Protocol

from .command_line import CommandLine
from .ranks import Ranks


class Flavour(Protocol):
    """An MPI library: how it is recognised, and what its launcher wants to hear. All pure."""

    @property
    def NAME(self) -> str:
        """Return the name for `--setmpi`, in small letters without blanks."""

    @property
    def TITLE(self) -> str:
        """Return the name as people write it."""

    @property
    def ALIASES(self) -> tuple[str, ...]:
        """Return other names that `--setmpi` takes."""

    @property
    def EXTRA(self) -> str:
        """Return our extra that installs the library from PyPI; "" where there is none."""

    @property
    def LAUNCHERS(self) -> tuple[str, ...]:
        """Return the file names of its launcher, the best one first."""

    @property
    def MOST_WORDS(self) -> int | None:
        """Return how many words of a program the launcher hands on; None for whatever comes."""

    @property
    def MOST_BYTES(self) -> int | None:
        """Return how many bytes they may have, as `process.words.size` counts them."""

    def recognises(self, library: str) -> bool:
        """Return True for the library's own words.

        library: what `MPI_Get_library_version` says.
        """

    def starts(self, version: str, library: str) -> bool:
        """Return True where a launcher starts ranks of a library.

        version: what the launcher answers to `--version`. library: what the library says of
        itself; "" where nobody knows, then True for a launcher that is this flavour's own.
        """

    def command_line(self, mpirun: str, ranks: Ranks) -> CommandLine:
        """Return the words and variables that start the ranks.

        mpirun: the path of the launcher. Raises LaunchError where it cannot be told; the message
        is for the user.
        """
