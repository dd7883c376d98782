"""Each task maps two others, twelve levels deep."""

from scoop import futures


def leaves(level):
    return 1 if level == 0 else sum(futures.map(leaves, [level - 1] * 2))


def fibonacci(number):
    if number < 2:
        return number
    left = futures.submit(fibonacci, number - 1)
    right = futures.submit(fibonacci, number - 2)
    return left.result() + right.result()


if __name__ == "__main__":
    print(leaves(12))
    print(fibonacci(14))
