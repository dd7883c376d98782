"""A call that has not begun can be cancelled; one that is over cannot."""

import os
import tempfile
import time
from concurrent.futures import CancelledError

from scoop import futures


def until(path):
    end = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.005)
    return "opened"


def note(folder, number):
    open(os.path.join(folder, f"ran {number}"), "w").close()
    return number


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        gate = os.path.join(folder, "gate")
        slow = [futures.submit(until, gate) for _ in range(8)]
        queued = [futures.submit(note, folder, number) for number in range(20)]
        print(queued[-1].cancel(), queued[-1].cancelled(), queued[-1].done())
        open(gate, "w").close()
        print([call.result() for call in queued[:-1]] == list(range(19)))
        print({call.result() for call in slow}, slow[0].cancel(), slow[0].cancelled())
        try:
            queued[-1].result()
        except CancelledError:
            print("cancelled, and never run:", not os.path.exists(os.path.join(folder, "ran 19")))
        done, not_done = futures.wait(queued)
        print(len(done), len(not_done))
