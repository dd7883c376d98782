"""Which variables a command may name: of items, of workers, and of the environment. Pure.

A name that nobody has is told before anything runs, with the one that may be meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from ...process.launcher_variables import without_place
from ..items.array import ARRAY_ID, ARRAY_NAMES
from .command import CommandProblem
from .pattern import Pattern

_OF_ITEMS = (
    "SCOOP_COUNTER", "SCOOP_WORKER_NAME", "WORKER_RANK", "WORKER_SIZE", "WORKER_NUM_THREADS",
    "SCOOP_WORKER_ORIGIN", "SCOOP_WORKER_FREEORIGIN", "OMP_NUM_THREADS", "PWD", "OLDPWD",
)  # fmt: skip
_OF_HOSTS = (
    "HOSTNAME", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
)  # fmt: skip
"""Rank 0 has no GPU of its own where its workers have."""
_OF_ARRAYS = (
    *ARRAY_NAMES,
    "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP",
    "SLURM_ARRAY_TASK_COUNT", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE",
)  # fmt: skip


def check(patterns: Iterable[Pattern], columns: Sequence[str], env: Mapping[str, str]) -> None:
    """Raise CommandProblem where one of the patterns names a variable that nobody has.

    columns: of the items. env: the environment of this process; what tells a rank its place in the
    job is not passed on to items.
    """
    known = {*columns, *without_place(env), *_OF_ITEMS, *_OF_HOSTS}
    if ARRAY_ID in columns:
        known.update(_OF_ARRAYS)
    for pattern in patterns:
        for name in pattern.names:
            if name not in known:
                raise CommandProblem(_told(name, pattern.text, columns, known))


def _told(name: str, text: str, columns: Sequence[str], known: Iterable[str]) -> str:
    kind = "column is" if len(columns) == 1 else "columns are"
    said = (
        f"in {text!r}: no column and no variable is called {name}; the {kind} {', '.join(columns)}"
    )
    begins = [column for column in columns if name.startswith(column)]
    close = difflib.get_close_matches(name, columns, 1) or difflib.get_close_matches(
        name, sorted(known), 1, cutoff=0.8
    )
    if begins:
        column = max(begins, key=len)
        said += f"; ${{{column}}}{name[len(column) :]} is meant?"
    elif close:
        said += f"; ${close[0]} is meant?"
    return f"{said}{'' if said.endswith('?') else '.'} A dollar itself is $$"
