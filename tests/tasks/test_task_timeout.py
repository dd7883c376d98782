"""A limit for each task, in one process: what it stops, and what it must never hit."""

from __future__ import annotations

import math
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scoopmpi import TaskTimeout, futures
from scoopmpi.concurrency.periods import GRACE_SECONDS as GRACE
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.executors.pool import Pool
from scoopmpi.process import identity
from scoopmpi.process.deadline import CELLS, Deadline
from scoopmpi.scheduling.batching import Policy
from scoopmpi.tasks import current_executor, limit
from scoopmpi.tasks.executor import MapOptions
from scoopmpi.tasks.initializer import Initialized, Initializer
from scoopmpi.tasks.limit import Limited, limited, seconds_of
from scoopmpi.tasks.serial import SerialExecutor
from scoopmpi.tasks.wrapped import Starred
from scoopmpi.wire import errors, failure, payload
from tests.support.link import Ranks

pytestmark = pytest.mark.timeout(60, method="thread")  # the alarm is what is tested


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of a limit is left when a test has ended."""
    monkeypatch.setattr(identity.this, "started", True)
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert limit._running is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


def forever() -> None:
    while True:
        pass


def catches(x: Any) -> Any:
    try:
        time.sleep(30)
    except TimeoutError:
        return x


def reads() -> None:
    os.read(os.pipe()[0], 1)


def waits() -> None:
    threading.Event().wait(30)


@pytest.mark.parametrize("stuck", [forever, reads, waits, lambda: time.sleep(30)])
def test_a_python_task_is_stopped_also_where_it_sleeps(stuck: Any) -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        limited(stuck, 0.1)()
    assert 0.1 <= time.monotonic() - begun < 5
    error = caught.value
    assert isinstance(error, TaskTimeout)
    assert (error.function, error.seconds) == (failure.describe(stuck), 0.1)
    assert f"{failure.describe(stuck)} took longer than its task_timeout of 0.1 s" in str(error)


def test_a_task_may_catch_it_and_return_a_value() -> None:
    assert limited(catches, 0.05)(7) == 7


@pytest.mark.parametrize("bad", [0, -1, -math.inf, math.nan])
def test_what_is_not_above_zero_is_refused(bad: float) -> None:
    for ask in (futures.map, futures.map_as_completed, futures.submit, MPIExecutor().submit):
        with pytest.raises(ValueError, match=f"task_timeout is {bad}, it must be above 0"):
            ask(abs, [1], task_timeout=bad)


@pytest.mark.parametrize("bad", ["1", True, [], object()])
def test_what_is_no_number_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"task_timeout is .*, it must be a number of seconds"):
        futures.map(abs, [1], task_timeout=bad)


def test_without_a_limit_the_function_itself_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limited(forever) is limited(forever, math.inf) is forever
    monkeypatch.setattr(identity.this, "task_timeout", 0.5)
    assert seconds_of(limited(forever)) == 0.5
    assert limited(forever, math.inf) is forever
    assert seconds_of(limited(forever, 2)) == 2


def test_it_travels_and_its_limit_is_seen_behind_an_initializer() -> None:
    copy = payload.unpack(payload.pack(limited(catches, 3)))
    assert isinstance(copy, Limited) and copy.seconds == 3
    assert failure.describe(copy) == failure.describe(catches)
    assert seconds_of(Initialized(Initializer(print, ()), copy)) == 3
    assert seconds_of(catches) is seconds_of(abs) is seconds_of(7) is None


def test_the_alarm_of_before_comes_in_its_time() -> None:
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert limited(catches, 0.05)(1) == 1
        assert limited(abs, 5)(-1) == 1
        assert not rung.is_set() and 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 0.2
        assert rung.wait(10)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_task_that_takes_the_alarm_keeps_it_and_loses_only_the_exception() -> None:
    rung = []

    def takes() -> str:
        signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        while not rung:
            pass
        signal.alarm(30)
        return "done"

    before = signal.getsignal(signal.SIGALRM)
    assert limited(takes, 0.02)() == "done"
    assert signal.getsignal(signal.SIGALRM) not in (before, limit._rang)
    signal.signal(signal.SIGALRM, before)


def test_an_alarm_without_a_handler_does_not_shorten_the_limit() -> None:
    def alarmed() -> float:
        begun = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        catches(None)
        return time.monotonic() - begun

    assert limited(alarmed, 0.2)() > 0.19


def test_in_a_destructor_it_waits_as_it_would_be_lost_there() -> None:
    class Slow:
        def __del__(self) -> None:
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pass

    def collects() -> None:
        Slow()
        forever()

    with pytest.raises(TaskTimeout):
        limited(collects, 0.05)()


def test_a_thread_of_a_task_has_no_limit_and_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    limit._said = False
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(limited(abs, 1e-3)(-3)))
    thread.start()
    thread.join(10)
    assert found == [3]
    assert "task_timeout does not count for abs" in caplog.text


def test_a_forked_child_has_not_its_parents_limit() -> None:
    def forks() -> int:
        child = os.fork()
        if not child:
            time.sleep(0.3)
            none = limit._running is None and signal.getsignal(signal.SIGALRM) is not limit._rang
            os._exit(3 if none else 4)
        catches(None)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert limited(forks, 0.1)() == 3


def test_many_that_end_right_at_their_limit_hit_nobody_else() -> None:
    """Each gives its value or its own error, and what runs between them is never interrupted."""
    chance = random.Random(5)
    outcomes = set()
    for number in range(1500):
        length = chance.uniform(0.0002, 0.0008)
        outer = chance.random() < 0.5

        def ends_at_its_limit(length: float = length, outer: bool = outer) -> str:
            until = time.monotonic() + length
            while time.monotonic() < until:
                if outer:
                    limited(abs, 1)(-1)
            return "value"

        try:
            outcomes.add(limited(ends_at_its_limit, length)())
        except TaskTimeout:
            outcomes.add("stopped")
        assert limit._running is None
        between = sum(range(50 + number % 50))  # no alarm of the last one is left for this
        assert between
    assert outcomes == {"value", "stopped"}


def test_where_nothing_is_parallel_a_task_does_not_pay_for_its_own() -> None:
    def outer() -> list[Any]:
        return list(futures.map(time.sleep, [0.1] * 4, task_timeout=1))

    assert futures.submit(outer, task_timeout=0.2).result() == [None] * 4
    assert list(futures.map(catches, [1, 2], task_timeout=0.05)) == [1, 2]
    assert MPIExecutor().submit(catches, 3, task_timeout=0.05).result() == 3
    values = MPIExecutor(initializer=time.sleep, initargs=(0.2,)).map(
        catches, [4], task_timeout=0.1, buffersize=1
    )
    assert list(values) == [4]
    with pytest.raises(TaskTimeout):
        futures.mapReduce(time.sleep, max, [30], task_timeout=0.05)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_call_that_runs_in_place_is_stopped_by_the_limit_of_its_task(wrapped: bool) -> None:
    def outer(submit: Any) -> Any:
        call = submit(Starred(forever), ()) if wrapped else submit(forever)
        return call.result()

    for submit in (SerialExecutor().submit, futures.submit, MPIExecutor().submit, Pool().submit):
        with pytest.raises(TaskTimeout, match=r"outer\(.+\) took longer than its .* 0\.05 s"):
            futures.submit(outer, submit, task_timeout=0.05).result()


def test_the_default_counts_for_pools_and_not_for_a_reduction_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity.this, "task_timeout", 0.2)
    with Pool() as pool:
        assert pool.starmap(catches, [(5,)]) == [5]

    def nap(x: int) -> int:
        time.sleep(0.1)
        return x

    assert futures.mapReduce(nap, max, range(4)) == 3


# A farm in memory: tasks on one thread, set aside and taken up in the order of a seed.


def spin(seconds: float) -> float:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return seconds


def parent(x: int) -> tuple[int, int]:
    """Waits for its own for longer than its limit; three of these are stopped."""
    stopped = 0
    calls = []
    for y in range(6):
        late = (x + y) % 2 == 0  # the others have time enough, however busy this machine is
        seconds, most = (30, 0.15) if late else (0.001, 10)
        calls.append(futures.submit(spin, seconds, task_timeout=most))
    for call in calls:
        try:
            call.result()
        except TaskTimeout as error:
            assert error.function is not None and error.function.endswith("spin")
            assert error.index is not None
            stopped += 1
    return x, stopped


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_set_aside_only_those_are_stopped_that_take_too_long(seed: int) -> None:
    policy = Policy(target=0, shortest=0, message=0) if seed % 2 else Policy()
    ranks = Ranks(1 + seed % 3, seed, policy)
    current_executor.install(ranks.executor)
    try:
        # The limit of a parent is far below what its nested tasks take together.
        values = list(futures.map(parent, range(2), task_timeout=0.4))
        assert values == [(x, 3) for x in range(2)]
        outcomes = Counts()
        results = MPIExecutor().results(
            spin, [[0.001, 30, 0.001, 30]], MapOptions(task_timeout=0.1)
        )
        while found := results.outcomes():
            outcomes.take(found)
        assert outcomes.seen == [0.001, 1, 0.001, 3]
        ranks.settle()
    finally:
        current_executor.install(None)


class Scene:
    """The ranks of the running test."""

    ranks: Ranks


scene = Scene()


def dies(silence: float) -> None:
    """Its worker dies, as if nothing had been heard of it for so many seconds."""
    ranks = scene.ranks
    silences = ranks.farm._dispatch._silences
    assert silences.watching and ranks.acting is not None
    silences._since[ranks.acting.rank] -= silence
    ranks.die()


@pytest.mark.parametrize("silence", [0, 2, 100])
@pytest.mark.parametrize("as_map", [False, True])
def test_who_dies_behind_its_limit_is_not_tried_again(silence: float, as_map: bool) -> None:
    ranks = scene.ranks = Ranks(4, 1, retries=2)
    current_executor.install(ranks.executor)
    try:
        with pytest.raises((TaskTimeout, errors.WorkerLost)) as caught:
            if as_map:
                list(futures.map(dies, [silence], task_timeout=5))
            futures.submit(dies, silence, task_timeout=5).result()
        late = silence > 5 + GRACE
        assert isinstance(caught.value, TaskTimeout) is late
        assert len(ranks.link.dead) == (1 if late else 3)
        assert caught.value.index == 0 and caught.value.rank in ranks.link.dead
        assert "did not react within 2 s more" in str(caught.value) or not late
        assert futures.submit(abs, -42).result() == 42
    finally:
        current_executor.install(None)


class Counts:
    """Values as they are, and of a task that was stopped the index that its error names."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def take(self, outcomes: list[Any]) -> None:
        for outcome in outcomes:
            error = getattr(outcome, "error", None)
            self.seen.append(outcome if error is None else error.index)


# The supervisor's side.


def deadline() -> tuple[Deadline, list[None]]:
    woken: list[None] = []
    return Deadline(bytearray(8 * CELLS), lambda: woken.append(None)), woken


def test_the_supervisor_sleeps_until_a_task_could_be_too_late() -> None:
    shared, woken = deadline()
    assert shared.look(5.0) is None
    shared.begins(110.0, 10.0)
    assert len(woken) == 1
    assert shared.look(100.0) == 10.0 + GRACE
    shared.ends()
    shared.begins(111.0, 10.0)
    assert len(woken) == 1  # it looks soon enough
    assert shared.look(110.0 + GRACE) == 1.0
    shared.begins(50.0, 1.0)
    assert len(woken) == 2  # it would look too late
    shared.ends()
    assert shared.look(120.0) is None
    shared.begins(130.0, 1.0)
    assert len(woken) == 3


def test_a_task_that_does_not_react_is_killed_after_its_grace() -> None:
    shared, _ = deadline()
    shared.begins(110.0, 10.0)
    wait = shared.look(100.0)
    assert wait is not None
    assert shared.look(100.0 + wait) == 0.0
    assert shared.seconds == 10.0


def test_a_supervisor_that_was_stopped_itself_gives_the_grace_anew() -> None:
    shared, _ = deadline()
    shared.begins(110.0, 10.0)
    shared.look(100.0)
    assert shared.look(500.0) == GRACE
    assert shared.look(500.0 + GRACE) == 0.0
