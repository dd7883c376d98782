"""Batch systems: each module has one function, `allocation(env, ask)`, and a `NAME`.

It returns None where its system is not there, and raises AllocationError where it is there but
contradicts itself. Where several answer, one's variables are inherited from another job's shell:
the system counts that has started this process, else the one that has given it this host, else the
first. An instance of Flux within a Slurm job is the inner one; Slurm comes before PBS, as its qsub
wrapper sets PBS variables too.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import ModuleType

from .. import ancestors
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
_SPOKEN = {
    "slurm": "Slurm", "flux": "Flux", "cobalt": "Cobalt", "sge": "Grid Engine",
    "kubernetes": "Kubernetes",
}  # fmt: skip
"""How people write them; the others in capitals."""


def detect(env: Mapping[str, str], name: str | None = None, ask: Ask = nobody) -> Allocation:
    """The allocation of this job; `name` forces a manager.

    Raises AllocationError for an unknown name, where the forced manager is not there, and where
    the environment contradicts itself.
    """
    found = _answers(MANAGERS if name is None else (_named(name),), env, ask)
    if not found:
        raise AllocationError(f"--sched {name} was asked for, but this is no {name} job")
    chosen, *others = _by_weight(found)
    answer = found[chosen]
    if others and next(iter(found)) != chosen:  # it was not asked as it can be
        answer = _answer(_named(chosen), env, ask) or answer
    if isinstance(answer, AllocationError):
        raise AllocationError(f"{answer} (--sched={LOCAL} ignores the batch system)") from None
    if not others or chosen == flux.NAME:
        return answer
    warning = (
        f"the variables of {', '.join(map(_spoken, others))} are there too, as in a job that was "
        f"submitted from another's shell: taken are the hosts of {_spoken(chosen)} "
        f"(--sched={others[0]} takes the others)"
    )
    return replace(answer, warnings=(warning, *answer.warnings))


def present(env: Mapping[str, str], ask: Ask = nobody) -> list[str]:
    """The managers that this environment speaks of, the one that counts first; `local` always.

    One whose variables contradict each other is among them.
    """
    names = _by_weight(_answers(MANAGERS, env, ask))
    return names if LOCAL in names else [*names, LOCAL]


def _answers(
    modules: Iterable[ModuleType], env: Mapping[str, str], ask: Ask
) -> dict[str, Allocation | AllocationError]:
    """What the managers say that this environment speaks of; where none does, what `local` says.

    Only the first may ask others: of the next, hosts are all that is wanted.
    """
    found: dict[str, Allocation | AllocationError] = {}
    for module in modules:
        if found and (module is local or (module is pbs and _by_wrapper(env))):
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


def _by_weight(found: Mapping[str, Allocation | AllocationError]) -> list[str]:
    """The managers that have answered, the one that counts first."""
    names = list(found)
    if len(names) > 1 and names[0] != flux.NAME:
        daemon = ancestors.manager()
        counts = (
            daemon if daemon in found else next(filter(lambda n: _is_here(found[n]), names), "")
        )
        names.sort(key=lambda name: name != counts)
    return names


def _is_here(answer: Allocation | AllocationError) -> bool:
    """Whether this machine is one of the hosts."""
    own = socket.gethostname().partition(".")[0]
    names = {host.name.partition(".")[0] for host in getattr(answer, "hosts", ())}
    return not names.isdisjoint((own, "localhost"))


def _by_wrapper(env: Mapping[str, str]) -> bool:
    """Whether PBS's variables are those that Slurm's own qsub has set: of the same job."""
    job = env.get("PBS_JOBID", "").partition(".")[0]
    return job != "" and job == env.get("SLURM_JOB_ID")


def _spoken(name: str) -> str:
    return _SPOKEN.get(name, name.upper())


def _named(name: str) -> ModuleType:
    plain = name.strip().lower().replace("-", "").replace("_", "")
    modules = dict(zip(NAMES, MANAGERS, strict=True))
    if ALIASES.get(plain, plain) not in modules:
        raise AllocationError(f"--sched {name} is unknown; known are {', '.join(NAMES)}")
    return modules[ALIASES.get(plain, plain)]
