"""Bayesian optimisation with scikit-optimize: several points are asked for, all cores try them."""

import numpy as np
from skopt import Optimizer

from scoopmpi import futures

BATCH = 8  # points that are tried at a time: the number of workers, or a multiple


def yield_of_reaction(conditions):
    """How much of a product is lost, at a temperature and a pressure."""
    temperature, pressure = conditions
    return -np.exp(-(((temperature - 350) / 40) ** 2) - ((pressure - 12) / 5) ** 2)


if __name__ == "__main__":
    optimizer = Optimizer([(250.0, 450.0), (1.0, 30.0)], "ET", n_initial_points=8, random_state=1)
    for _ in range(4):
        points = optimizer.ask(n_points=BATCH)
        result = optimizer.tell(points, list(futures.map(yield_of_reaction, points)))  # on the farm
    print(f"yield {-result.fun:.6f} at {result.x[0]:.4f} K and {result.x[1]:.4f} bar")
