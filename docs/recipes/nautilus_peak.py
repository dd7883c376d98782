"""The evidence of a spectral line with nautilus, which trains small networks on the way."""

import numpy as np
from nautilus import Prior, Sampler

from scoopmpi import Pool

RANDOM = np.random.default_rng(5)
CHANNEL = np.linspace(0, 100, 200)


def line(height, centre):
    return height * np.exp(-0.5 * ((CHANNEL - centre) / 4) ** 2)


MEASURED = line(3.0, 42.0) + RANDOM.standard_normal(CHANNEL.size)


def log_likelihood(parameters):
    return -0.5 * np.sum((MEASURED - line(**parameters)) ** 2)


if __name__ == "__main__":
    prior = Prior()
    prior.add_parameter("height", dist=(0, 10))
    prior.add_parameter("centre", dist=(0, 100))
    with Pool() as pool:
        sampler = Sampler(prior, log_likelihood, n_live=200, pool=pool, seed=1)  # on the farm
        sampler.run(n_eff=500)
    points, log_weights, _ = sampler.posterior()
    height, centre = np.average(points, weights=np.exp(log_weights), axis=0)
    print(f"log evidence {sampler.log_z:.6f}, height {height:.6f}, centre {centre:.6f}")
