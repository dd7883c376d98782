"""The posterior of a pulse with pocoMC, whose particles move on all cores."""

import numpy as np
import pocomc
from scipy.stats import uniform

from scoopmpi import Pool

RANDOM = np.random.default_rng(1)
TIME = np.linspace(0, 10, 100)


def pulse(begin, decay):
    return np.where(TIME > begin, np.exp(-(TIME - begin) / decay), 0.0)


MEASURED = pulse(3.0, 2.0) + 0.1 * RANDOM.standard_normal(100)


def log_likelihood(parameters):
    return -0.5 * np.sum(((MEASURED - pulse(*parameters)) / 0.1) ** 2)


if __name__ == "__main__":
    prior = pocomc.Prior([uniform(0, 10), uniform(0.1, 5)])
    with Pool() as pool:
        sampler = pocomc.Sampler(
            prior, log_likelihood, n_effective=200, n_active=100, random_state=1,
            pool=pool,  # on the farm
        )  # fmt: skip
        sampler.run(n_total=500, n_evidence=0, progress=False)
    samples, weights, _, _ = sampler.posterior()
    begin, decay = np.average(samples, weights=weights, axis=0)
    print(f"begin {begin:.1f}, decay {decay:.1f}")
