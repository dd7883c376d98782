"""Kubernetes with the MPI operator: a host file in the launcher's pod, in two spellings.

    pi-worker-0.pi.default.svc slots=4          pi-worker-0.pi.default.svc:4

The variables are those that kubeflow/mpi-operator sets (pkg/controller/mpi_job_controller.go);
no cluster was tried.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...process.asking import Ask
from ..hosts import hostlist
from ..hosts.allocation import Allocation, AllocationError, merged
from .reading import lines

NAME = "kubernetes"
TITLE = "Kubernetes"
ALIASES = ("k8s", "mpioperator")
VARIABLES = ("K_MPI_",)
DAEMONS: tuple[str, ...] = ()
HOST_FILE = "/etc/mpi/hostfile"
_FILES = (
    "OMPI_MCA_orte_default_hostfile", "PRTE_MCA_prte_default_hostfile", "HYDRA_HOST_FILE",
    "I_MPI_HYDRA_HOST_FILE",
)  # fmt: skip


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return the worker pods of an MPIJob, where this is its launcher."""
    role = env.get("K_MPI_JOB_ROLE")
    older = env.get("KUBERNETES_SERVICE_HOST") and os.path.exists(HOST_FILE)
    if not role and not older:  # operators before v2 set no role
        return None
    if role and role != "launcher":
        raise AllocationError(f"K_MPI_JOB_ROLE={role}: only the launcher's pod starts ranks")
    variable = next((name for name in _FILES if env.get(name)), None)
    path = env[variable] if variable else HOST_FILE
    name = variable or "the host file of the MPI operator"
    text = "\n".join(lines(path, name))
    hosts = merged(hostlist.hosts(text, f"{name}={path}", lambda: 1), f"{name}={path}")
    return Allocation(NAME, hosts, (*(["K_MPI_JOB_ROLE"] if role else ()), variable or path))
