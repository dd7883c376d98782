"""Every rank says where it runs, and on which cores it may compute."""

import os

from mpi4py import MPI

here = f"rank {MPI.COMM_WORLD.rank} of {MPI.COMM_WORLD.size} on {MPI.Get_processor_name()}"
if hasattr(os, "sched_getaffinity"):
    here += f", cores {sorted(os.sched_getaffinity(0))}"

lines = MPI.COMM_WORLD.gather(here)
if MPI.COMM_WORLD.rank == 0:
    print(*lines, sep="\n")
