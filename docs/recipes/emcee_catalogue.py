"""Fits of many stars: each star is a task, and its walkers are tasks of that task.

While there are stars enough, each worker fits one. At the end, when some have nothing to do, the
walkers of the last stars go to them.
"""

import emcee
import numpy as np

from scoopmpi import Pool, futures

DAYS = np.linspace(0, 30, 60)


def log_probability(parameters, brightness):
    size, period = parameters
    if not (0 < size < 5 and 3 < period < 9):
        return -np.inf
    return -0.5 * np.sum(((brightness - size * np.sin(2 * np.pi * DAYS / period)) / 0.2) ** 2)


def fit(star):
    """The period of a star, in days."""
    random = np.random.default_rng(star)
    period = random.uniform(5, 7)
    brightness = 2 * np.sin(2 * np.pi * DAYS / period) + 0.2 * random.standard_normal(60)
    start = np.array([2.0, period]) + 0.01 * random.standard_normal((16, 2))
    with Pool() as pool:
        sampler = emcee.EnsembleSampler(16, 2, log_probability, args=[brightness], pool=pool)
        sampler.random_state = np.random.RandomState(star).get_state()
        sampler.run_mcmc(start, 60)
    return sampler.get_chain(discard=20, flat=True)[:, 1].mean()


if __name__ == "__main__":
    periods = list(futures.map(fit, range(9)))  # on the farm
    print(" ".join(f"{period:.5f}" for period in periods))
