"""A user's program for the command tests: `programs.py WHAT`."""

import contextlib
import logging
import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from scoop import futures

from scoopmpi.tasks import current_executor

STATE = []


def square(x):
    return x * x


def chatter(x):
    print(f"[{x} " + "x" * 300 + "]")
    print(f"(error {x})", file=sys.stderr)
    return x


def where(_):
    time.sleep(0.02)
    return os.getpid(), __name__, os.environ.get("OMP_NUM_THREADS")


def die(how):
    time.sleep(0.2)
    if how == "exit":
        os._exit(5)
    os.kill(os.getpid(), {"kill": 9, "segv": 11}[how])


def dies_once(mark):
    """Kills its worker, but for the one time after."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), 9)
    return os.path.basename(mark)


def inner(mark):
    return [*futures.map(square, range(20)), dies_once(mark)]


def outer(mark):
    return list(futures.map(inner, [f"{mark}{x}" for x in range(2)]))


def forever(_):
    while True:
        pass


def nap(_):
    time.sleep(100)


class Garbage:
    def __init__(self):
        self.me = self

    def __del__(self):
        print("gone")


def leaves_garbage(x):
    for _ in range(3):
        Garbage()
    return [x]


def forks(x):
    if os.fork() == 0:
        print("from a child")
        sys.exit(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return sum(pool.map(abs, range(4)))


def reciprocal(x):
    return 1 / x


def map_of_squares(count):
    return futures.map(square, range(count))


def main(what, *arguments):
    if what == "arguments":
        print(sys.argv[1:], __name__, os.path.basename(sys.argv[0]))
    elif what == "squares":
        print(sum(futures.map(square, range(int(arguments[0])))))
    elif what == "chatter":
        assert list(futures.map(chatter, range(500))) == list(range(500))
    elif what == "where":
        seen = set(futures.map(where, range(100)))
        print(len({pid for pid, _, _ in seen}), sorted({(name, omp) for _, name, omp in seen}))
    elif what == "lose":
        flat = [futures.submit(dies_once, os.path.abspath("a")), *map_of_squares(1000)]
        print(flat[0].result(), sum(flat[1:]), futures.submit(outer, os.path.abspath("b")).result())
        # One may die in a task whose parent died before it: for that nobody waits, but here.
        lost = current_executor.current().farm.members.lost
        assert current_executor.wait_until(lambda: len(lost) == 3, 20)
    elif what == "die alone":
        calls = [futures.submit(die, "exit"), *(futures.submit(square, x) for x in range(4))]
        print([call.result() for call in calls[1:]], repr(calls[0].exception()))
    elif what == "die":
        list(futures.map(die, arguments))
    elif what == "leave":
        futures.submit(nap if arguments[0] == "nap" else forever, 0)
        time.sleep(0.3)
    elif what == "status":
        sys.exit(int(arguments[0]))
    elif what == "text":
        sys.exit("a last word")
    elif what == "raise":
        raise LookupError("from the program")
    elif what == "task raises":
        list(futures.map(reciprocal, [1, 0]))
    elif what == "wait":
        print("waiting", flush=True)
        list(futures.map(nap, range(4)))
    elif what == "guarded":

        def below_the_guard(x):
            return square(x) + 1

        globals()["below_the_guard"] = below_the_guard
        below_the_guard.__qualname__ = "below_the_guard"
        print(list(futures.map(below_the_guard, range(4))))
    elif what == "forks":
        if os.fork() == 0:
            sys.exit(0)
        assert list(futures.map(forks, range(8))) == [6] * 8
        print("all there")
    elif what == "thread pool":
        pool = ThreadPoolExecutor(2)
        print(pool.submit(square, 3).result())
        print(sum(futures.map(square, range(10))))
    elif what == "last words":
        values = list(futures.map(leaves_garbage, range(3000)))
        assert values == [[x] for x in range(3000)]
        print("all there")
    elif what == "logging":
        logging.basicConfig(format="mine: %(message)s")
        logging.warning("from the program")
    elif what == "memory":
        import resource

        assert sum(1 for _ in futures.map(square, range(10**7))) == 10**7
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
