"""A user's program in which something goes wrong: `faults.py FAULT…`, see `test_fault_table`.

Rank 0 says what came of each: `FAULT: all values` or `FAULT: told ERROR`, where every other task
has given its value and the farm still works; or nothing, where the job ends.
"""

import atexit
import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time

from scoopmpi import futures
from scoopmpi.process import identity

WORKERS = 3
SLOW = 0.002


def once(mark):
    """Whether this is the first process to ask."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        return True
    return False


if sys.argv[-1] == "importing" and identity.this.rank == 1:
    os.kill(os.getpid(), signal.SIGKILL)


def square(x):
    time.sleep(SLOW)
    return x * x


def pid(_):
    time.sleep(SLOW)
    return os.getpid()


def raises():
    raise LookupError("not here")


def hoards():
    """More than its limit, as `ulimit -v` or a batch system sets it."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, before[1]))
    try:
        return len(bytearray(2**30))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def crashes():
    ctypes.string_at(0)


def leaves():
    os._exit(5)


def stuck():
    """Deaf to its limit, as code in C is that does not look at signals."""
    os.kill(os.getpid(), signal.SIGSTOP)


def dies_at_100(x):
    if x == 100 and once("busy"):
        os.kill(os.getpid(), signal.SIGKILL)
    return square(x)


def parent():
    """Its own worker is killed while it waits for its tasks, by one of them elsewhere."""
    return list(futures.map(child, range(40), [os.getpid()] * 40))


def child(x, parents):
    time.sleep(0.02)
    if os.getpid() != parents and once("parent"):
        os.kill(parents, signal.SIGKILL)
    return x * x


def dies_at_the_end(x):
    if once("ending"):
        atexit.register(os.kill, os.getpid(), signal.SIGKILL)
    return square(x)


def pids():
    found = set()
    while len(found) < WORKERS:
        found.update(futures.map(pid, range(4 * WORKERS)))
    return sorted(found)


def squares(function=square):
    assert list(futures.map(function, range(200))) == [x * x for x in range(200)]


def told(task, *arguments, **limit):
    """One bad task among others."""
    call = futures.submit(task, *arguments, **limit)
    squares()
    return f"told {type(call.exception()).__name__}"


def killed(workers):
    for each in workers:
        os.kill(each, signal.SIGKILL)
    squares()


def stopped():
    victim = pids()[0]
    os.kill(victim, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (victim, signal.SIGCONT)).start()
    squares()


def without_rank_0(number):
    pids()
    futures.submit(time.sleep, 60)
    os.kill(os.getpid(), number)


def parents_values():
    assert futures.submit(parent).result() == [x * x for x in range(40)]


def waits():
    pids()
    print("waiting", flush=True)
    futures.submit(time.sleep, 60).result()


FAULTS = {
    "raises": lambda: told(raises),
    "hoards": lambda: told(hoards),
    "crashes": lambda: told(crashes),
    "leaves": lambda: told(leaves),
    "busy": lambda: squares(dies_at_100),
    "idle": lambda: killed(pids()[:1]),
    "parent": parents_values,
    "stopped": stopped,
    "starting": squares,
    "importing": squares,
    "ending": lambda: squares(dies_at_the_end),
    "all": lambda: killed(pids()),
    "rank 0 killed": lambda: without_rank_0(signal.SIGKILL),
    "rank 0 crashes": lambda: without_rank_0(signal.SIGSEGV),
    "late": lambda: told(time.sleep, 60, task_timeout=0.3),
    "stuck": lambda: told(stuck, task_timeout=0.3),
    "waits": waits,
}

if __name__ == "__main__":
    for fault in sys.argv[1:]:
        said = FAULTS[fault]() or "all values"
        assert futures.submit(abs, -42).result() == 42
        print(f"{fault}: {said}", flush=True)
