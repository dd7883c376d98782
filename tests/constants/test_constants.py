"""Constants: the store of a rank, and several of them on a host."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi import shared
from scoopmpi.constants import hostmemory, local
from scoopmpi.constants import store as constants
from scoopmpi.constants.broadcast import Place, forwards
from scoopmpi.constants.local import LocalConstants
from scoopmpi.constants.store import Constants, is_lent, packed
from scoopmpi.process import identity
from tests.constants.test_hostmemory import Other, missing

needs_host_memory = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
BIG = constants.LARGE // 8
opened: list[object] = []


class Counted:
    """Notes that it was unpickled."""

    def __setstate__(self, state: Any) -> None:
        opened.append(state)
        time.sleep(0.01)

    def __getstate__(self) -> str:
        return "state"


class Hostile:
    """Raises when it is unpickled."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        return raise_it, (self.error,)


def raise_it(error: BaseException) -> None:
    if not identity.this.importing:  # which a test may set to have it work
        raise error


class Asks:
    """Needs another constant to be unpickled."""

    def __setstate__(self, name: str) -> None:
        self.found = shared.getConst(name)

    def __getstate__(self) -> str:
        return "other"


class Recorder(LocalConstants):
    """Notes what it was asked to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait_for(self, name: str, timeout: float | None) -> bool:
        self.waits.append(timeout)
        return False


@pytest.fixture(autouse=True)
def constants_backend(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A process on its own without constants."""
    found = Recorder()
    monkeypatch.setattr(local, "of_this_process", found)
    shared._warned.clear()
    return found


def stored(**values: Any) -> Constants:
    store = Constants()
    store.add(packed(values))
    return store


def workers(hosts: list[str]) -> list[Place]:
    return [Place(rank, host) for rank, host in enumerate(hosts, 1)]


def wired(frames: Mapping[str, Any]) -> dict[str, Any]:
    """Frames after a journey between two processes."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(dict(frames), 5, buffer_callback=buffers.append)
    journeyed = [bytearray(buffer.raw()) for buffer in buffers]
    result: dict[str, Any] = pickle.loads(data, buffers=journeyed)
    return result


# The store of one rank


def test_any_object_is_a_constant() -> None:
    step = 3
    store = stored(number=1, nothing=None, function=abs, lines=lambda x: x + step, text="x" * 10**6)
    assert (store.get("number"), store.get("nothing"), store.get("function")) == (1, None, abs)
    assert store.get("lines")(4) == 7
    assert store.get("text") == "x" * 10**6
    assert store.names == ["number", "nothing", "function", "lines", "text"]


def test_a_value_is_unpickled_when_it_is_asked_for_and_once() -> None:
    opened.clear()
    store = stored(counted=Counted())
    assert opened == []
    assert store.get("counted") is store.get("counted")
    assert opened == ["state"]


def test_a_value_is_unpickled_once_by_many_threads() -> None:
    opened.clear()
    store = stored(counted=Counted())
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(store.get("counted"))) for _ in "12345"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 5 and len(set(map(id, found))) == 1
    assert opened == ["state"]


def test_what_was_not_set_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="absent"):
        stored(here=1).get("absent")


def test_a_constant_is_set_once() -> None:
    store = stored(one=1)
    with pytest.raises(TypeError, match="the constant 'one' exists already"):
        store.add(packed({"one": 2}))
    assert store.get("one") == 1


def test_where_one_name_exists_nothing_is_set() -> None:
    store = stored(one=1)
    with pytest.raises(TypeError, match="'one'"):
        store.add(packed({"two": 2, "one": 2, "three": 3}))
    assert (store.names, store.count) == (["one"], 1)
    assert store.add(packed({"two": 2, "three": 3})).number == 2


def test_of_threads_that_set_one_name_one_succeeds() -> None:
    store = Constants()
    begin = threading.Barrier(8)
    problems = []

    def add(value: int) -> None:
        begin.wait(20)
        try:
            store.add(packed({"name": value, f"own{value}": value}))
        except TypeError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=add, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(problems), store.count, len(store.names)) == (7, 1, 2)
    assert store.get(f"own{store.get('name')}") == store.get("name")


@given(st.permutations(range(1, 9)))
def test_the_count_says_up_to_where_all_are_here(order: list[int]) -> None:
    store = Constants()
    seen = set()
    for number in order:
        store.add(packed({f"n{number}": number}), number)
        seen.add(number)
        assert store.count == max(n for n in range(9) if set(range(1, n + 1)) <= seen)
        assert f"n{number}" in store, "known at once, even before its turn"


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), StopIteration(), MemoryError("none")]
)
def test_a_hostile_constant_is_named_and_the_next_one_works(error: BaseException) -> None:
    store = stored(hostile=Hostile(error), good=1)
    for _ in range(2):
        with pytest.raises(pickle.UnpicklingError) as problem:
            store.get("hostile")
        assert "the constant 'hostile' cannot be unpickled on rank 0" in str(problem.value)
        assert type(error).__name__ in str(problem.value)
        assert type(problem.value.__cause__) is type(error)
    assert store.get("good") == 1


def test_a_constant_that_failed_may_work_later(monkeypatch: pytest.MonkeyPatch) -> None:
    store = stored(hostile=Hostile(ValueError("no")))
    with pytest.raises(pickle.UnpicklingError):
        store.get("hostile")
    monkeypatch.setattr(identity.this, "importing", True)
    assert store.get("hostile") is None


def test_ctrl_c_while_unpickling_stays_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        stored(slow=Hostile(KeyboardInterrupt())).get("slow")


def test_what_cannot_be_pickled_is_named() -> None:
    with pytest.raises(pickle.PicklingError, match=r"the constant 'lock', a lock, cannot be"):
        packed({"fine": 1, "lock": threading.Lock()})


ARRAYS = {
    "small": np.arange(10.0),
    "large": np.arange(3.0 * BIG),
    "columns": np.asfortranarray(np.ones((BIG, 2))),
    "every other": np.arange(2.0 * BIG)[::2],
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_read_only_and_as_they_were(name: str) -> None:
    array = ARRAYS[name].copy("K")
    store = stored(array=array)
    array[:] = -1
    found = store.get("array")
    assert (found == ARRAYS[name]).all() and found.shape == array.shape
    assert not found.flags.writeable
    with pytest.raises(ValueError):
        found[...] = 0


def test_arrays_inside_other_objects_are_read_only() -> None:
    store = stored(many={"small": np.ones(3), "large": [np.ones(BIG)]})
    many = store.get("many")
    assert not many["small"].flags.writeable and not many["large"][0].flags.writeable


# Several ranks


@needs_host_memory
def test_a_large_array_is_lent_on_the_host_and_sent_in_full_to_others() -> None:
    first, mate, abroad = Constants(), Constants(), Constants()
    added = first.add(packed({"table": np.arange(2.0 * BIG), "step": 3}))
    assert is_lent(added.lent["table"]) and not is_lent(added.lent["step"])
    assert len(pickle.dumps(added.lent)) < 1000
    assert not is_lent(added.frames["table"])
    mate.add(wired(added.lent), added.number)
    abroad.add(wired(added.frames), added.number)
    for store in (first, mate, abroad):
        assert store.get("step") == 3 and store.count == 1
        assert (store.get("table") == np.arange(2.0 * BIG)).all()
        assert not store.get("table").flags.writeable


@needs_host_memory
def test_who_has_borrowed_can_pass_it_on() -> None:
    first, mate = Constants(), Constants()
    added = first.add(packed({"table": np.arange(2.0 * BIG)}))
    passed = mate.add(wired(added.lent), added.number)
    assert passed.lent == added.lent
    last, abroad = Constants(), Constants()
    last.add(wired(passed.lent), 1)
    onward = abroad.add(wired(passed.frames), 1)
    assert is_lent(onward.lent["table"]) and onward.lent != added.lent, "its host's own"
    for store in (last, abroad):
        assert store.get("table")[-1] == 2 * BIG - 1


@pytest.mark.ranks
@needs_host_memory
def test_another_process_borrows() -> None:
    store, other = Constants(), Other()
    try:
        added = store.add(packed({"table": np.arange(2.0 * BIG)}))
        other.ask(
            "(c := __import__('scoopmpi.constants.store').constants.store.Constants()) and None"
        )
        assert other.ask(f"c.add({added.lent!r}, 1).number") == 1
        assert other.ask("float(c.get('table')[-1]), c.get('table').flags.writeable") == (
            2.0 * BIG - 1,
            False,
        )
    finally:
        other.kill()


@needs_host_memory
def test_who_cannot_borrow_asks_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, mate = Constants(), Constants()
    added = first.add(packed({"table": np.arange(2.0 * BIG), "step": 3}))

    def refused(where: Any) -> Any:
        raise hostmemory.NotShared("another container")

    monkeypatch.setattr(hostmemory, "attach", refused)
    with pytest.raises(hostmemory.NotShared):
        mate.add(wired(added.lent), added.number)
    assert (mate.names, mate.count) == ([], 0)
    first.get("step"), first.get("table")
    again = first.frames_of(added.number)
    mate.add({**wired(added.lent), **wired(again)}, added.number)
    assert mate.get("table")[-1] == 2 * BIG - 1 and mate.get("step") == 3


def test_without_shared_memory_each_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(buffers: Any) -> Any:
        raise hostmemory.NotShared("not here")

    monkeypatch.setattr(hostmemory, "publish", refused)
    array = np.arange(2.0 * BIG)
    first, mate = Constants(), Constants()
    added = first.add(packed({"table": array}))
    array[:] = -1
    assert not is_lent(added.lent["table"])
    mate.add(wired(added.lent), added.number)
    for store in (first, mate):
        assert store.get("table")[-1] == 2 * BIG - 1
        assert not store.get("table").flags.writeable


def test_small_and_in_band_constants_are_not_lent() -> None:
    added = stored().add(packed({"small": np.ones(BIG - 1), "text": "x" * 3 * 10**6}))
    assert not any(map(is_lent, added.lent.values()))


def test_large_text_can_be_sent_on() -> None:
    first, second, third = Constants(), Constants(), Constants()
    added = second.add(wired(first.add(packed({"text": "x" * 10**6})).frames), 1)
    third.add(wired(added.frames), 1)
    assert third.get("text") == "x" * 10**6


@needs_host_memory
def test_a_farm_of_three_hosts_has_the_array_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    published = []
    publish = hostmemory.publish
    monkeypatch.setattr(
        hostmemory, "publish", lambda buffers: published.append(1) or publish(buffers)
    )
    hosts = ["h0", "h0", "h1", "h1", "h1", "h2", "h2"]
    stores = [Constants() for _ in range(8)]
    messages = [("h0", stores[0].add(packed({"table": np.arange(2.0 * BIG)})), workers(hosts))]
    while messages:
        host, added, places = messages.pop()
        for to, behind in forwards(host, places):
            frames = wired(added.lent if to.host == host else added.frames)
            messages.append((to.host, stores[to.rank].add(frames, added.number), list(behind)))
    assert [store.get("table")[-1] for store in stores] == [2 * BIG - 1] * 8
    assert len(published) == 3
