"""What `concurrent.futures` promises, as cases that run over any face of `MPIExecutor`."""

from . import ending, futures, lifecycle, maps, outcomes, submit
from .face import CASES, Face

__all__ = ["CASES", "Face", "ending", "futures", "lifecycle", "maps", "outcomes", "submit"]
