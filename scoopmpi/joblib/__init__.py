"""joblib's Parallel on the farm: `from scoopmpi.joblib import register; register()`.

Here are joblib's words and its ways of asking; what runs the calls is behind the executor of this
process, which is the farm's on rank 0 and the worker's own in a task. Nothing here schedules or
sends, and nothing outside this room knows of joblib.
"""

from __future__ import annotations

from joblib import register_parallel_backend

from .backend import FarmBackend

NAME = FarmBackend.name


def register(make_default: bool = False) -> None:
    """Make the farm a backend of joblib: `parallel_config(backend="scoopmpi")`.

    make_default: True has every `Parallel` of this program run on the farm that names no other.
    """
    register_parallel_backend(NAME, FarmBackend, make_default=make_default)
