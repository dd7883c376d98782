"""Hyperparameters with optuna: several trials are asked for, all cores run them."""

import numpy as np
import optuna

from scoopmpi import futures

BATCH = 8  # trials that run at a time: the number of workers, or a multiple
SPACE = {
    "penalty": optuna.distributions.FloatDistribution(1e-4, 1e2, log=True),
    "degree": optuna.distributions.IntDistribution(1, 12),
}
RANDOM = np.random.default_rng(1)
X = np.linspace(-1, 1, 60)
Y = np.sin(4 * X) + 0.1 * RANDOM.standard_normal(60)


def error(parameters):
    """Error of a ridge regression with polynomials on every third point, left out of the fit."""
    powers = np.vander(X, parameters["degree"] + 1)
    left_out = np.arange(60) % 3 == 0
    seen = powers[~left_out]
    normal = seen.T @ seen + parameters["penalty"] * np.eye(seen.shape[1])
    fit = np.linalg.solve(normal, seen.T @ Y[~left_out])
    return float(np.mean((powers[left_out] @ fit - Y[left_out]) ** 2))


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    for _ in range(6):
        trials = [study.ask(SPACE) for _ in range(BATCH)]
        values = futures.map(error, [trial.params for trial in trials])  # on the farm
        for trial, value in zip(trials, values):
            study.tell(trial, value)
    print(f"error {study.best_value:.6f} with degree {study.best_params['degree']}")
