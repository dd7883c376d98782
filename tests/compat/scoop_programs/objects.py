"""Objects of the program's own classes go to tasks, and come back changed."""

import dataclasses
from collections import namedtuple
from enum import Enum

from scoop import futures

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Account:
    owner: str
    balance: int = 0

    def pay(self, amount):
        self.balance += amount
        return self.balance


class Grid(list):
    """A list with something more."""

    spacing = 1


def paid(account, amount):
    account.pay(amount)
    return account


def mirrored(point):
    return Point(point.y, point.x)


def refined(grid):
    grid.spacing /= 2
    grid.append(grid[-1])
    return grid


if __name__ == "__main__":
    accounts = [Account(owner) for owner in ("Ada", "Bo", "Cy")]
    after = list(futures.map(paid, accounts, [5, 6, 7]))
    print([account.balance for account in after])
    print([type(account) is Account for account in after], after[0])
    print(list(futures.map(mirrored, [Point(1, 2), Point(3, 4)])))
    print([colour is Colour.BLUE for colour in futures.map(Colour, [1, 2])])
    grids = list(futures.map(refined, [Grid("ab"), Grid("c")]))
    print(grids, [grid.spacing for grid in grids], Grid.spacing)
