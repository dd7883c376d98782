"""A qsub that runs its job at once, on this host, in an environment recorded in a job of OpenPBS.

The job begins in `/`, with nothing of the caller's environment; what it prints is beside its log,
as PBS has it: NAME.o445948 and NAME.e445948. Jobs have numbers from FIRST on.
"""

from __future__ import annotations

import os
import shlex
import socket
from pathlib import Path

from tests.support.environments import recorded

FIRST = 445948
WORKERS = 2
_OF_A_JOB = frozenset(("PBS_JOBID", "PBS_JOBNAME", "PBS_O_WORKDIR", "PBS_NODEFILE", "TMPDIR"))

_QSUB = """\
#!/bin/bash
set -e
name=
while [ $# -gt 1 ]; do
    if [ "$1" = -N ]; then name=$2; fi
    echo "$1" >>{place}/options
    shift
done
script=$1
: "${{name:=$(sed -n '/^[^#]/q; s/^#PBS -N //p' "$script")}}"
number=$(cat {place}/number)
echo $((number + 1)) >{place}/number
cp "$script" {place}/script.$number
work=$PWD
cd /
env -i {variables} PBS_JOBID=$number.master PBS_JOBNAME="$name" PBS_O_WORKDIR="$work" \\
    /bin/bash {place}/script.$number >"$work/$name.o$number" 2>"$work/$name.e$number" </dev/null \\
    && echo 0 >{place}/status || echo $? >{place}/status
echo $number.master
"""


def install(place: Path) -> Path:
    """Put a qsub into a directory, and return that; the directory is for PATH.

    `status` there says how the last job has ended, `options` which words qsub was given.
    """
    place.mkdir(parents=True, exist_ok=True)
    nodes = place / "nodes"
    nodes.write_text(f"{socket.gethostname()}\n" * WORKERS)
    (place / "number").write_text(f"{FIRST}\n")
    env = {name: value for name, value in recorded("pbs_2x8").items() if name not in _OF_A_JOB}
    env |= {"HOME": "/", "PATH": os.defpath, "PBS_NODEFILE": str(nodes), "TMPDIR": str(place)}
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in env.items())
    qsub = place / "qsub"
    qsub.write_text(_QSUB.format(place=shlex.quote(str(place)), variables=variables))
    qsub.chmod(0o755)
    return place
