"""The program's module under the name that it has on workers, in a process spawned by a task.

Functions of the program are pickled by that name there. multiprocessing's spawn and forkserver
(the default on macOS, and on Linux from Python 3.14 on) import the program anew, as `__main__`.
"""

from __future__ import annotations

import sys

sys.modules[__name__] = sys.modules["__main__"]
