"""A program whose tasks give values above 2 GiB.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import numpy as np
from cases import case, main, result_of

HUGE = (1 << 31) + 12345


def huge_bytes(_):
    return b"x" * HUGE


def huge_array(_):
    array = np.empty(HUGE, np.uint8)
    array[0], array[-1] = 1, 2
    return array


@case()
def bytes_above_two_gib():
    found = result_of(huge_bytes, 0)
    assert len(found) == HUGE and found[-3:] == b"xxx"


@case()
def an_array_above_two_gib():
    found = result_of(huge_array, 0)
    assert found.nbytes == HUGE and (found[0], found[-1]) == (1, 2)


if __name__ == "__main__":
    main()
