"""A shared array cannot be changed by a task: it would be another array for the others."""

import numpy
from scoop import futures, shared


def spoil(column):
    try:
        shared.getConst("matrix")[0, column] = -1
    except ValueError as error:
        return "read-only" in str(error)
    return "changed"


def first_row(_):
    return shared.getConst("matrix")[0].sum()


if __name__ == "__main__":
    matrix = numpy.arange(250_000.0).reshape(500, 500)
    shared.setConst(matrix=matrix)
    print(set(futures.map(spoil, range(50))))
    print(set(futures.map(first_row, range(50))) == {matrix[0].sum()}, matrix[0, :3])
    matrix[0, 0] = 5
    print(matrix[0, 0])
