"""Gain against risk with Platypus: a population of portfolios is judged on all cores."""

import random

import numpy as np
from platypus import NSGAII, PoolEvaluator, Problem, Real

from scoopmpi import Pool

RANDOM = np.random.default_rng(1)
GAINS = RANDOM.uniform(0.01, 0.12, 5)
MOVES = RANDOM.normal(0, 0.1, (250, 5))
COVARIANCE = np.cov(MOVES.T)


def judge(shares):
    shares = np.array(shares) / (sum(shares) + 1e-9)
    return [-float(GAINS @ shares), float(shares @ COVARIANCE @ shares)]


if __name__ == "__main__":
    random.seed(1)
    problem = Problem(5, 2, function=judge)
    problem.types[:] = Real(0, 1)
    with Pool() as pool:
        algorithm = NSGAII(problem, 60, evaluator=PoolEvaluator(pool))  # on the farm
        algorithm.run(1200)
    best = max(algorithm.result, key=lambda found: -found.objectives[0])
    print(f"gain {-best.objectives[0]:.6f} at a variance of {best.objectives[1]:.6f}")
