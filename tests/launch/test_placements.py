"""From slots to ranks: workers per host, universe, multiples, order, rank 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.launch.hosts.allocation import LOCAL, Allocation, AllocationError, Host
from scoopmpi.launch.hosts.placement import (
    exactly,
    hybrid,
    multiplied,
    ordered,
    resized,
    threaded,
    with_rank_0,
)
from tests.support.environments import in_short

UNEVEN = Allocation("pbs", (Host("a", 8), Host("b", 4)))
HERE = Allocation(LOCAL, (Host("localhost", 4),))


@st.composite
def allocations(draw: st.DrawFn) -> Allocation:
    """Up to six hosts of up to nine slots, with the same number of cores, fewer, or more."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 64)), min_size=1, max_size=6))
    hosts = (Host(f"n{place}", *size) for place, size in enumerate(sizes))
    return Allocation("slurm", tuple(hosts), ("V",), ("a note",), "ssh")


def names(allocation: Allocation) -> list[str]:
    return [host.name for host in allocation.hosts]


# So many on each host.


def test_hybrid_shares_the_cores_of_each_host() -> None:
    found = hybrid(UNEVEN, 2)
    assert in_short(found) == "a:2/8 b:2/4"
    assert [host.threads for host in found.hosts] == [4, 2]
    assert found.threads == 2


@given(allocations(), st.integers(1, 99))
def test_hybrid(allocation: Allocation, workers: int) -> None:
    found = hybrid(allocation, workers)
    assert names(found) == names(allocation)
    assert {host.slots for host in found.hosts} == {workers}
    assert found.cores == allocation.cores
    assert (found.evidence, found.notes, found.agent) == (("V",), ("a note",), "ssh")


@given(allocations(), st.integers(1, 64))
def test_threads_are_what_was_asked_for(allocation: Allocation, threads: int) -> None:
    most = max(host.cores for host in allocation.hosts)
    if threads > most:
        with pytest.raises(AllocationError, match=f"--threads {threads} .* {most} cores"):
            threaded(allocation, threads)
        return
    found = threaded(allocation, threads)
    assert {host.threads for host in found.hosts} == {threads}
    room = {host.name: host.cores // threads for host in allocation.hosts}
    assert {host.name: host.slots for host in found.hosts} == {k: v for k, v in room.items() if v}


@given(allocations(), st.integers(1, 9))
def test_multiplied(allocation: Allocation, times: int) -> None:
    found = multiplied(allocation, times)
    assert [host.slots for host in found.hosts] == [host.slots * times for host in allocation.hosts]
    assert [host.cores for host in found.hosts] == [host.cores for host in allocation.hosts]


# So many in all.


def test_exactly_deals_the_workers_in_turn() -> None:
    found = {n: in_short(exactly(UNEVEN, n)) for n in (1, 2, 3, 8, 9, 11, 12)}
    assert found == {
        1: "a:1/8", 2: "a:1/8 b:1/4", 3: "a:2/8 b:1/4", 8: "a:4/8 b:4", 9: "a:5/8 b:4",
        11: "a:7/8 b:4", 12: "a:8 b:4",
    }  # fmt: skip


@given(allocations(), st.data())
def test_exactly_so_many_none_beyond_its_slots_and_level(
    allocation: Allocation, data: st.DataObject
) -> None:
    workers = data.draw(st.integers(1, allocation.slots))
    found = exactly(allocation, workers)
    counts = {host.name: host.slots for host in found.hosts}
    assert found.slots == workers
    most = max(counts.values())
    for host in allocation.hosts:
        got = counts.get(host.name, 0)
        assert got <= host.slots
        assert got >= min(host.slots, most - 1)


@given(allocations(), st.integers(1, 9))
def test_more_than_the_slots_are_refused_with_the_remedy(allocation: Allocation, more: int) -> None:
    with pytest.raises(AllocationError, match=r"--universe .* slots of this slurm job; --multi"):
        exactly(allocation, allocation.slots + more)


@pytest.mark.parametrize("workers", [1, 4, 99])
def test_this_machine_takes_any_number(workers: int) -> None:
    assert exactly(HERE, workers).hosts == (Host("localhost", workers, 4),)


def test_resized_fills_the_first_hosts_and_then_starts_again() -> None:
    sizes = {n: in_short(resized(UNEVEN, n)) for n in (1, 8, 9, 12, 20, 24)}
    assert sizes == {
        1: "a:1/8", 8: "a:8", 9: "a:8 b:1/4", 12: "a:8 b:4", 20: "a:16/8 b:4", 24: "a:16/8 b:8/4",
    }  # fmt: skip


@given(allocations(), st.integers(1, 200))
def test_resized(allocation: Allocation, workers: int) -> None:
    found = resized(allocation, workers)
    assert found.slots == workers
    assert names(found) == names(allocation)[: len(found.hosts)]
    rounds = workers // allocation.slots
    for host, whole in zip(found.hosts, allocation.hosts, strict=False):
        assert rounds * whole.slots <= host.slots <= (rounds + 1) * whole.slots


# Order and rank 0.

MANY = Allocation("pbs", tuple(Host(name, 1) for name in ("n10", "n9", "m2", "n2", "n")))


def test_order_as_given_and_by_name() -> None:
    assert ordered(MANY, "normal") == MANY
    assert names(ordered(MANY, "sort")) == ["m2", "n", "n2", "n9", "n10"]


@given(allocations(), st.text("abc123_", min_size=1))
def test_a_random_order_is_the_same_for_the_same_seed(allocation: Allocation, seed: str) -> None:
    found = ordered(allocation, f"random_{seed}")
    assert found == ordered(allocation, f"random_{seed}")
    assert sorted(found.hosts, key=str) == sorted(allocation.hosts, key=str)


def test_seeds_differ() -> None:
    assert len({tuple(names(ordered(MANY, f"random_{seed}"))) for seed in range(20)}) > 5


@pytest.mark.parametrize(
    "how", ["", "Sort", "sort_1", "normal_2", "random_", "randomly", "reverse"]
)
def test_any_other_word_is_refused(how: str) -> None:
    with pytest.raises(AllocationError, match="normal, sort, random"):
        ordered(MANY, how)


@given(allocations())
def test_rank_0_is_one_more_on_the_first_host(allocation: Allocation) -> None:
    found = with_rank_0(allocation)
    assert found.slots == allocation.slots + 1
    assert found.hosts[0].slots == allocation.hosts[0].slots + 1
    assert found.hosts[0].cores == allocation.hosts[0].cores
    assert found.hosts[1:] == allocation.hosts[1:]


@pytest.mark.parametrize(
    ("host", "threads"), [(Host("a", 2, 8), 4), (Host("a", 3, 8), 2), (Host("a", 4, 2), 1)]
)
def test_threads_of_a_worker(host: Host, threads: int) -> None:
    assert host.threads == threads
