"""A checkpoint for a farm: joins its file, the records of its jobs, and the farm's constants."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .file import CheckpointFile
from .record import Checkpoint

if TYPE_CHECKING:
    from ..farm import Farm


def for_program(path: str, farm: Farm, program: str) -> Checkpoint:
    """The checkpoint of a whole program, before its first job.

    What its tasks set as constants in an earlier run is set again, as these tasks may not run.
    Raises CheckpointError where the file is none, or not to be trusted.
    """
    file = CheckpointFile(path, program)
    farm.sharing.recalled(file.constants())
    farm.sharing.keep = file.save_constant
    return _checkpoint(file, farm)


def for_executor(path: str | os.PathLike[str], farm: Farm) -> Checkpoint:
    """The checkpoint of one executor's jobs. Raises CheckpointError as above."""
    return _checkpoint(CheckpointFile(path), farm)


def _checkpoint(file: CheckpointFile, farm: Farm) -> Checkpoint:
    def constants() -> dict[str, Any]:
        return {name: farm.sharing.store.get(name) for name in farm.sharing.given}

    return Checkpoint(file, constants)
