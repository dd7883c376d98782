"""Light and stiff beams with pymoo: the designs of a generation are judged on all cores."""

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import ElementwiseProblem
from pymoo.optimize import minimize
from pymoo.parallelization.starmap import StarmapParallelization

from scoopmpi import Pool


class Beam(ElementwiseProblem):
    """A cantilever: its width and height in cm, its mass against how far it bends."""

    def __init__(self, **options):
        super().__init__(n_var=2, n_obj=2, n_ieq_constr=1, xl=[1, 1], xu=[10, 20], **options)

    def _evaluate(self, x, out, *args, **kwargs):
        width, height = x
        mass = 0.0078 * 100 * width * height
        bend = 4 * 500 * 100**3 / (2.1e7 * width * height**3)
        out["F"] = [mass, bend]
        out["G"] = [bend - 0.5]


if __name__ == "__main__":
    with Pool() as pool:
        beam = Beam(elementwise_runner=StarmapParallelization(pool.starmap))  # on the farm
        found = minimize(beam, NSGA2(pop_size=40), ("n_gen", 30), seed=1)
    lightest = found.F[np.argmin(found.F[:, 0])]
    print(f"{len(found.F)} designs, the lightest {lightest[0]:.4f} kg bends {lightest[1]:.4f} cm")
