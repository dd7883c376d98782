"""A function with a sharp peak, sampled by adaptive where it is steep: points on all cores."""

import adaptive
import numpy as np

from scoopmpi import MPIExecutor


def response(frequency):
    """A resonance of width 0.01 at 0.7, on a slope."""
    return frequency + 0.01**2 / (0.01**2 + (frequency - 0.7) ** 2)


if __name__ == "__main__":
    learner = adaptive.Learner1D(response, bounds=(-1, 1))
    with MPIExecutor() as executor:
        adaptive.BlockingRunner(learner, npoints_goal=200, executor=executor)  # on the farm
    points = learner.to_numpy()
    area = np.sum(np.diff(points[:, 0]) * (points[1:, 1] + points[:-1, 1]) / 2)
    close = np.sum(np.abs(points[:, 0] - 0.7) < 0.05)
    print(f"area {area:.3f}, more than a quarter of the points near the peak: {close > 50}")
