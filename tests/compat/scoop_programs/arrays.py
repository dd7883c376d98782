"""A large numpy array as a constant: found in every task, and the same after all of them."""

import numpy
from scoop import futures, shared


def row_sum(row):
    return float(shared.getConst("matrix")[row].sum())


def block(start, stop):
    return shared.getConst("matrix")[start:stop] @ shared.getConst("vector")


def kind(_):
    matrix = shared.getConst("matrix")
    return type(matrix).__name__, matrix.shape, str(matrix.dtype), float(matrix[-1, -1])


if __name__ == "__main__":
    matrix = numpy.arange(1_000_000.0).reshape(1000, 1000)
    shared.setConst(matrix=matrix, vector=numpy.ones(1000))
    print(sum(futures.map(row_sum, range(1000))) == matrix.sum())
    parts = list(futures.map(block, range(0, 1000, 100), range(100, 1001, 100)))
    print(numpy.array_equal(numpy.concatenate(parts), matrix.sum(axis=1)))
    print(set(futures.map(kind, range(10))))
    print(futures.submit(row_sum, 0).result() == matrix[0].sum())
