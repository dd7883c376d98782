"""A user's program that leaves work to its end: `left.py DIRECTORY HOW WAY…`.

Each way leaves tasks that touch a file each, named after it. HOW says how the program ends then.
"""

import csv
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from scoop import futures

from scoopmpi import MPIExecutor, Pool

COUNT = 24
HERE, HOW = sys.argv[1:3]
kept = []


def mark(way, x):
    time.sleep(0.003)
    Path(HERE, f"{way} {x}").touch()
    return x


def row(pair):
    return mark(*pair)


def marked(way):
    """A callback."""
    return lambda _: Path(HERE, f"callback of {way} {time.monotonic_ns()}").touch()


def names(way):
    for x in range(COUNT):
        yield way, x


class Own:
    def __init__(self, way):
        self.way = way

    def __iter__(self):
        return names(self.way)


def listed(way):
    futures.map(row, list(names(way)))


def generator(way):
    futures.map(row, names(way))


def dictionary(way):
    futures.map(row, {(way, x): None for x in range(COUNT)}.keys())


def items(way):
    futures.map(row, dict.fromkeys(names(way)).keys())


def zipped(way):
    futures.map_as_completed(mark, itertools.repeat(way), itertools.count(), range(COUNT)[:0] or ())
    futures.map(row, zip(itertools.repeat(way), range(COUNT), strict=False))


def globbed(way):
    place = Path(HERE, "todo")
    place.mkdir()
    for x in range(COUNT):
        (place / f"{way} {x}").touch()
    futures.map(os.rename, (str(each) for each in place.glob("*")), targets(way))


def targets(way):
    return (os.path.join(HERE, f"{way} {x}") for x in range(COUNT))


def rows(way):
    futures.map_as_completed(row, csv.reader(f"{way},{x}" for x in range(COUNT)))


def own(way):
    futures.map_as_completed(row, Own(way))


def unread(way):
    kept.append(futures.map(row, names(way)))


def chained(way):
    futures.map(row, itertools.chain(futures.map(tuple, names(way))))


def inside(way):
    list(futures.map(drops, [way]))


def drops(way):
    futures.map(row, names(way))


def deeper(way):
    list(futures.map(inside_of, [way]))


def inside_of(way):
    kept.append(futures.map(drops, iter([way])))


def executor(way):
    made = MPIExecutor()
    for _, x in names(way):
        made.submit(mark, way, x).add_done_callback(marked(way))


def shut(way):
    made = MPIExecutor()
    for _, x in names(way):
        made.submit(mark, way, x)
    made.shutdown(wait=False)


def executors_map(way):
    kept.append(MPIExecutor().map(row, names(way), ordered=False))


def buffered(way):
    MPIExecutor().map(row, names(way), buffersize=2)


def pool(way):
    made = Pool()
    for _, x in names(way):
        made.apply_async(mark, (way, x), callback=marked(way))
    made.close()


def pools_map(way):
    Pool().map_async(row, names(way), callback=marked(way))


def pools_iterator(way):
    kept.append(Pool().imap_unordered(row, names(way)))


def executor_inside(way):
    futures.submit(hands_in, way).result()


def hands_in(way):
    made = MPIExecutor()
    kept.append(made)
    for _, x in names(way):
        made.submit(mark, way, x)


def calls(way):
    for _, x in names(way):
        futures.submit(mark, way, x)


def calls_inside(way):
    futures.submit(submits, way)


def submits(way):
    for _, x in names(way):
        futures.submit(mark, way, x)


# What does not run to its end.


def part(way):
    kept.append(futures.map(mark, itertools.repeat(way), itertools.count()))
    next(kept[-1])


def endless(way):
    futures.map(mark, itertools.repeat(way), itertools.count())


def tail(way):
    """What a generator without an end gives, for which a program may well run on."""
    futures.map(row, ((way, x) for x in itertools.count()))


def nap(_):
    Path(HERE, "napping").touch()
    time.sleep(100)


def napping(way):
    kept.append(MPIExecutor())
    kept[-1].submit(nap, way)
    until_it_naps()


def napping_block(way):
    with MPIExecutor() as made:
        made.submit(nap, way)
        until_it_naps()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)


def napping_submit(way):
    futures.submit(nap, way)
    until_it_naps()


def until_it_naps():
    while not os.path.exists(os.path.join(HERE, "napping")):
        time.sleep(0.01)


def reader(way):
    """A thread that reads on when the program's last line has run."""
    values = futures.map(row, names(way))

    def read():
        time.sleep(0.5)
        print(sum(values))

    threading.Thread(target=read).start()


def main(ways):
    for way in ways:
        globals()[way](way)
    if HOW == "raises":
        raise LookupError("from the program")
    if HOW.isdigit():
        sys.exit(int(HOW))
    if HOW in ("SIGTERM", "SIGINT"):
        os.kill(os.getpid(), getattr(signal, HOW))
        time.sleep(20)
    if HOW == "later":
        threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM)).start()


if __name__ == "__main__":
    main(sys.argv[3:])
