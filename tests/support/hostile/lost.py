"""A program whose tasks end their workers; to be started with `--retries 0`.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import os
import resource
import signal
import sys

from cases import PATIENCE, alive, case, deep, main, says

from scoopmpi import futures


def dies(how):
    if how == "exit":
        os._exit(5)
    if how == "exit 0":
        os._exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    # Pickling a deep list uses up the stack of C. From Python 3.12 on the interpreter counts what C
    # uses too, so there must be less of it than it believes.
    sys.setrecursionlimit(10**9)
    resource.setrlimit(
        resource.RLIMIT_STACK, (1 << 16, resource.getrlimit(resource.RLIMIT_STACK)[1])
    )
    return deep(10**6)


@case()
def workers_that_tasks_end():
    from scoopmpi import WorkerLost

    for how in ("exit", "exit 0", "kill", "stack"):
        error = futures.submit(dies, how).exception(timeout=PATIENCE)
        assert isinstance(error, WorkerLost), error
        says(error, "1 worker died running submitted call")
        alive()


if __name__ == "__main__":
    main()
