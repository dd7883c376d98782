"""A constant, and tasks that map: prints the sum that they make, and the hosts that took part."""

from __future__ import annotations

import socket
import time

from scoopmpi import futures, shared

OUTER, INNER = 12, 25


def inner(number: int) -> tuple[int, str]:
    time.sleep(0.01)  # long enough for workers of the other host to be asked
    return number * shared.getConst("factor"), socket.gethostname()


def outer(number: int) -> tuple[int, set[str]]:
    values = list(futures.map(inner, range(number, number + INNER)))
    return sum(value for value, _ in values), {host for _, host in values}


if __name__ == "__main__":
    shared.setConst(factor=7)
    answers = list(futures.map(outer, range(OUTER)))
    print(sum(value for value, _ in answers), *sorted(set().union(*(each for _, each in answers))))
