"""The convention that every module of a batch system keeps; `mypy` checks each one against it.

No module is asked for its type at run time: the tuple `MANAGERS` in `managers` is typed by this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...process.asking import Ask
from ..hosts.allocation import Allocation


class Manager(Protocol):
    """A batch system, or none: which hosts and slots it has given to this job."""

    @property
    def NAME(self) -> str:
        """Return the name for `--sched`, in small letters without blanks."""

    @property
    def TITLE(self) -> str:
        """Return the name as people write it."""

    @property
    def ALIASES(self) -> tuple[str, ...]:
        """Return other names that `--sched` takes, in small letters without `-` and `_`."""

    @property
    def VARIABLES(self) -> tuple[str, ...]:
        """Return how the names of the variables begin that it gives to its jobs.

        Where another system's job has inherited them, they are kept from the launcher.
        """

    @property
    def DAEMONS(self) -> tuple[str, ...]:
        """Return the names of its processes below which jobs run; none where nobody knows."""

    def allocation(self, env: Mapping[str, str], ask: Ask) -> Allocation | None:
        """Return the hosts of this job, or None where the batch system is not there.

        env: the environment of the job. ask: runs a program, for systems whose variables do not
        say enough. Raises AllocationError where the system is there but contradicts itself; the
        message names the variable and its value.
        """
