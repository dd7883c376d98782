"""The evidence of two overlapping lines with nessai, which trains a flow on the way."""

import tempfile

import numpy as np
from nessai.flowsampler import FlowSampler
from nessai.model import Model
from nessai.utils.multiprocessing import initialise_pool_variables as prepare

from scoopmpi import Pool

RANDOM = np.random.default_rng(1)
PLACE = np.linspace(-5, 5, 100)


def lines(left, right):
    return np.exp(-0.5 * (PLACE - left) ** 2) + np.exp(-0.5 * (PLACE - right) ** 2)


MEASURED = lines(-1.0, 1.5) + 0.1 * RANDOM.standard_normal(100)


class Lines(Model):
    """Two lines of one width, at unknown places."""

    names = ["left", "right"]
    bounds = {"left": [-5, 0], "right": [0, 5]}

    def log_prior(self, x):
        return np.log(self.in_bounds(x), dtype=float) - 2 * np.log(5)

    def log_likelihood(self, x):
        return -0.5 * np.sum(((MEASURED - lines(x["left"], x["right"])) / 0.1) ** 2)


if __name__ == "__main__":
    model = Lines()
    options = {"nlive": 200, "seed": 1, "resume": False, "plot": False}
    options["output"] = tempfile.mkdtemp()
    with Pool(initializer=prepare, initargs=(model,)) as pool:
        sampler = FlowSampler(model, pool=pool, **options)  # on the farm
        sampler.run(save=False, plot=False)
    found = sampler.posterior_samples
    print(f"left {found['left'].mean():.2f}, right {found['right'].mean():.2f}")
