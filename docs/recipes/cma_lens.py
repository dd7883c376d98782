"""The form of a lens with cma, by ask and tell: a generation is traced on all cores."""

import cma
import numpy as np

from scoopmpi import futures

HEIGHTS = np.linspace(0.05, 1, 100)


def blur(form):
    """How far from the focus rays end that pass a thin lens with these coefficients."""
    even = np.arange(1, len(form) + 1)
    slope = sum(2 * n * c * HEIGHTS ** (2 * n - 1) for n, c in zip(even, form))
    return float(np.mean((HEIGHTS - 10 * np.tan(0.5 * slope)) ** 2))


if __name__ == "__main__":
    strategy = cma.CMAEvolutionStrategy([0.0] * 4, 0.1, {"seed": 1, "popsize": 16, "verbose": -9})
    for _ in range(40):
        forms = strategy.ask()
        strategy.tell(forms, list(futures.map(blur, forms)))  # on the farm
    print(f"blur {strategy.result.fbest:.3e} after {strategy.result.evaluations} evaluations")
