"""wait tells which calls have failed, it does not raise; in the program and in tasks."""

from scoop import futures


def reciprocal(number):
    return 1 / number


def failed(number):
    calls = [futures.submit(reciprocal, each) for each in range(number)]
    done, _ = futures.wait(calls, return_when=futures.FIRST_EXCEPTION)
    return [type(call.exception()).__name__ for call in done if call.exception()]


def both(number):
    """Whether as_completed gives the failed calls too."""
    calls = [futures.submit(reciprocal, each) for each in range(number)]
    return sum(call.exception() is None for call in futures.as_completed(calls)), number


if __name__ == "__main__":
    print(failed(5), list(futures.map(failed, [1, 2, 5])))
    print(both(5), list(futures.map(both, [1, 2, 5])))
    calls = [futures.submit(reciprocal, number) for number in (4, 0, 2)]
    done, not_done = futures.wait(calls, return_when=futures.ALL_COMPLETED)
    print(len(done), len(not_done), [type(call.exception()).__name__ for call in calls])
