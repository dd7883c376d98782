"""A program whose tasks take and give what cannot be pickled, or hardly.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import threading

from cases import case, deep, failure_of, main, result_of, says

from scoopmpi import futures


class BadPickle:
    def __reduce__(self):
        raise ValueError("I do not travel")


class BadUnpickle:
    def __init__(self, how="raise"):
        self.how = how

    def __reduce__(self):
        return explode, (self.how,)


def explode(how):
    if how == "raise":
        raise ValueError("boom at arrival")
    raise {"exit": SystemExit, "interrupt": KeyboardInterrupt, "memory": MemoryError}[how](how)


class Awkward:
    """Answers no question."""

    def __eq__(self, other):
        raise ValueError("compared")

    __bool__ = __len__ = __hash__ = __iter__ = __repr__ = __str__ = lambda self: 1 / 0

    def __getattr__(self, name):
        if name == "__getstate__":  # the one that pickle needs answered, before Python 3.11
            raise AttributeError(name)
        raise ZeroDivisionError(name)


class Meta(type):
    def __hash__(cls):
        raise ValueError("a class without a hash")

    def __eq__(cls, other):
        raise ValueError("a class that cannot be compared")


class Unhashable(metaclass=Meta):
    pass


def gives(kind, *arguments):
    return kind(*arguments)


def unhashable(_):
    return Unhashable()


def generates(_=0):
    yield 1


async def awaits(_=0):
    return 1


def depth(value):
    levels = 0
    while value:
        value, levels = value[0], levels + 1
    return levels


@case(nested=True)
def arguments_that_cannot_be_pickled():
    for function in (type, lambda x: x):
        says(failure_of(function, BadPickle()), "cannot be pickled", "I do not travel")
    says(failure_of(type, threading.Lock()), "cannot be pickled", "lock")


@case(nested=True)
def arguments_that_cannot_be_unpickled():
    for how in ("raise", "exit", "interrupt", "memory"):
        says(failure_of(type, BadUnpickle(how)), "cannot be unpickled on worker")


@case(nested=True)
def results_that_cannot_be_pickled():
    says(failure_of(gives, BadPickle), "the result of", "I do not travel")
    says(failure_of(gives, threading.Lock), "the result of", "lock")
    says(failure_of(generates), "generator", "lists")
    says(failure_of(awaits), "coroutine")


@case(nested=True)
def results_that_cannot_be_unpickled():
    for how in ("raise", "exit", "interrupt", "memory"):
        says(failure_of(gives, BadUnpickle, how), "result of", "cannot be ")


@case(nested=True)
def results_that_answer_no_question():
    found = result_of(gives, Awkward)
    assert type(found) is Awkward
    values = list(futures.map(gives, [Awkward] * 5))
    assert [type(value) is Awkward for value in values] == [True] * 5
    assert [type(value) is Awkward for value in futures.map_as_completed(gives, [Awkward])] == [1]
    assert result_of(type, found) is Awkward
    assert list(futures.map(type, [found, found])) == [Awkward, Awkward]


@case(nested=True)
def objects_of_classes_that_answer_no_question():
    for _ in range(3):
        try:
            list(futures.map(unhashable, range(3)))
            list(futures.map(id, [Unhashable()] * 3))
            result_of(id, Unhashable())
        except Exception as error:
            says(error, "class")


@case(nested=True)
def lists_of_a_hundred_thousand_levels():
    assert result_of(depth, deep(50)) == 50 == depth(result_of(deep, 50))
    says(failure_of(deep, 10**5), "the result of", "recursion")
    says(failure_of(depth, deep(10**5)), "cannot be pickled", "recursion")


@case(nested=True)
def functions_that_cannot_be_pickled():
    class Callable:
        def __call__(self, _):
            pass

        def __reduce__(self):
            raise ValueError("I do not travel")

    for attempt in (lambda: list(futures.map(Callable(), [1])), lambda: result_of(Callable(), 1)):
        try:
            attempt()
        except Exception as error:
            says(error, "Callable", "cannot be pickled", "I do not travel")
        else:
            raise AssertionError("nothing was raised")


@case(nested=True)
def last_words_that_raise():
    class LastWords:
        def __del__(self):
            raise SystemExit("from __del__")

        def __reduce__(self):
            return LastWords, ()

    assert type(result_of(gives, LastWords)).__name__ == "LastWords"
    assert [type(x).__name__ for x in futures.map(gives, [LastWords] * 3)] == ["LastWords"] * 3
    assert result_of(lambda x: 1, LastWords()) == 1


if __name__ == "__main__":
    main()
