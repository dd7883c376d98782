"""What programs do with large values that must disturb nobody: each scenario takes an executor.

Over the in-memory link and on ranks. Arrays are filled with one number, so that any part of another
shows; tasks say what they have found, and write into everything that they are given.
"""

from __future__ import annotations

import collections
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scoopmpi import futures
from scoopmpi.tasks import current_executor

COUNT = 3 << 15
"""Numbers in an array: 0.75 MiB."""
TASKS = 12
KEPT: collections.deque[tuple[np.ndarray[Any, Any], float]] = collections.deque(maxlen=40)
"""Arrays that tasks of this process have kept, with the number that each is full of."""
GIVEN: collections.deque[np.ndarray[Any, Any]] = collections.deque(maxlen=5)
"""Arrays that tasks of this process have kept and given as their values as well."""
SPOILED = -1e9


def full(number: float, count: int = COUNT) -> Any:
    return np.full(count, float(number))


def only(array: Any) -> float:
    """The number that an array is full of; an error where there are two, as of two owners."""
    first = float(array.flat[0]) if array.size else 0.0
    wrong = np.flatnonzero(array != first)
    assert not wrong.size, f"{first} and {array.flat[wrong[0]]} at {wrong[0]} of {array.size}"
    return first


def spoil(array: Any, number: float = 0) -> float:
    """Say what was found, and leave something else."""
    found = only(array)
    array[...] = SPOILED - number
    return found


def spoil_row(row: Any) -> float:
    array = row["array"] if isinstance(row, dict) else row[0]
    return spoil(array, row["number"] if isinstance(row, dict) else row[1])


def spoil_by_threads(array: Any, number: float) -> float:
    """The same, where threads of the task write."""
    found, threads = only(array), []
    for part in np.array_split(array, 3):
        threads.append(threading.Thread(target=part.__setitem__, args=(..., SPOILED - number)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return found if only(array) == SPOILED - number else SPOILED


def keep(array: Any, number: float) -> float:
    """Keep the argument; whatever was kept before is as it was."""
    for kept, full_of in KEPT:
        assert only(kept) == full_of, f"what was kept full of {full_of} is full of {kept[0]}"
    KEPT.append((array, number))
    return only(array)


def keep_and_give(number: float) -> Any:
    """Keep the value that is given, and write into it when it has left."""
    for given in GIVEN:
        given[...] = SPOILED
    value = full(number)
    GIVEN.append(value)
    return value


def forget(_: int) -> None:
    KEPT.clear()


def nested(array: Any, number: float) -> tuple[float, list[float], float]:
    """A task whose own tasks get the array, too."""
    inner = list(futures.map(spoil, itertools.repeat(array), range(4)))
    inner += [futures.submit(spoil, array=array, number=5).result()]
    inner += list(futures.map(functools.partial(spoil, array.copy()), range(1)))
    return only(array), inner, spoil(array, number)


# What the program does.


def the_same_array_with_every_task(executor: Any) -> None:
    array = full(7)
    for task in (spoil, spoil_by_threads):
        found = list(executor.map(task, itertools.repeat(array), range(TASKS)))
        assert found == [7] * TASKS and only(array) == 7
    rows = [(array, 1), [array, 2], {"array": array, "number": 3}] * 4
    assert list(executor.map(spoil_row, rows)) == [7] * TASKS
    assert list(executor.map(spoil_row, [rows[0]] * TASKS)) == [7] * TASKS
    assert only(array) == 7


def the_same_array_with_calls_in_a_row(executor: Any) -> None:
    array = full(7)
    calls = [executor.submit(spoil, array=array, number=n) for n in range(TASKS)]
    calls += [executor.submit(spoil_row, (array, n)) for n in range(TASKS)]
    assert [call.result() for call in calls] == [7] * 2 * TASKS and only(array) == 7


def parts_of_one_array(executor: Any) -> None:
    """Views that overlap, and that begin where another does."""
    whole = np.repeat(np.arange(4.0), COUNT)
    parts = [whole[n * COUNT : (n + 1) * COUNT] for n in range(4)]
    assert list(executor.map(spoil, parts * 3)) == [0, 1, 2, 3] * 3
    heads = [whole[: COUNT // n] for n in range(1, 5)]
    assert list(executor.map(spoil, heads * 2)) == [0] * 8
    assert [only(part) for part in parts] == [0, 1, 2, 3]


def an_array_that_changes_between_calls(executor: Any) -> None:
    """A call has what its arguments were when it was submitted, as the same array too."""
    array, calls = full(0), []
    for _ in range(TASKS):
        calls.append(executor.submit(spoil, array, number=1))
        array += 1
    array[:] = SPOILED
    assert [call.result() for call in calls] == list(range(TASKS))
    for _ in range(3):  # only a part of it, and the same number of bytes
        array[:] = 5
        call = executor.submit(spoil, array)
        array[COUNT // 2 :] = 6
        assert call.result() == 5


def one_number_of_a_huge_array_that_changes(executor: Any) -> None:
    """Between calls, and between maps: anywhere in it, where a sample would not show it."""
    array, places = full(0, 3 << 20), [1, 1_234_567, 3 << 19, (3 << 20) - 2]
    calls = []
    for place in places:
        array[place] = place
        calls.append(executor.submit(numbers_in, array))
    assert [call.result() for call in calls] == [places[:n] for n in range(1, 5)]
    for place in places:
        array[place] = 0
        found = list(executor.map(numbers_in, itertools.repeat(array, 4)))
        assert found == [[each for each in places if array[each]]] * 4


def numbers_in(array: Any) -> list[int]:
    return [int(place) for place in np.flatnonzero(array)]


def an_array_that_changes_between_maps(executor: Any) -> None:
    array = full(0)
    for number in range(5):
        array[:] = number
        assert list(executor.map(spoil, [array] * 6)) == [number] * 6
        assert list(executor.map(spoil, itertools.repeat(array), range(6))) == [number] * 6
        assert list(executor.map(functools.partial(add, array), range(6))) == [number] * 6


def add(array: Any, _: int) -> float:
    return only(array)


def arrays_at_the_same_address(executor: Any) -> None:
    """A generator's arrays that are gone when the next is made, in the memory of the one before."""

    def fresh() -> Iterator[Any]:
        for number in range(5 * TASKS):
            yield full(number)

    assert list(executor.map(spoil, fresh())) == list(range(5 * TASKS))
    calls = [executor.submit(spoil, each) for each in fresh()]
    assert [call.result() for call in calls] == list(range(5 * TASKS))
    for number in range(TASKS):
        array = full(number)
        assert list(executor.map(spoil, [array] * 4)) == [number] * 4
        del array


def a_buffer_that_a_generator_refills(executor: Any) -> None:
    """Each task finds what was in it when it was given out; alone, in tuples and in dicts."""

    def frames(row: Callable[[Any, int], Any]) -> Iterator[Any]:
        frame = full(0)
        for number in range(5 * TASKS):
            frame[:] = number
            yield row(frame, number)

    found = list(range(5 * TASKS))
    assert list(executor.map(spoil, frames(lambda frame, _: frame))) == found
    assert list(executor.map(spoil, frames(lambda frame, _: frame), itertools.count())) == found
    assert list(executor.map(spoil_row, frames(lambda *row: row))) == found
    by_name = frames(lambda frame, number: {"array": frame, "number": number})
    assert list(executor.map(spoil_row, by_name)) == found


def a_function_that_holds_an_array(executor: Any) -> None:
    """What a task writes into it stays on its worker."""
    array = full(7)

    def changes(number: int) -> bool:
        array[0] += 1
        return bool((array[1:] == 7).all() and array[0] >= 8)

    for task in (changes, functools.partial(grows, array)):
        assert all(executor.map(task, range(TASKS)))
        assert only(array) == 7


def grows(array: Any, _: int) -> bool:
    array[0] += 1
    return bool((array[1:] == 7).all() and array[0] >= 8)


def what_tasks_keep(executor: Any) -> None:
    """An argument belongs to the task: nothing else comes into its memory later."""
    assert list(executor.map(forget, range(50))) == [None] * 50
    for _ in range(2):
        numbers = [float(number) for number in range(100)]
        assert list(executor.map(keep, map(full, numbers), numbers)) == numbers
        same = full(3)
        assert list(executor.map(keep, itertools.repeat(same), [3.0] * 30)) == [3.0] * 30
    calls = [executor.submit(keep, full(number), number) for number in numbers[:30]]
    assert [call.result() for call in calls] == numbers[:30]
    assert list(executor.map(forget, range(50))) == [None] * 50


def what_tasks_keep_of_their_results(executor: Any) -> None:
    """A result is what it was when its task ended, whatever later tasks do to it."""
    values = executor.map(keep_and_give, range(40))
    assert [only(value) for value in values] == list(range(40))
    calls = [executor.submit(keep_and_give, number) for number in range(40)]
    assert [only(call.result()) for call in calls] == list(range(40))
    assert list(executor.map(forget, range(50))) == [None] * 50


def results_that_are_kept(executor: Any) -> None:
    """While many others come and go; also those of which the program keeps only a view."""
    kept, views = {}, []
    for number, value in enumerate(executor.map(full, range(120))):
        if number % 7 == 0:
            kept[number] = value
        if number % 5 == 0:
            views.append((number, value[100:200], memoryview(value)[-5:], value[::-1][:3].T))
        value = None  # before the next comes
    for _ in executor.map(full, range(60)):
        pass
    for number, value in kept.items():
        assert only(value) == number and value.flags.writeable
        value[:] = SPOILED  # it is the program's
    for number, *parts in views:
        if number % 7:
            assert [only(np.asarray(part)) for part in parts] == [number] * 3


def callbacks(executor: Any) -> None:
    """A callback that writes into its call's value, where another has just been given away."""
    found: list[float] = []
    array = full(7)
    calls = [executor.submit(echo, array) for _ in range(TASKS)]
    for call in calls:
        call.add_done_callback(lambda ended: found.append(spoil(ended.result())))
    wait_until = getattr(executor, "wait_until", current_executor.wait_until)
    assert wait_until(lambda: len(found) == TASKS, 20)
    assert found == [7] * TASKS and only(array) == 7
    assert [only(call.result()) for call in calls] == [SPOILED] * TASKS


def echo(array: Any) -> Any:
    return array


def tasks_of_tasks(executor: Any) -> None:
    array = full(7)
    expected = (7.0, [7.0] * 6, 7.0)
    assert list(executor.map(nested, itertools.repeat(array), range(6))) == [expected] * 6
    assert list(executor.map(nested, [full(7) for _ in range(4)], range(4))) == [expected] * 4
    assert only(array) == 7


SCENARIOS: dict[str, Callable[[Any], None]] = {
    scenario.__name__.replace("_", " "): scenario
    for scenario in (
        the_same_array_with_every_task, the_same_array_with_calls_in_a_row, parts_of_one_array,
        an_array_that_changes_between_calls, one_number_of_a_huge_array_that_changes,
        an_array_that_changes_between_maps,
        arrays_at_the_same_address, a_buffer_that_a_generator_refills,
        a_function_that_holds_an_array, what_tasks_keep,
        what_tasks_keep_of_their_results, results_that_are_kept, callbacks, tasks_of_tasks,
    )
}  # fmt: skip
