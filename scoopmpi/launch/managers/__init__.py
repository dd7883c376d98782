"""Batch systems: each module has one function, `allocation(env, ask)`, and a `NAME`.

It returns None where its system is not there, and raises AllocationError where it is there but
contradicts itself. The first that answers counts, unless `choosing` knows better: an instance of
Flux within a Slurm job is the inner one, and Slurm comes before PBS, as its qsub wrapper sets PBS
variables too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from ..hosts.allocation import LOCAL, Allocation, AllocationError
from ..hosts.asking import Ask, nobody
from . import choosing, cobalt, flux, kubernetes, local, lsf, oar, pbs, pjm, sge, slurm

MANAGERS: tuple[ModuleType, ...] = (
    flux, slurm, cobalt, pbs, lsf, sge, oar, pjm, kubernetes, local,
)  # fmt: skip
NAMES: tuple[str, ...] = tuple(module.NAME for module in MANAGERS)
ALIASES = {
    "torque": "pbs", "openpbs": "pbs", "pbspro": "pbs", "gridengine": "sge", "uge": "sge",
    "ge": "sge", "age": "sge", "spectrumlsf": "lsf", "k8s": "kubernetes",
    "mpioperator": "kubernetes", "fujitsu": "pjm", "none": LOCAL,
}  # fmt: skip
"""Other names of a manager; case, `-` and `_` do not matter either."""


def detect(env: Mapping[str, str], name: str | None = None, ask: Ask = nobody) -> Allocation:
    """The allocation of this job; `name` forces a manager.

    Raises AllocationError for an unknown name, where the forced manager is not there, and where
    the environment contradicts itself.
    """
    found = _answers(MANAGERS if name is None else (_named(name),), env, ask)
    if not found:
        raise AllocationError(f"--sched {name} was asked for, but this is no {name} job")
    chosen, *others = choosing.by_weight(found)
    if name is not None and chosen != LOCAL:
        others = [other for other in present(env) if other not in (chosen, LOCAL)]
    answer = found[chosen]
    if name is None and next(iter(found)) != chosen:  # it was not asked as it can be
        answer = _answer(_named(chosen), env, ask) or answer
    if isinstance(answer, AllocationError):
        raise AllocationError(f"{answer} (--sched={LOCAL} ignores the batch system)") from None
    return choosing.beside(answer, others, env, tell=name is None)


def present(env: Mapping[str, str], ask: Ask = nobody) -> list[str]:
    """The managers that this environment speaks of, the one that counts first; `local` always.

    One whose variables contradict each other is among them.
    """
    names = choosing.by_weight(_answers(MANAGERS, env, ask))
    return names if LOCAL in names else [*names, LOCAL]


def _answers(
    modules: Iterable[ModuleType], env: Mapping[str, str], ask: Ask
) -> dict[str, Allocation | AllocationError]:
    """What the managers say that this environment speaks of; where none does, what `local` says.

    Only the first may ask others: of the next, hosts are all that is wanted.
    """
    found: dict[str, Allocation | AllocationError] = {}
    for module in modules:
        if found and (module is local or (module is pbs and choosing.by_wrapper(env))):
            continue
        answer = _answer(module, env, nobody if found else ask)
        if answer is not None:
            found[module.NAME] = answer
    return found


def _answer(
    module: ModuleType, env: Mapping[str, str], ask: Ask
) -> Allocation | AllocationError | None:
    try:
        found: Allocation | None = module.allocation(env, ask)
    except AllocationError as problem:
        return problem
    return found


def _named(name: str) -> ModuleType:
    plain = name.strip().lower().replace("-", "").replace("_", "")
    modules = dict(zip(NAMES, MANAGERS, strict=True))
    if ALIASES.get(plain, plain) not in modules:
        raise AllocationError(f"--sched {name} is unknown; known are {', '.join(NAMES)}")
    return modules[ALIASES.get(plain, plain)]
