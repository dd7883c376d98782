"""map gives values in order, map_as_completed all of them, each when it is there."""

import time

from scoop import futures


def delayed(number):
    time.sleep(0.3 if number == 0 else 0.001)
    return number


if __name__ == "__main__":
    print(list(futures.map(delayed, range(10))))
    print(sorted(futures.map_as_completed(delayed, range(10))))
    values = futures.map_as_completed(delayed, range(200))
    print(next(values) != 0, sum(values) > 0)
