"""A program whose tasks raise what tasks should not.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import asyncio
import builtins
import os
import sys
import threading

import numpy as np
from cases import PATIENCE, case, failure_of, main, says

from scoopmpi import Pool


class TwoArguments(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


Group = getattr(builtins, "ExceptionGroup", None)  # from Python 3.11 on


class Liar(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Base(BaseException):
    pass


class Arrives(Exception):
    """Pickles and unpickles on its own rank, and nowhere else."""

    def __init__(self, text, pid=None):
        super().__init__(text, pid or os.getpid())
        if pid not in (None, os.getpid()):
            raise RuntimeError("not on this rank")


class Locked(Exception):
    def __init__(self):
        super().__init__(threading.Lock())


class Strange(Exception):
    def __getattribute__(self, name):
        raise KeyError(name)


def raises(kind, *arguments):
    raise kind(*arguments)


def raises_group(_=0):
    inner = Group("inner", [TwoArguments(7, "seven"), Liar()])
    raise Group("outer", [inner, KeyError("k")])


def raises_cycle(_=0):
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    second.__context__ = first
    raise first


def raises_large(_=0):
    raise ValueError("x" * (1 << 20), np.arange(10**6))


def runs_away(x=0):
    return runs_away(x + 1)


def interrupts(kind):
    raise kind


@case(nested=True)
def exceptions_whose_init_needs_arguments():
    error = failure_of(raises, TwoArguments, 7, "seven")
    assert type(error) is TwoArguments and error.code == 7 and str(error) == "7: seven"


@case(nested=True)
def exceptions_that_cannot_be_pickled():
    says(failure_of(raises, Locked), "Locked", "cannot be pickled")


@case()
def exceptions_that_cannot_be_unpickled_at_the_caller():
    says(failure_of(raises, Arrives, "far"), "cannot be unpickled here", "not on this rank")


@case(nested=True)
def exceptions_that_lie():
    assert type(failure_of(raises, Liar)) is Liar
    failure_of(raises, Strange)


@case(nested=True)
def exceptions_in_groups():
    if Group is None:
        return
    error = failure_of(raises_group)
    assert isinstance(error, Group) and isinstance(error.exceptions[1], KeyError)
    code = error.exceptions[0].exceptions[0]
    assert isinstance(code, TwoArguments) and str(code) == "7: seven"


@case(nested=True)
def exceptions_that_are_each_others_cause():
    assert repr(failure_of(raises_cycle)) == "ValueError('first')"


@case(nested=True)
def exceptions_of_a_megabyte():
    assert failure_of(raises_large).args[1][-1] == 10**6 - 1


@case(nested=True)
def exceptions_that_end_programs():
    kinds = [SystemExit, KeyboardInterrupt, GeneratorExit, Base, asyncio.CancelledError]
    for kind in [*kinds, StopIteration, StopAsyncIteration, MemoryError]:
        assert type(failure_of(interrupts, kind)) is kind
    assert failure_of(sys.exit, 7).code == 7


@case(nested=True)
def recursion_without_end():
    says(failure_of(runs_away), "recursion")


@case()
def a_hundred_thousand_exceptions_in_a_map():
    count = 10**5
    seen = 0
    with Pool() as pool:
        values = pool.imap_unordered(int, ["x"] * count, chunksize=100)
        for _ in range(count):
            try:
                values.next(timeout=PATIENCE)
            except ValueError:
                seen += 1
    assert seen == count
    says(failure_of(int, "y"), "invalid literal")


if __name__ == "__main__":
    main()
