"""The worth of words: a table that is chosen at run time, and shared."""

import sys

from scoop import futures, shared

TABLES = {
    "short": {"a": 1, "e": 1, "n": 2, "r": 1, "t": 1, "x": 8},
    "long": {"a": 1, "e": 1, "n": 1, "r": 1, "t": 1, "x": 10},
}


def worth(words):
    table = shared.getConst("table")
    return sum(table[letter] for word in words for letter in word)


if __name__ == "__main__":
    shared.setConst(table=TABLES[sys.argv[1] if len(sys.argv) > 1 else "short"])
    hands = [["extra", "next"], ["rare", "tear", "neat"], [], ["taxa"]]
    for number, points in enumerate(futures.map(worth, hands)):
        print(f"player {number}: {points}")
