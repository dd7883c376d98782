"""joblib's Parallel on the farm: `from scoopmpi.joblib import register; register()`.

Here are joblib's words and its ways of asking; what runs the calls is behind `futures`. Nothing
here schedules, sends or batches, and nothing outside this room knows of joblib.
"""

from __future__ import annotations

from joblib import register_parallel_backend

from .backend import FarmBackend

NAME = "scoopmpi"


def register() -> None:
    """Make the farm a backend of joblib: `parallel_config(backend="scoopmpi")`."""
    register_parallel_backend(NAME, FarmBackend)
