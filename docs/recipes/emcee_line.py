"""Fit a line to points with errors: emcee's walkers are evaluated on all cores."""

import emcee
import numpy as np

from scoopmpi import Pool

RANDOM = np.random.default_rng(42)
X = np.sort(10 * RANDOM.random(50))
ERROR = 0.1 + 0.5 * RANDOM.random(50)
Y = 1.5 * X + 4.0 + ERROR * RANDOM.standard_normal(50)


def log_probability(parameters):
    slope, offset = parameters
    if not (-5 < slope < 5 and 0 < offset < 10):
        return -np.inf
    return -0.5 * np.sum(((Y - slope * X - offset) / ERROR) ** 2)


if __name__ == "__main__":
    start = np.array([1.0, 5.0]) + 1e-3 * RANDOM.standard_normal((32, 2))
    with Pool() as pool:
        sampler = emcee.EnsembleSampler(32, 2, log_probability, pool=pool)  # on the farm
        sampler.random_state = np.random.RandomState(1).get_state()
        sampler.run_mcmc(start, 150)
    samples = sampler.get_chain(discard=50, flat=True)
    for name, values in zip(("slope", "offset"), samples.T):
        print(f"{name} {values.mean():.6f} +- {values.std():.6f}")
