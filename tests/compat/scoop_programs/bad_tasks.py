"""A task that raises hurts nobody else: values before it come, and the next map works."""

import sys

from scoop import futures


class Unhappy(Exception):
    pass


def divide(number):
    return 12 // number


def leave(number):
    sys.exit(number)


def interrupt(number):
    raise KeyboardInterrupt(number)


def unhappy(number):
    raise Unhappy("ça ne va pas", number)


if __name__ == "__main__":
    values = futures.map(divide, [1, 2, 3, 0, 4])
    print(next(values), next(values), next(values))
    try:
        next(values)
    except ZeroDivisionError as error:
        print(error)
    for task in (leave, interrupt, unhappy):
        try:
            futures.submit(task, 3).result()
        except BaseException as error:
            print(type(error).__name__, error.args)
    print(list(futures.map(divide, range(1, 5))))
