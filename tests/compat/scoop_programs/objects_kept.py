"""What tasks do to their arguments happens to copies; methods of any object can be mapped."""

import dataclasses

from scoop import futures


@dataclasses.dataclass
class Account:
    """Comparable by value, and so without a hash."""

    balance: int = 0

    def pay(self, amount):
        self.balance += amount
        return self.balance


def emptied(numbers):
    numbers.clear()
    return numbers


if __name__ == "__main__":
    account, numbers = Account(), [1, 2, 3]
    print(futures.submit(account.pay, 5).result(), account)
    print(sorted(futures.map(Account.pay, [account] * 3, [1, 2, 3])), account)
    print(list(futures.map(emptied, [numbers, numbers])), numbers)
