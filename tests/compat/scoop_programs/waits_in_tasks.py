"""Everything that waits, inside tasks: while one waits, its rank does other work."""

import time

from scoop import futures


def square(number):
    return number * number


def slow(number):
    time.sleep(0.05)
    return number


def all_of_them(number):
    calls = [futures.submit(square, each) for each in range(number)]
    done, not_done = futures.wait(calls, return_when=futures.ALL_COMPLETED)
    return sum(call.result() for call in done), len(not_done)


def as_they_come(number):
    calls = {futures.submit(square, each): each for each in range(number)}
    return sorted((calls[call], call.result()) for call in futures.as_completed(calls))


def one_of_them(number):
    calls = [futures.submit(slow, each) for each in range(number)]
    done, not_done = futures.wait(calls, return_when=futures.FIRST_COMPLETED)
    return len(done) >= 1, len(done) + len(not_done)


def no_order(number):
    return sorted(futures.map_as_completed(square, range(number)))


if __name__ == "__main__":
    for function in (all_of_them, as_they_come, one_of_them, no_order):
        print(function.__name__, list(futures.map(function, [1, 2, 5])))
