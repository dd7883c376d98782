"""A checkpoint for a farm: joins its file, the records of its jobs, and the farm's constants."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .file import CheckpointFile
from .record import Checkpoint

if TYPE_CHECKING:
    from ..farm.farm import Farm


def opened(path: str | os.PathLike[str], farm: Farm, program: str = "") -> Checkpoint:
    """The checkpoint of a program, before its first job; or of one executor, without a name.

    Raises CheckpointError where the file is none, or not to be trusted.
    """
    return Checkpoint(CheckpointFile(path, program), farm.sharing)
