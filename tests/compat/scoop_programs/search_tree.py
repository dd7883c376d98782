"""The depth of a search tree that is a constant; tasks divide it at its upper levels.

Names that the map itself does not know are ignored, as SCOOP does.
"""

import random
import sys
from itertools import cycle

from scoop import futures, shared


class Node:
    """A number, smaller ones to the left, the others to the right."""

    def __init__(self, number):
        self.number = number
        self.sides = [None, None]

    def add(self, number):
        node = self
        while node.sides[number > node.number] is not None:
            node = node.sides[number > node.number]
        node.sides[number > node.number] = Node(number)

    def find(self, number):
        node = self
        while node.number != number:
            node = node.sides[number > node.number]
        return node

    def depth(self):
        return 1 + max((side.depth() for side in self.sides if side), default=0)


def depth_from(number, level=0, divide=3):
    node = shared.getConst("tree").find(number)
    if level == divide:
        return node.depth()
    below = [side.number for side in node.sides if side]
    return 1 + max(futures.map(depth_from, below, cycle([level + 1]), cycle([divide])), default=0)


if __name__ == "__main__":
    chance = random.Random(2718)
    tree = Node(0)
    for _ in range(2000):
        tree.add(chance.randint(-sys.maxsize - 1, sys.maxsize))
    shared.setConst(tree=tree)
    print(max(futures.map(depth_from, [0], divide=2)) == tree.depth())
    print(futures.submit(depth_from, 0, divide=4).result() == depth_from(0) == tree.depth())
