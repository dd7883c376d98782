"""Parameters of a damped oscillator with zeus, slice sampling by an ensemble."""

import random

import numpy as np
import zeus

from scoopmpi import Pool

RANDOM = np.random.default_rng(3)
TIME = np.linspace(0, 10, 80)


def swing(parameters):
    frequency, damping = parameters
    return np.exp(-damping * TIME) * np.cos(frequency * TIME)


MEASURED = swing((2.0, 0.3)) + 0.05 * RANDOM.standard_normal(TIME.size)


def log_probability(parameters):
    if not np.all((np.array([0.0, 0.0]) < parameters) & (parameters < np.array([5.0, 2.0]))):
        return -np.inf
    return -0.5 * np.sum(((MEASURED - swing(parameters)) / 0.05) ** 2)


if __name__ == "__main__":
    random.seed(1)
    np.random.seed(1)
    start = np.array([2.0, 0.3]) + 1e-2 * RANDOM.standard_normal((20, 2))
    with Pool() as pool:
        sampler = zeus.EnsembleSampler(
            20, 2, log_probability, verbose=False,
            pool=pool,  # on the farm
        )  # fmt: skip
        sampler.run_mcmc(start, 60, progress=False)
    samples = sampler.get_chain(discard=20, flat=True)
    for name, values in zip(("frequency", "damping"), samples.T):
        print(f"{name} {values.mean():.6f} +- {values.std():.6f}")
