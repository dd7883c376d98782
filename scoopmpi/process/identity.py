"""What this process is in the job: facts that `__main__` sets once and everybody may read.

No logic, and no imports of the project: the floor below all others.
"""

from __future__ import annotations

started = False
"""Whether one of our launchers started the program."""
importing = False
"""Whether this worker is just importing the program."""
ended = False
"""Whether the program is over, and what it left to executors has run."""
rank = 0
"""The rank of this process."""
size = 1
"""How many ranks there are."""
task_timeout: float | None = None
"""Seconds that each task may take which is not given a limit of its own."""
