"""The answer of every flavour, a `CommandLine`, and what several of them need to make one.

A command line is the words of a launcher with the variables that it needs. Data only; nothing is
started here.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from .ranks import Ranks


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The words that start the ranks, and the environment of the launcher.

    argv: the words. env: variables that the launcher itself needs, and no option can say.
    unset: variables that it must not see. notes: what to tell the user about it, once.
    first: the host of rank 0. program: how many of the words are the program's, the last ones.
    environs: ranks on the launcher's host get its environment. alone: all ranks are on the host of
    rank 0. ends_stdin: each rank sees the end of stdin, if it has one. session: the variable that
    tells the launcher where to have its session files, None where that cannot go wrong.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    first: str = ""
    program: int = 0
    environs: bool = True
    alone: bool = True
    ends_stdin: bool = True
    session: str | None = None

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the launcher, made from that of the caller."""
        return {name: env[name] for name in env if name not in self.unset} | dict(self.env)

    def for_shell(self) -> str:
        """Return the line for a shell, with what only the environment can say in front."""
        words = [word for name in self.unset for word in ("-u", name)]
        words += [f"{name}={value}" for name, value in self.env.items()]
        return shlex.join([*(["env", *words] if words else []), *self.argv])


def for_daemons(ranks: Ranks) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables to set and to forget where daemons are started by srun.

    Within a step srun would wait for its end (seen with Slurm 22.05). What `sbatch --export=NONE`
    leaves in SLURM_EXPORT_ENV would take PATH from the daemons (vsc-mympirun removes it too).
    """
    needs = {"SLURM_OVERLAP": "1"} if ranks.step_of_slurm else {}
    return needs, ("SLURM_EXPORT_ENV",) if "SLURM_EXPORT_ENV" in ranks.env else ()


def with_own_directory(mpirun: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return a PATH with the launcher's directory in front, where it is not on PATH.

    Intel's launcher is a script that looks for its parts there.
    """
    own = os.path.dirname(mpirun)
    path = env.get("PATH", os.defpath)
    return {} if own in path.split(os.pathsep) else {"PATH": os.pathsep.join((own, path))}
