"""A program that leaves things open, or ends badly: `endings.py WHAT…`, see `test_ending`.

SLEEP in the environment: how long what is left would run, by which it is found.
"""

import atexit
import concurrent.futures
import ctypes
import dataclasses
import enum
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

from scoopmpi import IS_ORIGIN, futures

SLEEP = os.environ.get("SLEEP", "300")
KEPT = []
WORKERS = 3


def double(x):
    return 2 * x


def traced(function):
    @functools.wraps(function)
    def inner(x):
        return function(x)

    return inner


@traced
def wrapped(x):
    return double(x)


@functools.lru_cache
def cached(x):
    return double(x)


halved = functools.partial(double, 4)
squared = lambda x: x * x  # noqa: E731 (what joblib has to take too)


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int

    def moved(self, by):
        return Point(self.x + by)

    @staticmethod
    def made(x):
        return Point(x)

    class Inner:
        @classmethod
        def made(cls, x):
            return cls(), x


def kind(value):
    return type(value).__name__


def used(pool_map):
    """Whatever a program may define, over the map of some pool."""
    assert pool_map(double, [1, 2]) == [2, 4]
    assert pool_map(wrapped, [1, 2]) == [2, 4]
    assert pool_map(Point(1).moved, [1, 2]) == [Point(2), Point(3)]
    assert pool_map(Point.made, [5]) == [Point(5)]
    assert kind(pool_map(Point.Inner.made, [5])[0][0]) == "Inner"
    assert pool_map(kind, [Color.RED, Point(1)]) == ["Color", "Point"]
    assert pool_map(Color, [1]) == [Color.RED]
    return pool_map.__qualname__


def executes(method):
    """Kept open, as programs do that start a pool once a process."""
    pool = concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context(method))
    KEPT.append(pool)
    used(lambda function, values: list(pool.map(function, values)))
    assert list(pool.map(cached, [1, 2])) == [2, 4]


def pools(method):
    pool = multiprocessing.get_context(method).Pool(2)
    KEPT.append(pool)
    used(pool.map)


def threads(_):
    pool = concurrent.futures.ThreadPoolExecutor(2)
    KEPT.append(pool)
    used(lambda function, values: list(pool.map(function, values)))


def manages(_):
    manager = multiprocessing.Manager()
    KEPT.append(manager)
    values = manager.dict(a=1)
    assert dict(values) == {"a": 1}


def joblib_pools(backend):
    import joblib

    pool = joblib.Parallel(2, backend=backend)
    used(lambda function, values: pool(joblib.delayed(function)(x) for x in values))
    assert pool(joblib.delayed(squared)(x) for x in [3]) == [9]


USES = {"executes": executes, "pools": pools, "threads": threads, "manages": manages}
USES["joblib"] = joblib_pools


def sleeps():
    time.sleep(float(SLEEP))


def forks(what=sleeps):
    if os.fork() == 0:
        what()
        os._exit(0)


LEFT = {
    "thread": lambda: threading.Thread(target=sleeps, name="forgotten").start(),
    "process": lambda: multiprocessing.get_context("fork").Process(target=sleeps).start(),
    "busy pool": lambda: executor_of_one().submit(sleeps),
    "subprocess": lambda: KEPT.append(subprocess.Popen(["sleep", SLEEP])),
    "orphan": lambda: os.system(f"sleep {SLEEP} &"),
    "fork": forks,
    "session": lambda: KEPT.append(subprocess.Popen(["sleep", SLEEP], start_new_session=True)),
    "atexit": lambda: atexit.register(sleeps),
    "interpreter": lambda: atexit.register(ctypes.PyDLL(None).sleep, 300),
}


def executor_of_one():
    KEPT.append(concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")))
    return KEPT[-1]


def leaves(what):
    LEFT[what]()
    time.sleep(0.1)  # so that each worker gets one
    return what


def deliberate():
    """Meant to outlive the job."""
    none = subprocess.DEVNULL
    words = ["sleep", SLEEP]
    outlives = {"stdin": none, "stdout": none, "stderr": none, "start_new_session": True}
    return subprocess.Popen(words, **outlives).pid


def at_the_end_of_mpi(do):
    """MPI drops what is attached to COMM_SELF first."""
    from mpi4py import MPI

    key = MPI.Comm.Create_keyval(delete_fn=lambda *_: do())
    MPI.COMM_SELF.Set_attr(key, 1)


def hangs_in_mpi():
    at_the_end_of_mpi(lambda: time.sleep(300))


def dies_in_mpi():
    at_the_end_of_mpi(lambda: os.kill(os.getpid(), signal.SIGKILL))


def works_inside_a_pool():
    executor_of_one().submit(sleeps).result()


def dies_with_a_pool(mark):
    if not os.path.exists(mark):
        open(mark, "w").close()
        executor_of_one().submit(sleeps)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)


def in_order(path):
    """Each end adds its name to a file, in the interpreter's own order."""

    def add(name):
        with open(path, "a") as file:
            file.write(f"{name}\n")

    def late():
        time.sleep(0.5)
        add("thread")

    KEPT.append(open(f"{path}.open", "w"))  # noqa: SIM115 (that is the point)
    KEPT[-1].write("not closed by anybody")
    atexit.register(add, "atexit")
    threading._register_atexit(add, "before threads")
    threading.Thread(target=late).start()


def main(what, *arguments):
    assert IS_ORIGIN
    if what == "uses":
        for use in arguments:
            name, _, method = use.partition(":")
            list(futures.map(USES[name], [method] * 2))
            print(use, flush=True)
    elif what == "leaves":
        assert list(futures.map(leaves, arguments)) == list(arguments)
    elif what == "rank 0 leaves":
        assert list(map(leaves, arguments)) == list(arguments)
    elif what == "deliberate":
        print(deliberate(), futures.submit(deliberate).result())
    elif what == "busy":
        futures.submit(works_inside_a_pool)
        time.sleep(1)
    elif what == "rank 0 dies":
        assert list(futures.map(leaves, ["busy pool", "subprocess"] * 2))
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "dies with a pool":
        futures.submit(dies_with_a_pool, *arguments).result()
    else:
        function = globals()[what]
        function(*arguments) if arguments[:1] == ("rank 0",) else futures.submit(
            function, *arguments
        ).result()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
