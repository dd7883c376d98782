"""A program whose tasks print a hundred megabytes.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

from cases import case, main, result_of


def prints(megabytes, end):
    line = "x" * ((1 << 20) // 64 - len(end)) + end
    for _ in range(64 * megabytes):
        print(line, end="")


@case()
def a_hundred_megabytes_in_lines():
    result_of(prints, 100, "\n")


@case()
def megabytes_in_one_line():
    """Two only: for a line without an end Open MPI 5's own mpirun needs time by its square."""
    result_of(prints, 2, "")
    result_of(print)


if __name__ == "__main__":
    main()
