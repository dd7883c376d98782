"""Which parameters matter, with SALib: it draws the samples, all cores run the model."""

import numpy as np
from SALib.analyze import sobol
from SALib.sample.sobol import sample

from scoopmpi import futures

PROBLEM = {
    "num_vars": 3,
    "names": ["infection", "recovery", "first"],
    "bounds": [[0.3, 0.6], [0.05, 0.2], [1, 20]],
}


def peak(parameters):
    """How many of a thousand are ill at the worst day of an epidemic."""
    infection, recovery, first = parameters
    healthy, ill, most = 1000.0 - first, first, 0.0
    for _ in range(2000):
        caught = 0.1 * infection * healthy * ill / 1000
        healthy, ill = healthy - caught, ill + caught - 0.1 * recovery * ill
        most = max(most, ill)
    return most


if __name__ == "__main__":
    samples = sample(PROBLEM, 128, seed=1)
    values = np.array(list(futures.map(peak, samples)))  # on the farm
    found = sobol.analyze(PROBLEM, values, seed=1)
    for name, first, total in zip(PROBLEM["names"], found["S1"], found["ST"]):
        print(f"{name}: alone {first:.6f}, with all others {total:.6f}")
