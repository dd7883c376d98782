"""The largest eigenvalues of random symmetric matrices: spectra.py MATRICES SIZE"""

import sys

import numpy
from scoop import futures

STEPS = 60  # of Lanczos' method, for at least three right digits


def largest(seed, size):
    """Of one matrix, by products with vectors, for which numpy uses the cores of the worker."""
    random = numpy.random.default_rng(seed)
    matrix = random.standard_normal((size, size), "float32")
    matrix += matrix.T
    basis = numpy.zeros((min(STEPS, size), size), "float32")
    vector = random.standard_normal(size, "float32")
    for step in range(len(basis)):
        vector -= (basis @ vector) @ basis
        basis[step] = vector / numpy.linalg.norm(vector)
        vector = matrix @ basis[step]
    return numpy.linalg.eigvalsh(basis @ matrix @ basis.T)[-1]


if __name__ == "__main__":
    matrices, size = map(int, sys.argv[1:])
    values = list(futures.map(largest, range(matrices), [size] * matrices))
    print(f"mean of {matrices} largest eigenvalues: {sum(values) / matrices:.1f}")
