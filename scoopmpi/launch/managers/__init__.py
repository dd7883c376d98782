"""Batch systems: each is one module here that says which hosts and slots the job was given.

To add one: write a module that keeps the convention `Manager` (in `manager`), and put it into the
tuple `MANAGERS`: `mypy` refuses a tuple with a module that does not. What all of them need to read
variables and files is in `reading`; `choosing` says which one counts where several answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...process.asking import Ask, nobody
from ..hosts.allocation import LOCAL, Allocation, AllocationError
from . import choosing, cobalt, flux, kubernetes, local, lsf, oar, pbs, pjm, sge, slurm
from .manager import Manager

MANAGERS: tuple[Manager, ...] = (flux, slurm, cobalt, pbs, lsf, sge, oar, pjm, kubernetes, local)
"""The first that answers counts, unless `choosing` knows better: an instance of Flux within a Slurm
job is the inner one, and Slurm comes before PBS, as its qsub wrapper sets PBS variables too."""
NAMES: tuple[str, ...] = tuple(manager.NAME for manager in MANAGERS)
ALIASES: dict[str, str] = {other: each.NAME for each in MANAGERS for other in each.ALIASES}
"""Other names of a manager; case, `-` and `_` do not matter either."""
DAEMONS: dict[str, str] = {daemon: each.NAME for each in MANAGERS for daemon in each.DAEMONS}
"""Whose processes are called so."""


def detect(env: Mapping[str, str], name: str | None = None, ask: Ask = nobody) -> Allocation:
    """Return the allocation of this job.

    env: the environment of the job. name: a manager that is believed, and no other; None for
    whichever is there. ask: runs a program, for managers whose variables do not say enough.
    Raises AllocationError for an unknown name, where the named manager is not there, and where the
    environment contradicts itself.
    """
    found = _answers(MANAGERS if name is None else (_named(name),), env, ask)
    if not found:
        raise AllocationError(f"--sched {name} was asked for, but this is no {name} job")
    chosen, *others = choosing.by_weight(found, DAEMONS)
    if name is not None and chosen != LOCAL:
        others = [other for other in present(env) if other not in (chosen, LOCAL)]
    answer = found[chosen]
    if name is None and next(iter(found)) != chosen:  # it was not asked as it can be
        answer = _answer(_named(chosen), env, ask) or answer
    if isinstance(answer, AllocationError):
        raise AllocationError(f"{answer} (--sched={LOCAL} ignores the batch system)") from None
    rest = [_named(other) for other in others]
    return choosing.beside(answer, _named(chosen), rest, env, tell=name is None)


def present(env: Mapping[str, str], ask: Ask = nobody) -> list[str]:
    """Return the names of the managers that an environment speaks of, the one that counts first.

    One whose variables contradict each other is among them, and `local` always.
    """
    names = choosing.by_weight(_answers(MANAGERS, env, ask), DAEMONS)
    return names if LOCAL in names else [*names, LOCAL]


def _answers(
    managers: Iterable[Manager], env: Mapping[str, str], ask: Ask
) -> dict[str, Allocation | AllocationError]:
    """Return the answers of the managers that this environment speaks of; else that of `local`.

    Only the first may ask others: of the next, hosts are all that is wanted.
    """
    found: dict[str, Allocation | AllocationError] = {}
    for manager in managers:
        if found and (manager is local or (manager is pbs and choosing.by_wrapper(env))):
            continue
        answer = _answer(manager, env, nobody if found else ask)
        if answer is not None:
            found[manager.NAME] = answer
    return found


def _answer(
    manager: Manager, env: Mapping[str, str], ask: Ask
) -> Allocation | AllocationError | None:
    try:
        return manager.allocation(env, ask)
    except AllocationError as problem:
        return problem


def _named(name: str) -> Manager:
    plain = name.strip().lower().replace("-", "").replace("_", "")
    managers = dict(zip(NAMES, MANAGERS, strict=True))
    if ALIASES.get(plain, plain) not in managers:
        raise AllocationError(f"--sched {name} is unknown; known are {', '.join(NAMES)}")
    return managers[ALIASES.get(plain, plain)]
