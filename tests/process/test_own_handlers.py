"""A program's own handlers that raise, at any moment of its maps and calls, with real ranks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(90)
LEAST = 25
"""Of rounds that an alarm has ended, and of those that were faster."""
PROGRAM = f"""
import faulthandler, random, signal, sys, time
from scoopmpi import futures

class Late(Exception):
    pass

def late(number, frame):
    raise Late

def square(x):
    return x * x

def of_map():
    return list(futures.map(square, range(200)))

def of_calls():
    calls = [futures.submit(square, x) for x in range(20)]
    return [call.result() for call in calls]

def of_callbacks():
    found = []
    calls = [futures.submit(square, x) for x in range(20)]
    for call in calls:
        call.add_done_callback(lambda call: found.append(call.result()))
    futures.wait(calls)
    return sorted(found)

def of_reduction():
    return [futures.mapReduce(square, max, range(100))]

def main(seed):
    turn, begun = random.Random(seed), time.monotonic()
    in_time = {{work: work() for work in (of_map, of_calls, of_callbacks, of_reduction)}}
    longest = time.monotonic() - begun
    signal.signal(signal.SIGALRM, late)
    assert signal.getsignal(signal.SIGALRM) is late
    rounds = came = 0
    while came < {LEAST} or rounds - came < {LEAST}:
        work = turn.choice(list(in_time))
        rounds += 1
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, max(1e-5, turn.uniform(0, longest)))
                assert work() == in_time[work], work
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Late:
            came += 1
            longest *= 1.1  # so that about as many are faster, however busy the machine is
        else:
            longest *= 0.9
    assert of_map() == in_time[of_map]
    print("whole", flush=True)
    sys.exit(5)

if __name__ == "__main__":
    faulthandler.dump_traceback_later(50, exit=True)  # instead of a hang
    main(int(sys.argv[1]))
"""


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.first)])
def test_they_end_the_work_they_hit_and_nothing_else(
    library: Library, tmp_path: Path, seed: int
) -> None:
    (tmp_path / "late.py").write_text(PROGRAM)
    words = [sys.executable, "-m", "scoopmpi", "-n", "2", str(tmp_path / "late.py"), str(seed)]
    ended = start(library, words)
    assert (ended.stdout, ended.returncode) == ("whole\n", 5), ended.stderr


IN_PLACE = """
import functools, os, signal, sys
from scoopmpi import futures, shared
from scoopmpi.process import identity

def ring(number, frame):
    raise TimeoutError("rung")

def rung():
    if identity.this.rank == 0:
        signal.raise_signal(signal.SIGUSR1)
    return 1

class Packed:
    def __reduce__(self):
        rung()
        return int, ()

class Unpacked:
    def __reduce__(self):
        return rung, ()

def same(x):
    return x

def back(_):
    return Unpacked()

def rows():
    yield 1
    rung()
    yield 2

def own_of_callback(call):
    try:
        rung()
        os.getpid()
        print("not in the callback")
    except TimeoutError:
        pass

def callbacks():
    call = futures.submit(same, 1)
    call.add_done_callback(own_of_callback)
    call.result()
    raise TimeoutError("rung")  # so far

def uncaught():
    calls = [futures.submit(same, x) for x in range(3)]
    called = []
    calls[0].add_done_callback(lambda call: rung())
    for call in calls:
        call.add_done_callback(lambda call: called.append(call.result()))
    try:
        futures.wait(calls)
    finally:
        futures.wait(calls)
        assert sorted(called) == [0, 1, 2], called

def of_done():
    call = futures.submit(same, 1)
    call.result()
    call.add_done_callback(lambda call: rung())

CASES = {
    "a done one": of_done,
    "submit": lambda: futures.submit(same, Packed()),
    "map": lambda: list(futures.map(same, [Packed()])),
    "function": lambda: list(futures.map(functools.partial(same, Packed()), [])),
    "value": lambda: futures.submit(back, 1).result(),
    "values": lambda: list(futures.map(back, range(3))),
    "rows": lambda: list(futures.map(same, rows())),
    "constant": lambda: shared.setConst(one=Packed()),
    "constant, taken": lambda: (shared.setConst(two=Unpacked()), shared.getConst("two")),
    "callback": callbacks,
    "callback, uncaught": uncaught,
}

if __name__ == "__main__":
    for name, case in CASES.items():
        signal.signal(signal.SIGUSR1, ring)
        try:
            found = case()
        except TimeoutError as error:
            found = str(error)
        print(name, found)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # with a checkpoint maps look at constants
        assert list(futures.map(same, range(50))) == list(range(50))
"""


@pytest.mark.parametrize("options", [[], ["--checkpoint", "run.ckpt"]], ids=["", "checkpoint"])
def test_what_they_raise_is_no_failure_of_what_runs_then(
    first_library: Library, tmp_path: Path, options: list[str]
) -> None:
    """Packing, unpacking, digests, callbacks: none of them takes it for its own, or loses it."""
    (tmp_path / "rings.py").write_text(IN_PLACE)
    words = [sys.executable, "-m", "scoopmpi", "-n", "2", *options, "rings.py"]
    ended = start(first_library, words, cwd=tmp_path)
    lines = ended.stdout.splitlines()
    assert len(lines) == 11 and all(line.endswith(" rung") for line in lines), (lines, ended.stderr)
    assert ended.returncode == 0
