"""A user's program for the tests of output: `printing.py WHAT`."""

import atexit
import contextlib
import gc
import io
import os
import sys
import threading
import time

from scoop import futures

from scoopmpi import MPIExecutor, Pool

LINES = 20


def says(x):
    print(f"task {x}")
    return x


def says_much(x):
    for n in range(LINES):
        print(f"task {x} line {n}", file=sys.stderr if n % 2 else sys.stdout)
    return x


def says_in_parts(x):
    print(f"task {x}", end=" ")
    time.sleep(0.001 * (x % 3))
    print("begins,", end=" ", flush=True)
    total = sum(futures.map(says, range(1000 * x, 1000 * x + 5)))
    sys.stdout.write("ends")
    print()
    return total


def says_from_threads(x):
    def prints(name):
        for n in range(LINES):
            print(f"task {x} thread {name}", end=" ")
            print(f"line {n}")

    threads = [threading.Thread(target=prints, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return x


def asks(x):
    return [says(x), futures.submit(says, x + 1000).result(), *futures.map(says, [x + 2000])]


def writes_bytes(x):
    sys.stdout.buffer.write(bytes(range(256)))
    if x % 2:
        sys.stdout.buffer.flush()
    return x


def writes(text):
    print(text)
    print(text, file=sys.stderr)


def dots(x):
    print(".", end="", flush=bool(x % 2))
    return x


def changes_streams(x):
    with contextlib.redirect_stdout(io.StringIO()) as own:
        print("not seen")
    assert own.getvalue() == "not seen\n"
    print(f"task {x}")
    sys.stdout = io.TextIOWrapper(sys.stdout.detach(), "utf-8", line_buffering=True)
    print(f"again {x}")
    print(f"itself {x}", file=sys.__stdout__)
    sys.stdout = sys.__stdout__
    return x


class Gone:
    def __init__(self, text):
        self.text = text
        self.me = self

    def __del__(self):
        print(self.text)


def leaves_garbage(x):
    for n in range(100):
        print(f"task {x}", end=" ")
        Gone(f"gone {x} {n}")
        if n % 10 == 0:
            gc.collect()
        print(f"line {n}")
    return [x]


def leaves_things(x):
    atexit.register(print, f"at exit {os.getpid()}")

    def later():
        while True:
            print("from a thread that outlives its task")
            time.sleep(0.05)

    threading.Thread(target=later, daemon=True).start()
    print("unfinished", end="")
    return os.getpid()


def fails(x):
    print(f"task {x}")
    if x == 10:
        raise LookupError("a task")
    return x


def talks_for_ever(x):
    print("x" * 1000)
    return x


def callbacks():
    done = threading.Semaphore(0)

    def tell(future):
        print(f"value {future.result()}")
        done.release()

    calls = [futures.submit(says, x) for x in range(300)]
    for call in calls:
        call.add_done_callback(tell)
    futures.wait(calls)
    for _ in calls:
        assert done.acquire(timeout=20)


def values_of(what):
    if what == "map":
        yield from futures.map(says, range(500))
    elif what == "as completed":
        yield from futures.map_as_completed(says, range(500))
    elif what == "submit":
        yield from (futures.submit(says, x).result() for x in range(300))
    elif what == "executor":
        with MPIExecutor() as executor:
            yield from executor.map(says, range(500))
            yield executor.submit(says, 500).result()
    elif what == "pool":
        with Pool() as pool:
            yield from pool.imap_unordered(says, range(500))
            yield pool.apply_async(says, (500,)).get()
    elif what == "nested":
        for values in futures.map(asks, range(100)):
            yield from values


def main(what, *arguments):
    if what == "values":
        if arguments[0] == "callbacks":
            callbacks()
        else:
            for value in values_of(arguments[0]):
                print(f"value {value}")
    elif what == "unfinished prompt":
        print("name? ", end="", flush=True)
        time.sleep(0.3)
        futures.submit(says, 1).result()
        print("result:", end=" ")
        print(futures.submit(says, 2).result())
    elif what == "encoded":
        list(futures.map(writes, arguments[:1]))
        writes(arguments[0])
        sys.stdout.reconfigure(encoding="utf-16-le", errors="surrogatepass", newline="\r\n")
        list(futures.map(writes, arguments[:1]))
        writes(arguments[0])
    elif what == "fails":
        list(futures.map(fails, range(100)))
    elif what == "leaves":
        print(len(set(futures.map(leaves_things, range(8)))))
        time.sleep(0.3)
    elif what == "for ever":
        for _ in futures.map(talks_for_ever, range(10**7)):
            pass
    elif what == "gone":
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, 1)
        try:
            for _ in futures.map(talks_for_ever, range(10**7)):
                pass
        except BrokenPipeError as problem:
            print(type(problem).__name__, file=sys.stderr)
        print(len(list(futures.map(talks_for_ever, range(1000)))), file=sys.stderr)
        sys.exit(5)
    elif what == "silent":
        for _ in futures.map(talks_for_ever, range(int(arguments[0]))):
            pass
        with open("/proc/self/status") as status:
            print(next(line for line in status if line.startswith("VmHWM")), file=sys.stderr)
    else:
        count = int(arguments[0])
        values = list(futures.map(globals()[what], range(count)))
        assert len(values) == count


if __name__ == "__main__":
    main(*sys.argv[1:])
