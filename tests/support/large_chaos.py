"""A user's program with large values under way, to which something happens: see WAYS.

`large_chaos.py WAY SEED MIB`. Says "all values" when each was right.
"""

import itertools
import os
import random
import subprocess
import sys
import time

import numpy as np

from scoopmpi import futures
from scoopmpi.process import identity

WAY, SEED, MIB = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
COUNT = MIB << 17
CHANCE = random.Random(SEED)
ROUNDS, TASKS = 3, 6


def full(number):
    return np.full(COUNT, float(number))


def only(array):
    assert (array == array[0]).all(), "parts of two arrays"
    return float(array[0])


def echo(array, number=0):
    found = only(array)
    array += number
    return found, array


def raises(array):
    if only(array) % 2:
        raise ValueError(array[:100_000])
    return array


def pid(_):
    time.sleep(0.01)
    return os.getpid()


def worker():
    """The process of a worker that lives."""
    return CHANCE.choice(sorted(set(futures.map(pid, range(40)))))


def soon(commands):
    """Have a shell do it within the time that one value takes."""
    subprocess.Popen(["sh", "-c", f"sleep {CHANCE.uniform(0, 0.001 * MIB):.4f}; {commands}"])


def right(values, plus=0):
    for number, (found, array) in enumerate(values):
        assert (found, only(array)) == (number, number + plus)


def maps():
    right(futures.map(echo, map(full, range(TASKS))))
    array = full(0)
    for found, value in futures.map(echo, itertools.repeat(array), [7] * TASKS):
        assert (found, only(value)) == (0, 7)
    assert only(array) == 0
    calls = [futures.submit(echo, full(number), number=1) for number in range(TASKS)]
    right((call.result() for call in calls), plus=1)


def killed():
    for _ in range(ROUNDS):
        soon(f"kill -9 {worker()}")
        maps()


def stopped():
    for victim in (worker(), os.getpid(), worker()):
        soon(f"kill -STOP {victim}; sleep {CHANCE.uniform(0.1, 0.4):.3f}; kill -CONT {victim}")
        maps()


def given_up():
    """Maps of which nobody takes the rest, calls that are cancelled, tasks that raise."""
    for _ in range(ROUNDS):
        values = futures.map(echo, map(full, range(3 * TASKS)))
        for _ in range(CHANCE.randrange(3)):
            next(values)
        del values
        calls = [futures.submit(echo, full(number)) for number in range(TASKS)]
        for call in CHANCE.sample(calls, 3):
            call.cancel()
        for number, call in enumerate(calls):
            assert call.cancelled() or only(call.result()[1]) == number
        values = futures.map(raises, map(full, range(TASKS)), return_exceptions=True)
        for number, value in enumerate(values):
            assert type(value) is ValueError if number % 2 else only(value) == number
        maps()


def interrupted():
    soon(f"sleep 0.3; kill -INT {os.getpid()}")
    for _ in range(1000):
        maps()


def ends():
    """With a map that nobody reads, one that is read in part, and calls."""
    values = futures.map(echo, map(full, range(TASKS)))
    next(values)
    for number in range(TASKS):
        futures.submit(echo, full(number))
    kept.append(futures.map(echo, map(full, range(TASKS))))


WAYS = (killed, stopped, given_up, interrupted, ends)
kept = []

if __name__ == "__main__":
    if identity.this.rank == 0:
        {way.__name__: way for way in WAYS}[WAY]()
        print("all values")
