"""The smallest program: a map of texts, in the order of its arguments."""

from scoop import futures


def greet(number):
    return f"good morning, task {number}"


if __name__ == "__main__":
    print("\n".join(futures.map(greet, range(16))))
