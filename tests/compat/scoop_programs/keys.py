"""Futures are members of sets and keys of dictionaries, each equal to itself only."""

from scoop import futures


def length(word):
    return len(word)


if __name__ == "__main__":
    words = ["one", "three", "eleven", "one"]
    calls = {futures.submit(length, word): word for word in words}
    print(len(calls), len(set(calls)))
    print(sorted((calls[call], call.result()) for call in futures.as_completed(calls)))
    first, second = list(calls)[:2]
    print(first == first, first == second, first in {second}, first in [second, first])
    done, not_done = futures.wait(set(calls))
    print(done == set(calls), not_done)
