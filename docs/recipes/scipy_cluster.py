"""The lowest energy of five atoms with scipy's differential evolution, then with its gradient."""

import numpy as np
from scipy.optimize import differential_evolution, minimize

from scoopmpi import Pool

PAIRS = np.triu_indices(5, 1)


def energy(coordinates):
    """Lennard-Jones potential of a cluster of five atoms."""
    atoms = coordinates.reshape(5, 3)
    distances = np.linalg.norm(atoms[PAIRS[0]] - atoms[PAIRS[1]], axis=1)
    sixth = np.maximum(distances, 0.3) ** -6.0
    return 4 * np.sum(sixth * sixth - sixth)


if __name__ == "__main__":
    with Pool() as pool:
        found = differential_evolution(
            energy, [(-1.5, 1.5)] * 15, popsize=5, maxiter=60, rng=1, polish=False,
            updating="deferred", workers=pool.map,  # on the farm
        )  # fmt: skip
        print(f"energy {found.fun:.6f} after {found.nfev} evaluations")
        # The points of a finite difference, too (scipy 1.16 and newer).
        best = minimize(energy, found.x, method="BFGS", options={"workers": pool.map})
        print(f"energy {best.fun:.4f} at rest")
