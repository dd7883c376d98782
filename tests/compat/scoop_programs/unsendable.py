"""What cannot be pickled fails at its own call, with a reason; the others go on."""

import threading

from scoop import futures


class Secret(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, code):
        super().__init__(code)
        self.lock = threading.Lock()


class Stubborn(Exception):
    """One that cannot be unpickled: it is made of two things and pickled as one."""

    def __init__(self, what, where):
        super().__init__(f"{what} in {where}")


def double(number):
    return number * 2


def lock(_):
    return threading.Lock()


def secret(number):
    raise Secret(number)


def stubborn(number):
    raise Stubborn("no way", number)


if __name__ == "__main__":
    for function, word in ((lock, "lock"), (secret, "Secret"), (stubborn, "no way in 3")):
        try:
            futures.submit(function, 3).result()
        except Exception as error:
            print(f"{function.__name__}:", word in str(error))
    try:
        futures.submit(double, threading.Lock()).result()
    except Exception as error:
        print("an argument:", "lock" in str(error))
    print(list(futures.map(double, [1, 2, 3])))
