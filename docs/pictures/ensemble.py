"""A run that has everything to see: the program of the pictures in docs/watching.md.

    myscoop -n 16 --multi 8 ensemble.py MODELS

It reads what stations have measured, runs an ensemble of models, of which some take long, one
raises and one crashes its worker the first time, and refines the best. Tasks sleep instead of
computing, so that many workers fit on a small machine. A host called west is a slow one.
"""

import os
import random
import signal
import socket
import sys
import time

from scoopmpi import futures, task

LONG = 6.0  # seconds of the models that come last and take longest
SLOW = 1.3 if socket.gethostname() == "west" else 1.0


def measured(station):
    """Read what a station has measured: some hundredths of a second."""
    time.sleep(random.Random(station).uniform(0.01, 0.05))
    return station


def simulated(model, seconds):
    """Run a model; some fail."""
    state = bytearray(2_000_000 + 40_000_000 * (model % 23 == 0))
    time.sleep(SLOW * seconds / 2)
    if model == 31:
        raise ValueError("the matrix is singular")
    if model == 57 and task.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # as one that runs out of memory
    time.sleep(SLOW * seconds / 2)
    if model % 40 == 0:
        print(f"model {model}: the residual is {len(state) * 1e-12:.1e}")
    return model


def refined(depth):
    """Cut a box in two, and each half again: tasks of tasks."""
    time.sleep(0.08)
    return 1 + (sum(futures.map(refined, [depth - 1] * 2)) if depth else 0)


def seconds_of(models):
    """Return how long each model takes: most about half a second, the last three far longer."""
    chance = random.Random(1)
    usual = [min(2.0, chance.lognormvariate(-0.9, 0.5)) for _ in range(models - 3)]
    return [*usual, LONG * 0.7, LONG * 0.8, LONG]


if __name__ == "__main__":
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    stations = list(futures.map(measured, range(2 * models)))
    print(f"{len(stations)} stations")
    boxes = [futures.submit(refined, 6) for _ in range(4)]
    runs = futures.map(simulated, range(models), seconds_of(models), return_exceptions=True)
    failed = [run for run in runs if isinstance(run, Exception)]
    print(f"{models - len(failed)} models, {len(failed)} failed: {failed}")
    print(f"{sum(box.result() for box in boxes)} boxes")
