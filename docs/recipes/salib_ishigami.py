"""Which parameters matter, with SALib: it draws the samples, all cores run the model."""

import numpy as np
from SALib.analyze import sobol
from SALib.sample.sobol import sample

from scoopmpi import futures

PROBLEM = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[-np.pi, np.pi]] * 3}


def ishigami(x):
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


if __name__ == "__main__":
    samples = sample(PROBLEM, 256, seed=1)
    values = np.array(list(futures.map(ishigami, samples)))  # on the farm
    found = sobol.analyze(PROBLEM, values, seed=1)
    for name, first, total in zip(PROBLEM["names"], found["S1"], found["ST"]):
        print(f"{name}: alone {first:.6f}, with all others {total:.6f}")
