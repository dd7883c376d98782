"""Two decaying sources with lmfit: points of a global search are evaluated on all cores."""

import lmfit
import numpy as np

from scoopmpi import Pool

RANDOM = np.random.default_rng(1)
TIME = np.linspace(0, 10, 200)


def model(p):
    return p["a"] * np.exp(-TIME / p["t1"]) + p["b"] * np.exp(-TIME / p["t2"])


MEASURED = model({"a": 3.0, "b": 5.0, "t1": 0.6, "t2": 4.0}) + 0.05 * RANDOM.standard_normal(200)


def residual(parameters):
    return (model(parameters.valuesdict()) - MEASURED) / 0.05


if __name__ == "__main__":
    parameters = lmfit.Parameters()
    parameters.add_many(("a", 1, True, 0, 10), ("b", 1, True, 0, 10))
    parameters.add_many(("t1", 1, True, 0.1, 2), ("t2", 3, True, 2, 10))
    with Pool() as pool:
        found = lmfit.minimize(
            residual, parameters, method="differential_evolution", seed=1, popsize=8, max_nfev=2000,
            updating="deferred", workers=pool.map,  # on the farm
        )  # fmt: skip
        for name, value in found.params.valuesdict().items():
            print(f"{name} {value:.6f}")
