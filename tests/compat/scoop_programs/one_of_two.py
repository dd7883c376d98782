"""Which function is submitted depends on data; both are lambdas with a name."""

import sys

from scoop import futures

upwards = lambda word: word.upper()  # noqa: E731 (as SCOOP's users write them)
backwards = lambda word: word[::-1]  # noqa: E731

if __name__ == "__main__":
    for word in sys.argv[1:] or ["stressed", "even"]:
        call = futures.submit(backwards if len(word) > 4 else upwards, word)
        print(call.result())
