"""The evidence of a model with dynesty: new live points are sought on all cores."""

import dynesty
import numpy as np

from scoopmpi import Pool

CENTRES = np.array([[-3.5, 0.0], [3.5, 0.0]])


def log_likelihood(point):
    """Two thin rings, a test problem of nested sampling."""
    distances = np.linalg.norm(point - CENTRES, axis=1)
    return np.logaddexp(*(-0.5 * ((distances - 2.0) / 0.1) ** 2 - np.log(0.1 * np.sqrt(2 * np.pi))))


def prior_transform(unit):
    return 12 * unit - 6


if __name__ == "__main__":
    with Pool() as pool:
        sampler = dynesty.NestedSampler(
            log_likelihood, prior_transform, ndim=2, nlive=200, sample="rwalk",
            rstate=np.random.default_rng(1),
            pool=pool, queue_size=16,  # on the farm; the number of workers, or a multiple
        )  # fmt: skip
        sampler.run_nested(dlogz=0.5, print_progress=False)
    result = sampler.results
    print(f"log evidence {result.logz[-1]:.6f} +- {result.logzerr[-1]:.6f}")
    print(f"{sum(result.ncall)} evaluations")
