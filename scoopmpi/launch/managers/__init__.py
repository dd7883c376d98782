"""Batch systems: each module has one function, `allocation(env, ask)`, and a `NAME`.

It returns None where its system is not there, and raises AllocationError where it is there but
contradicts itself. The first that answers counts: an instance of Flux within a Slurm job is the
inner one, and Slurm comes before PBS, as its qsub wrapper sets PBS variables too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from ..allocation import LOCAL, Allocation, AllocationError
from ..asking import Ask, nobody
from . import cobalt, flux, kubernetes, local, lsf, oar, pbs, pjm, sge, slurm

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
    for module in MANAGERS if name is None else (_named(name),):
        try:
            found: Allocation | None = module.allocation(env, ask)
        except AllocationError as problem:
            raise AllocationError(f"{problem} (--sched={LOCAL} ignores the batch system)") from None
        if found is not None:
            return found
    raise AllocationError(f"--sched {name} was asked for, but this is no {name} job")


def present(env: Mapping[str, str], ask: Ask = nobody) -> list[str]:
    """The managers that this environment speaks of, the one that counts first; `local` always.

    One whose variables contradict each other is among them.
    """
    return [module.NAME for module in MANAGERS if _speaks(module, env, ask)]


def _speaks(module: ModuleType, env: Mapping[str, str], ask: Ask) -> bool:
    try:
        return module.allocation(env, ask) is not None
    except AllocationError:
        return True


def _named(name: str) -> ModuleType:
    plain = name.strip().lower().replace("-", "").replace("_", "")
    modules = dict(zip(NAMES, MANAGERS, strict=True))
    if ALIASES.get(plain, plain) not in modules:
        raise AllocationError(f"--sched {name} is unknown; known are {', '.join(NAMES)}")
    return modules[ALIASES.get(plain, plain)]
