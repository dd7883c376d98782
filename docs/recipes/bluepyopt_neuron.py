"""The conductances of a cell with BluePyOpt: individuals are evaluated on all cores.

The cell is a formula here; with a `CellEvaluator` and NEURON the marked line is the same.
"""

import bluepyopt
import numpy as np

from scoopmpi import Pool

TIME = np.linspace(0, 100, 500)


def voltage(leak, capacitance):
    """A passive membrane that is charged by a current of 0.1."""
    return -65 + 0.1 / leak * (1 - np.exp(-TIME * leak / capacitance))


class Membrane(bluepyopt.evaluators.Evaluator):
    """How far a membrane is from a recorded one: at rest, and on the way there."""

    def __init__(self):
        names = (("leak", (0.001, 0.05)), ("capacitance", (0.1, 2.0)))
        super().__init__(
            objectives=[bluepyopt.objectives.Objective(name) for name in ("end", "rise")],
            params=[bluepyopt.parameters.Parameter(name, bounds=bounds) for name, bounds in names],
        )

    def evaluate_with_lists(self, values):
        off = np.abs(voltage(*values) - voltage(0.01, 0.8))
        return [float(off[-1]), float(off.mean())]

    def init_simulator_and_evaluate_with_lists(self, values):
        return self.evaluate_with_lists(values)


if __name__ == "__main__":
    with Pool() as pool:
        optimisation = bluepyopt.deapext.optimisations.IBEADEAPOptimisation(
            Membrane(), offspring_size=40, seed=1,
            map_function=pool.map,  # on the farm
        )  # fmt: skip
        _, best, _, _ = optimisation.run(max_ngen=15)
    print(f"leak {best[0][0]:.5f}, capacitance {best[0][1]:.4f}")
