"""wait, with each of its three ends and all its timeouts."""

import os
import tempfile
import time

from scoop import futures


def until(path):
    """A task that lasts as long as there is no such file."""
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.005)
    return "opened"


def quick(value):
    return value


def failing(value):
    raise LookupError(value)


def counts(answer):
    return len(answer.done), len(answer.not_done)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        gate = os.path.join(folder, "gate")
        slow, fast = futures.submit(until, gate), futures.submit(quick, 1)
        done, not_done = futures.wait([slow, fast], return_when=futures.FIRST_COMPLETED)
        print("first completed:", [call.result() for call in done], not_done == {slow})
        print("only a look:", counts(futures.wait([slow, fast], timeout=0)))
        print("a tenth of a second:", counts(futures.wait([slow, fast], timeout=0.1)))
        bad = futures.submit(failing, "no such thing")
        done, not_done = futures.wait([slow, bad], return_when=futures.FIRST_EXCEPTION)
        print("first exception:", [repr(call.exception()) for call in done], not_done == {slow})
        print("running:", slow.running(), slow.done(), fast.running(), fast.done())
        open(gate, "w").close()
        print("for ever:", counts(futures.wait([slow, fast, bad], timeout=None)))
    calls = [futures.submit(quick, number) for number in range(1000)]
    print("negative:", counts(futures.wait(calls, timeout=-1)))
    print("by name:", counts(futures.wait(calls, return_when="ALL_COMPLETED")))
    print("nothing:", counts(futures.wait([])))
    print("twice the same:", counts(futures.wait([fast, fast])))
    print(sum(call.result() for call in calls), slow.result())
