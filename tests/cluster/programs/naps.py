"""Tasks of half a second, more than any job has time for."""

import time

from scoopmpi import futures


def nap(number: int) -> int:
    time.sleep(0.5)
    return number


if __name__ == "__main__":
    print(sum(futures.map(nap, range(1000))))
