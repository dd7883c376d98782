"""The end of the batch job over the in-memory link: nothing begins that it would cut.

The invariant, in any interleaving: a task begins only where it ends in time if it takes as long as
the longest of its function so far; each task is done or left, and both are counted; and whoever
waits for a task that is left hears of it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from scoopmpi.farm.tasks_left import MapLeft, TasksLeft
from scoopmpi.tasks import current_executor
from scoopmpi.tasks.executor import MapOptions
from scoopmpi.tasks.retry import RetryPolicy
from tests.support.ending_job import NAME, Current, Ran, World, analyse, simulate, world
from tests.support.timed import clock

__all__ = ["clock", "world"]


@pytest.mark.parametrize("seed", range(30))
def test_nothing_begins_that_would_be_cut_and_all_are_counted(
    seed: int, world: Callable[..., World]
) -> None:
    chance = random.Random(seed)
    made = world(workers=1 + seed % 4, seed=seed)
    made.ends_in(6.0)
    longest = chance.choice([0.003, 0.05, 0.5, 2.0])
    lengths = [longest * chance.choice([1.0, 1.0, chance.random()]) for _ in range(30_000)]
    values: list[int] = []
    with pytest.raises(SystemExit) as raised:
        values.extend(made.executor.map(simulate, range(30_000), lengths))
    assert raised.value is made.error
    made.check()
    left, count, seconds = made.stopped or (None, 0, 0.0)
    assert count == len(made.ran)
    assert left == TasksLeft((MapLeft(NAME, len(made.ran), 30_000),), 0, 0)
    assert 0.9 <= seconds <= 1.0 + longest + 1.0
    assert values == list(range(len(values))) and len(values) <= len(made.ran)
    # As much as possible was run: nobody has idled before that was necessary.
    assert made.clock.now > made.job.at - 1.0 - longest - 0.3
    if longest > 0.01:  # what a message takes here counts for more than such a task
        assert len(made.ran) > 0.5 * made.ranks.farm.members.size * (5.0 - longest) / longest - 5


@pytest.mark.parametrize("seed", range(10))
def test_other_jobs_with_shorter_tasks_go_on(seed: int, world: Callable[..., World]) -> None:
    made = world(workers=2 + seed % 3, seed=seed)
    made.ends_in(5.0)
    long = made.executor.map(simulate, range(400), [0.9] * 400)
    short = made.executor.map(analyse, range(60_000), [0.02] * 60_000)
    with pytest.raises(SystemExit):
        for _ in zip(long, short, strict=True):
            pass
    made.check()
    latest = {each.function: each.ended for each in made.ran}
    assert made.job.at is not None
    assert latest["analyse"] > made.job.at - 1.5 > made.job.at - 1.9 > latest["simulate"] - 0.9
    assert made.stopped is not None and len(made.stopped.left.maps) == 2


@pytest.mark.parametrize("seed", range(10))
def test_all_goes_on_where_the_end_moves_away(seed: int, world: Callable[..., World]) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(8.0)
    values = made.executor.map(simulate, range(60), [0.5] * 60)
    first = next(values)
    made.ranks.spend(5.8)
    made.ranks.settle()
    held = len(made.ran)
    assert held < 60
    made.ranks.spend(0.2)  # nobody waits for anything: the program may have other things to do
    assert len(made.ran) == held and made.stopped is None
    made.ends_in(60.0)
    assert [first, *values] == list(range(60))
    assert made.stopped is None
    made.check()


@pytest.mark.parametrize("seed", range(10))
def test_a_program_that_waits_for_nothing_is_ended_when_the_margin_begins(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(6.0)
    values = made.executor.map(simulate, range(100), [1.5] * 100)
    next(values)
    with pytest.raises(SystemExit):
        made.ranks.spend(10.0)
    assert made.job.at is not None and abs(made.clock.now - (made.job.at - 1.0)) < 0.3
    made.check()


@pytest.mark.parametrize("seed", range(10))
def test_nobody_is_ended_who_has_all_that_he_has_asked_for(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(4.0)
    assert list(made.executor.map(simulate, range(4), [0.2] * 4)) == list(range(4))
    calls = [made.executor.call(simulate, (index, 0.1), {}) for index in range(4)]
    assert [call.result() for call in calls] == list(range(4))
    made.ranks.spend(5.0)
    assert made.stopped is None


@pytest.mark.parametrize("seed", range(10))
def test_whoever_goes_on_is_told_again_and_none_hangs(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(3.0)
    calls = [made.executor.call(simulate, (index, 0.3), {}) for index in range(40)]
    values = made.executor.map(analyse, range(100), [0.3] * 100)
    with pytest.raises(SystemExit):
        list(values)
    left = made.stopped
    assert left is not None and left.left.all_calls == 40
    ended = sum(each.function == "simulate" for each in made.ran)
    assert left.left.calls == 40 - ended
    for call in calls:  # a program that has caught it, and waits for others
        made.ranks.wait_until(call.done)
        assert call.exception() in (None, made.error)
    assert sum(call.exception() is None for call in calls) == ended
    with pytest.raises(SystemExit) as again:
        list(made.executor.map(simulate, range(3), [0.1] * 3))
    assert again.value is made.error
    with pytest.raises(SystemExit):
        made.executor.call(simulate, (7, 0.1), {})
    made.farm.finish()
    made.check()


@pytest.mark.parametrize("seed", range(10))
def test_tasks_of_tasks_are_part_of_their_task(seed: int, world: Callable[..., World]) -> None:
    """None of them is held back, so that no task waits for ever; and a task takes as long as all
    that it waits for."""
    made = world(workers=2 + seed % 3, seed=seed)
    made.ends_in(8.0)
    with pytest.raises(SystemExit):
        list(made.executor.map(parent, range(100)))
    latest = made.job.at - 1.0 if made.job.at is not None else 0.0
    parents = [each for each in made.ran if each.function == "parent"]
    longest = 0.0
    for each in sorted(parents, key=lambda each: each.ended):
        longest = max(longest, each.ended - each.began)
    assert made.stopped is not None
    assert made.stopped.left == TasksLeft((MapLeft(f"{__name__}.parent", len(parents), 100),))
    assert len(made.ran) == 5 * len(parents), "each has run whole"
    # Their wall time differs by who has taken their tasks: one may take longer than any before.
    assert max(each.ended for each in parents) < latest + longest
    known = [each for each in parents if each.ended < latest - 3.0]
    assert known and max(each.began for each in parents) <= latest - max(
        each.ended - each.began for each in known
    )


def parent(index: int) -> int:
    world = Current.world
    began = world.clock.time()
    values = list(current_executor.current().map(child, range(4)))
    world.ran.append(Ran("parent", index, began, world.clock.time()))
    return index + len(values)


def child(index: int) -> int:
    world = Current.world
    began = world.clock.time()
    world.ranks.spend(0.2)
    world.ran.append(Ran("child", index, began, world.clock.time()))
    return index


@pytest.mark.parametrize("seed", range(10))
def test_what_waits_to_be_tried_again_is_left(seed: int, world: Callable[..., World]) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(4.0)
    options = MapOptions(retry=RetryPolicy(5, 1.3, (ValueError,)))
    with pytest.raises(SystemExit):
        list(made.executor.results(fails, [range(3), [0.2] * 3], options))
    assert made.stopped is not None and made.stopped.left.tasks == 3
    made.check()


def fails(index: int, seconds: float) -> int:
    Current.world.ranks.spend(seconds)
    raise ValueError(index)


@pytest.mark.parametrize("seed", range(10))
def test_a_map_that_nobody_reads_is_left_too(seed: int, world: Callable[..., World]) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(4.0)
    values = made.executor.map(simulate, range(100), [0.2] * 100)
    del values
    with pytest.raises(SystemExit):
        made.farm.finish()
    assert made.stopped is not None
    assert made.stopped.left == TasksLeft((MapLeft(NAME, len(made.ran), 100),))
    made.check()


@pytest.mark.parametrize("seed", range(10))
def test_what_a_dead_worker_held_is_left_where_it_is_too_late(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=2 + seed % 3, seed=seed)
    made.ends_in(6.0)
    values = iter(made.executor.map(simulate, range(100), [1.0] * 100))
    with pytest.raises(SystemExit):
        while True:
            next(values)
            if len(made.ran) > 3 and len(made.ranks.workers) > 1:
                made.ranks.kill(made.ranks.workers[0])
    assert made.stopped is not None
    done = {each.index for each in made.ran}
    assert made.stopped.left.tasks >= 100 - len(done)


def test_what_is_too_late_is_not_even_sent(world: Callable[..., World]) -> None:
    made = world(workers=1, seed=3)
    made.ends_in(6.0)
    told = made.events()
    values = made.executor.map(simulate, range(5), [3.0] * 5)
    first = next(values)
    assert made.executor.call(analyse, (1, 0.1), {}).result() == 1, "nobody knows how long it takes"
    more = made.executor.map(simulate, range(7), [3.0] * 7)
    with pytest.raises(SystemExit):
        list(more)
    assert first == 0 and told.assigned == [(1, 0), (0, 0)]
    assert told.paused == [(1, True), (2, True)], "of calls there are none"
    assert [left for left, _ in told.stopped] == [4 + 7]


def test_nothing_is_held_back_where_nobody_says_when_the_job_ends(
    world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    made = world(workers=2, seed=1)
    assert list(made.executor.map(simulate, range(80), [2.0] * 80)) == list(range(80))
    text = "--stop-before: nobody says when this job ends, or it has no end; nothing is held back (--walltime says it)"  # noqa: E501
    assert caplog.messages == [text]


@pytest.mark.parametrize("seed", range(10))
def test_calls_of_a_short_function_go_on_when_those_of_a_long_one_are_done(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(6.0)
    for call in [made.executor.call(simulate, (index, 1.5), {}) for index in range(2)]:
        call.result()
    quick = [made.executor.call(analyse, (index, 0.05), {}) for index in range(1000)]
    assert made.job.at is not None
    with pytest.raises(SystemExit):
        while True:  # from here on a long one comes too late
            if made.clock.now > made.job.at - 2.0 and len(quick) == 1000:
                quick.append(made.executor.call(simulate, (7, 1.5), {}))
            made.ranks.wait_until(lambda: False, 0)
            made.ranks.spend(0.05)
    made.check()
    latest = max(each.ended for each in made.ran)
    assert made.job.at - 2.3 < latest < made.job.at - 1.0
    assert sum(each.function == "simulate" for each in made.ran) == 2


@pytest.mark.parametrize("seed", range(5))
def test_what_maps_have_shown_of_a_function_is_known_of_its_calls(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(6.0)
    list(made.executor.map(simulate, range(1), [3.0]))
    told = made.events()
    with pytest.raises(SystemExit):
        made.executor.call(simulate, (7, 3.0), {}).result()
    assert not told.assigned and made.stopped is not None
    assert made.stopped.left == TasksLeft((), 1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_short_map_that_is_read_slowly_is_not_cut_short(
    seed: int, world: Callable[..., World]
) -> None:
    made = world(workers=1 + seed % 3, seed=seed)
    made.ends_in(10.0)
    list(made.executor.map(simulate, range(1), [5.0]))
    held = made.executor.map(simulate, range(1, 4), [5.0] * 3)
    endless = iter(made.executor.map(analyse, itertools.count(), itertools.repeat(0.02)))
    made.ranks.spend(1.5)
    with pytest.raises(SystemExit):
        while True:
            next(endless)
            made.ranks.wait_until(lambda: False, 0)  # as another thread that waits for `held`
            made.ranks.spend(0.1)
    del held
    assert made.job.at is not None and made.clock.now > made.job.at - 1.2
    made.check()


@pytest.mark.parametrize("seed", range(60))
def test_any_program_ends_and_all_its_tasks_are_counted(
    seed: int, world: Callable[..., World]
) -> None:
    """Maps of all kinds and calls, read in any order, in a job whose end moves."""
    chance = random.Random(seed)
    made = world(workers=1 + seed % 4, seed=seed, margin=chance.choice([0.5, 1.0, None]))
    numbers, submit = itertools.count(), made.executor.call
    maps: list[Any] = []
    calls: list[Any] = []
    sizes: list[int] = []

    def begin() -> None:
        function = chance.choice([simulate, analyse])
        seconds = chance.choice([0.001, 0.03, 0.4, 2.0]) * (1.0 if function is simulate else 0.2)
        count = chance.choice([1, 3, 20, 200])
        indices = list(itertools.islice(numbers, count))
        if chance.random() < 0.3:
            calls.extend(submit(function, (index, seconds), {}) for index in indices)
            return
        rows: Any = indices if chance.random() < 0.6 else iter(indices)
        options = MapOptions(ordered=chance.random() < 0.7)
        each = made.executor.results(function, [rows, itertools.repeat(seconds)], options)
        maps.append(itertools.chain.from_iterable(each))
        sizes.append(count)

    def go_on() -> None:
        step = chance.random()
        if step < 0.1 or not (maps or calls):
            begin()
        elif step < 0.2:
            made.ranks.spend(chance.random())
        elif step < 0.25:
            made.ends_in(chance.choice([0.5, 3.0, 8.0, 15.0]))
        elif step < 0.4 and calls:
            chance.choice(calls).result()
        elif maps and next(reader := chance.choice(maps), None) is None:
            maps.remove(reader)

    turns = 0
    try:
        while turns < 400:
            turns += 1
            go_on()
    except SystemExit as error:
        assert error is made.error and made.stopped is not None
        assert made.job.at is not None
        done = len({(each.function, each.index) for each in made.ran})
        given = sum(sizes) + len(calls)
        left = made.stopped.left
        assert len(made.ran) == done == made.stopped.run
        known = all(each.size is not None for each in left.maps)
        assert not known or left.tasks == given - done
        for call in calls:
            made.ranks.wait_until(call.done)
    else:
        assert made.stopped is None
    made.ranks.settle()
    made.farm._scheduler.check()
