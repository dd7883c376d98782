"""How one message of rank 0 reaches everybody: examples, then what holds for all hosts."""

from __future__ import annotations

from collections import Counter
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.constants.broadcast import Place, forwards

HOME = "h0"


def places(*hosts: str) -> list[Place]:
    """Workers 1, 2, … on these hosts."""
    return [Place(rank, host) for rank, host in enumerate(hosts, 1)]


def messages(host: str, answered_for: list[Place], sender: int = 0) -> list[tuple[int, str, Place]]:
    """All messages of the tree: the sender, its host, and to whom."""
    found = []
    for to, behind in forwards(host, answered_for):
        found.append((sender, host, to))
        found += messages(to.host, list(behind), to.rank)
    return found


def depth(host: str, answered_for: list[Place]) -> int:
    """Messages on the longest way."""
    below = (depth(to.host, list(behind)) for to, behind in forwards(host, answered_for))
    return max((1 + each for each in below), default=0)


def test_nobody_to_reach() -> None:
    assert forwards(HOME, []) == []


def test_one_worker() -> None:
    assert forwards(HOME, places("h0")) == [(Place(1, "h0"), ())]


def test_seven_workers_here_are_three_messages() -> None:
    sizes = [1 + len(behind) for _, behind in forwards(HOME, places(*["h0"] * 7))]
    assert sizes == [4, 2, 1]


def test_another_host_is_served_first_and_by_one_message() -> None:
    found = forwards(HOME, places("h0", "h0", "h0", "h1", "h1"))
    assert [to.host for to, _ in found] == ["h1", "h0"]
    assert found[0].behind == (Place(5, "h1"),)


def test_a_leader_serves_other_hosts_and_its_own() -> None:
    first = forwards(HOME, places("h1", "h1", "h2", "h2", "h3", "h3"))[0]
    assert {place.host for place in (first.to, *first.behind)} == {"h3", "h2"}


def test_places_may_come_from_an_iterator() -> None:
    assert len(forwards(HOME, iter(places("h0", "h1")))) == 2


@pytest.mark.parametrize("per_host", [1, 128])
def test_a_hundred_thousand_workers(per_host: int) -> None:
    workers = [Place(rank, f"h{rank // per_host}") for rank in range(100_000)]
    assert len(forwards(HOME, workers)) <= 17


farms = st.lists(st.sampled_from(["h0", "h1", "h2", "h3", "h4"]), max_size=200)
crowds = st.lists(st.integers(0, 40).map("h{}".format), max_size=200)


@given(farms | crowds)
def test_everybody_is_reached_once_and_cheaply(hosts: list[str]) -> None:
    workers = places(*hosts)
    sent = messages(HOME, workers)
    bound = ceil(log2(len(workers) + 1))
    assert Counter(to for _, _, to in sent) == Counter(workers)
    assert max(Counter(sender for sender, _, _ in sent).values(), default=0) <= bound
    assert sum(sender == 0 for sender, _, _ in sent) <= bound
    assert depth(HOME, workers) <= bound + 1
    between = Counter(to.host for _, host, to in sent if host != to.host)
    assert between == dict.fromkeys(set(hosts) - {HOME}, 1)


@given(farms)
def test_everybody_reached_answers_only_for_others(hosts: list[str]) -> None:
    for to, behind in forwards(HOME, places(*hosts)):
        assert to not in behind
        assert to.host == HOME or HOME not in {place.host for place in behind}
