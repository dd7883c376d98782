"""The largest eigenvalues of random symmetric matrices: spectra.py MATRICES SIZE"""

import sys

import numpy
from scoop import futures


def largest(seed, size):
    """Of one matrix; numpy's linear algebra uses the cores of the worker."""
    matrix = numpy.random.default_rng(seed).normal(size=(size, size))
    return numpy.linalg.eigvalsh(matrix + matrix.T)[-1]


if __name__ == "__main__":
    matrices, size = map(int, sys.argv[1:])
    values = list(futures.map(largest, range(matrices), [size] * matrices))
    print(f"mean of {matrices} largest eigenvalues: {sum(values) / matrices:.3f}")
