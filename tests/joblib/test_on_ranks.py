"""joblib on real ranks: what needs processes, time and signals; and docs/joblib.md as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)
PAGE = (ROOT / "docs" / "joblib.md").read_text()
PROGRAM = '''
import multiprocessing, os, pathlib, signal, sys, threading, time, warnings
from joblib import Parallel, delayed, parallel_config
from scoopmpi import futures
from scoopmpi.joblib import register

def rank():
    from scoopmpi.process import identity
    return identity.this.rank

def square(x):
    return x * x

def begun(name, seconds):
    pathlib.Path(name).touch()
    time.sleep(seconds)
    return rank()

def fails(x):
    if x == 1:
        raise LookupError("one")
    return begun(f"error-{x}", 20)

def nested(name, count, seconds):
    return Parallel(n_jobs=-1)(delayed(begun)(f"{name}-{x}", seconds) for x in range(count))

def child_in_place():
    read, write = os.pipe()
    if not os.fork():
        os.write(write, repr(Parallel()(delayed(square)(x) for x in range(3))).encode())
        os._exit(0)
    os.wait()
    return os.read(read, 100).decode()

def threads_of(_):
    inner = []
    thread = threading.Thread(target=lambda: inner.append(Parallel(backend="scoopmpi")(
        delayed(square)(x) for x in range(5))))
    thread.start()
    thread.join()
    return inner[0]

def variables():
    return os.environ["OMP_NUM_THREADS"]

def span(seconds):
    begin = time.time()
    time.sleep(seconds)
    return begin, time.time()

def most_at_a_time(spans):
    return max(sum(b <= begin < e for b, e in spans) for begin, _ in spans)

def mutates(array):
    array[0] += 1
    return float(array[0]), float(array.sum())

def unpicklable():
    return threading.Lock()

class Hostile:
    def __reduce__(self):
        raise RuntimeError("123")

def given_up(call, *expected):
    """Run what is to be given up; say how, and how long it took until all workers were free."""
    begin = time.monotonic()
    try:
        call()
    except BaseException as error:
        assert isinstance(error, expected), error
    else:
        raise AssertionError("nothing was raised")
    calls = [delayed(begun)("free", 0.2)] * 3
    while (ranks := set(Parallel(batch_size=1)(calls))) != {1, 2, 3}:
        assert time.monotonic() - begin < 10, ranks  # half of what the calls would sleep

def checks():
    import numpy
    # Values, in the ways that joblib has.
    expected = [x * x for x in range(5000)]
    assert Parallel()(delayed(square)(x) for x in range(5000)) == expected
    values = Parallel(return_as="generator_unordered")(delayed(square)(x) for x in range(5000))
    assert sorted(values) == expected
    # The limit.
    for jobs in (2, 3):
        spans = Parallel(n_jobs=jobs, pre_dispatch="all")(delayed(span)(0.03) for _ in range(9))
        assert most_at_a_time(spans) <= jobs
    # Nested calls spread, and hold no rank.
    ranks = Parallel(n_jobs=2)([delayed(nested)("nested", 12, 0.1), delayed(square)(2)])
    assert len(set(ranks[0])) > 1, ranks
    assert Parallel()(delayed(threads_of)(x) for x in range(2)) == [[0, 1, 4, 9, 16]] * 2
    found = []
    thread = threading.Thread(target=lambda: found.append(
        Parallel(backend="scoopmpi")(delayed(square)(x) for x in range(50))))
    thread.start()
    thread.join()
    assert found == [[x * x for x in range(50)]]
    assert child_in_place() == "[0, 1, 4]"
    # Arrays: each call has its own, and the caller's stays.
    array = numpy.ones(1_000_000)
    for _ in range(3):
        values = Parallel(batch_size=1)(delayed(mutates)(array) for _ in range(6))
        assert set(values) == {(2.0, 1_000_001.0)}
        assert array[0] == 1
    # Threads of libraries.
    with parallel_config(backend="scoopmpi", inner_max_num_threads=3):
        assert Parallel()(delayed(variables)() for _ in range(3)) == ["3"] * 3
    # What cannot travel.
    for call in (delayed(unpicklable)(), delayed(id)(Hostile())):
        try:
            print(Parallel()([call] * 2))
        except Exception as error:
            assert "cannot be pickled" in str(error), error
        else:
            raise AssertionError("it has come")
    # Given up: an error, a timeout, Ctrl-C, a generator that is dropped.
    given_up(lambda: Parallel()(delayed(fails)(x) for x in range(20)), LookupError)
    assert len(list(pathlib.Path().glob("error-*"))) <= 6
    calls = [delayed(begun)("timeout", 20)] * 9
    given_up(lambda: Parallel(timeout=0.5)(calls), multiprocessing.TimeoutError)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 1)
    calls = [delayed(nested)(f"interrupted{x}", 9, 20) for x in range(3)]
    given_up(lambda: Parallel()(calls), KeyboardInterrupt)
    def dropped():
        calls = (delayed(begun)(f"dropped{x}", 20 * (x > 0)) for x in range(9))
        values = Parallel(return_as="generator")(calls)
        next(values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib says that calls were given up
            values.close()
        raise EOFError
    given_up(dropped, EOFError)
    print("all is well")

if __name__ == "__main__":
    register()
    with parallel_config(backend="scoopmpi"):
        checks()
'''


def test_real_ranks_do_what_joblib_promises(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    words = [*MYSCOOP, "-n", "3", "--multi", "3", "program.py"]
    done = start(first_library, words, cwd=tmp_path, timeout=100)
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr[-3000:]


def test_the_search_of_the_page(first_library: Library, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    program, printed = re.findall(r"^```(?:python|console)\n(.*?)^```$", PAGE, re.M | re.S)[:2]
    (tmp_path / "search.py").write_text(program)
    command, *shown = printed.splitlines()
    assert command == "$ myscoop -n 2 search.py"
    done = start(first_library, [*MYSCOOP, "-n", "2", "search.py"], cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (0, shown), done.stderr


@pytest.mark.ranks
def test_without_a_farm_it_is_serial_and_one_warning(tmp_path: Path) -> None:
    (tmp_path / "serial.py").write_text(
        "from joblib import Parallel, delayed, parallel_config\n"
        "from scoopmpi.joblib import register\n"
        "register()\n"
        "with parallel_config(backend='scoopmpi'):\n"
        "    for _ in range(3):\n"
        "        print(Parallel(n_jobs=4)(delayed(abs)(-x) for x in range(3)))\n"
    )
    done = start(Library("none", {}), [sys.executable, "serial.py"], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "[0, 1, 2]\n" * 3)
    warning = re.findall(r"^```text\n(RuntimeWarning: .*?)\n```$", PAGE, re.M | re.S)[0]
    assert done.stderr.count("Warning") == done.stderr.count(warning) == 1
