"""Graphs of dask on the farm: arrays, bags, data frames and delayed calls."""

import dask
import numpy as np

from scoopmpi import MPIExecutor


@dask.delayed
def simulate(seed):
    """A random walk of a thousand steps."""
    return np.random.default_rng(seed).standard_normal(1000).cumsum()


@dask.delayed
def spread(walks):
    return float(np.std([walk[-1] for walk in walks]))


if __name__ == "__main__":
    walks = [simulate(seed) for seed in range(64)]
    with MPIExecutor() as executor, dask.config.set(scheduler=executor):  # on the farm
        print(f"spread of the ends {spread(walks).compute():.6f}")
