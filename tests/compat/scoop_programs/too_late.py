"""Timeouts: what is not there in time is a TimeoutError, and the program goes on."""

import os
import tempfile
import time
from concurrent.futures import TimeoutError as TooLate

from scoop import futures


def until(path):
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.005)
    return "opened"


def quick(value):
    return value


def shown(what, attempt):
    begun = time.monotonic()
    try:
        attempt()
    except TooLate:
        print(f"{what}: too late, in time: {0.2 <= time.monotonic() - begun < 5}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        gate = os.path.join(folder, "gate")
        slow = futures.submit(until, gate)
        print("the quick ones:", list(futures.map(quick, range(5), timeout=20)))
        shown("result", lambda: slow.result(timeout=0.2))
        shown("exception", lambda: slow.exception(timeout=0.2))
        shown("as_completed", lambda: list(futures.as_completed([slow], timeout=0.2)))
        calls = [futures.submit(quick, 7), slow]
        print("what came:", end=" ")
        try:
            for call in futures.as_completed(calls, timeout=1):
                print(call.result(), end=" ")
        except TooLate:
            print("and then too late")
        shown("map", lambda: list(futures.map(until, [gate] * 3, timeout=0.2)))
        shown("unordered", lambda: list(futures.map_as_completed(until, [gate] * 3, timeout=0.2)))
        open(gate, "w").close()
        print(slow.result(timeout=20), list(futures.map(quick, range(5), timeout=20)))
