"""The largest eigenvalues of random symmetric matrices: spectra.py MATRICES SIZE"""

import sys

import numpy
from scoop import futures

STEPS = 40  # of Lanczos' method, for at least two right digits


def largest(seed, size):
    """Of one matrix, by products with vectors, for which numpy uses the cores of the worker."""
    random = numpy.random.default_rng(seed)
    matrix = random.standard_normal((size, size), "float32")
    matrix += matrix.T
    steps = min(STEPS, size)
    small = numpy.zeros((steps, steps))  # a matrix with about the same extreme eigenvalues
    vector, rest = numpy.zeros(size, "float32"), random.standard_normal(size, "float32")
    for step in range(steps):
        norm = numpy.linalg.norm(rest)
        before, vector = vector, rest / norm
        rest = matrix @ vector - norm * before
        small[step, step] = rest @ vector
        if step:
            small[step, step - 1] = norm
        rest -= small[step, step] * vector
    return numpy.linalg.eigvalsh(small)[-1]  # which reads what is below the diagonal


if __name__ == "__main__":
    matrices, size = map(int, sys.argv[1:])
    values = list(futures.map(largest, range(matrices), [size] * matrices))
    print(f"mean of {matrices} largest eigenvalues: {sum(values) / matrices:.1f}")
