"""What a program can ask: whether it runs in parallel, where, and with how many."""

import sys

import scoop
from scoop import futures


def there(_):
    return scoop.IS_RUNNING, scoop.SIZE


if __name__ == "__main__":
    print(scoop.IS_RUNNING, scoop.IS_ORIGIN, scoop.SIZE)
    print(set(futures.map(there, range(20))))
    print(bool(scoop.worker), isinstance(scoop.DEBUG, bool), bool(scoop.MAIN_MODULE))
    print(isinstance(scoop.CONFIGURATION, dict), hasattr(scoop.logger, "warning"))
    print(futures._controller is not None, sys.argv[1:], __name__)
    print(futures.FIRST_COMPLETED, futures.FIRST_EXCEPTION, futures.ALL_COMPLETED)
    futures.shutdown()
    futures.shutdown(wait=False)
    print(list(futures.map(abs, [-1])))
