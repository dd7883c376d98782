"""Optimisation without a gradient, with nevergrad: a generation is evaluated on all cores."""

import nevergrad as ng
import numpy as np

from scoopmpi import MPIExecutor

ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 181)
SIDE = np.abs(ANGLES) > 0.3


def side_lobes(spacing):
    """The strongest side lobe of an antenna of nine elements, in dB."""
    places = np.concatenate(([0.0], np.cumsum(np.abs(spacing) + 0.3)))
    field = np.abs(np.exp(2j * np.pi * np.outer(np.sin(ANGLES), places)).sum(axis=1))
    return float(20 * np.log10(field[SIDE].max() / field.max()))


if __name__ == "__main__":
    parameters = ng.p.Array(init=np.full(8, 0.2))
    optimizer = ng.optimizers.CMA(parameters, budget=640, num_workers=32)
    optimizer.parametrization.random_state = np.random.RandomState(1)
    with MPIExecutor() as executor:
        best = optimizer.minimize(side_lobes, executor=executor, batch_mode=True)  # on the farm
    print(f"strongest side lobe {side_lobes(best.value):.4f} dB")
