"""Callbacks that a task adds to the calls it has submitted itself."""

from scoop import futures


def square(number):
    return number * number


def square_and_note(number):
    notes = []
    call = futures.submit(square, number)
    call.add_done_callback(lambda done: notes.append(done.result()))
    futures.wait([call])
    return notes


if __name__ == "__main__":
    print(list(futures.map(square_and_note, range(6))))
