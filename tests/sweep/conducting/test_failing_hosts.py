"""Which host fails by itself: rows of items, of hosts as they are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.conducting.failing_hosts import (
    LEAST,
    MOST,
    SILENCE,
    FailingHosts,
    Judged,
)
from scoopmpi.sweep.items.ended import Ended


class Hosts:
    """Some hosts, and what was left out."""

    def __init__(self, *names: str) -> None:
        self.left = set(names)
        self.out: list[str] = []
        self.more_may_join = False
        self.rule = FailingHosts(self.leave_out, self.others)
        self.number = 0
        self.now = 0.0

    def others(self, host: str) -> bool:
        return self.more_may_join or bool(self.left - {host})

    def leave_out(self, host: str) -> bool:
        if not self.left - {host}:
            return False
        self.left.discard(host)
        self.out.append(host)
        return True

    def ends(self, host: str, status: int, seconds: float = 0.01, why: str = "") -> Judged:
        self.number += 1
        self.now += 0.01
        ended = Ended(self.number, b"", 1, host, status, 0.0, seconds, why)
        return self.rule.ended(ended, self.now)


def test_a_host_on_which_all_fails_at_once_is_left_out_and_its_items_run_again() -> None:
    hosts = Hosts("good", "bad")
    again: list[Ended] = []
    for _ in range(LEAST):
        assert hosts.ends("good", 0).final
        judged = hosts.ends("bad", 127)
        assert not judged.final, "it may have been the host"
        again += judged.again
    assert (hosts.out, judged.host) == (["bad"], "bad")
    assert [ended.number for ended in again] == list(range(2, 2 * LEAST + 1, 2))
    late = hosts.ends("bad", 127)  # what its workers had already
    assert late.again and not late.final and late.host is None


def test_a_long_table_that_fails_everywhere_is_noted_as_it_does() -> None:
    hosts, kept = Hosts("a", "b"), 0
    for _ in range(3 * MOST):
        for name in ("a", "b"):
            judged = hosts.ends(name, 1)
            assert not judged.again
            kept += 1 - len(judged.final)
            assert kept < 2 * MOST
    assert len(hosts.rule.rest()) == kept


def test_a_table_that_fails_everywhere_is_no_hosts_fault() -> None:
    hosts = Hosts("a", "b", "c")
    for _ in range(300):
        for name in sorted(hosts.left):
            assert not hosts.ends(name, 1).again
    assert len(hosts.rule.rest()) == 900
    assert hosts.out == []


def test_it_is_left_out_while_others_are_at_their_first_items() -> None:
    hosts = Hosts("good", "bad")
    taken = 0
    while not hosts.out:
        hosts.ends("bad", 1, 0.002)
        taken += 1
    assert taken < 50


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_items_that_fail_at_random_leave_nobody_out(share: float) -> None:
    hosts, chance = Hosts("a", "b", "c"), random.Random(share)
    final = 0
    for _ in range(20_000):
        name = chance.choice("abc")
        judged = hosts.ends(name, int(chance.random() < share))
        final += len(judged.final)
        assert not judged.again
    assert hosts.out == []
    assert final + len(hosts.rule.rest()) == 20_000


def test_a_stretch_of_bad_rows_leaves_nobody_out() -> None:
    hosts = Hosts("a", "b")
    for number in range(3000):
        hosts.ends("ab"[number % 2], int(1000 <= number < 2000))
    assert hosts.out == []


def test_failures_that_took_their_time_are_what_they_seem() -> None:
    hosts = Hosts("a", "b")
    for _ in range(50):
        assert hosts.ends("a", 0, 60.0).final
        assert hosts.ends("b", 1, 30.0).final
    assert hosts.out == []
    for _ in range(LEAST):  # a tenth of what others take is at once
        hosts.ends("a", 0, 60.0)
        hosts.ends("b", 1, 4.0)
    assert hosts.out == ["b"]


def test_the_only_host_keeps_nothing_back() -> None:
    hosts = Hosts("a")
    for _ in range(100):
        assert hosts.ends("a", 1).final
    assert hosts.rule.rest() == []


def test_what_fails_before_another_host_has_joined_is_kept_until_then() -> None:
    hosts = Hosts("bad")
    hosts.more_may_join = True
    for _ in range(2):
        assert hosts.ends("bad", 127) == ([], [], None)
    hosts.left.add("good")
    hosts.more_may_join = False
    again: list[Ended] = []
    while not hosts.out:
        hosts.ends("good", 0)
        judged = hosts.ends("bad", 127)
        assert not judged.final
        again += judged.again
    assert [ended.number for ended in again][:2] == [1, 2]


def test_a_host_is_suspected_until_another_has_joined() -> None:
    hosts = Hosts("bad")
    hosts.more_may_join = True
    while hosts.rule.suspected is None:
        assert hosts.ends("bad", 127) == ([], [], None)
    assert LEAST < hosts.number < 50
    for _ in range(2 * MOST):  # what was out
        assert hosts.ends("bad", 127) == ([], [], None)
    assert hosts.rule.quiet(hosts.now + SILENCE + 1) == []
    assert hosts.rule.decided("bad") == ([], [], None), "there is nobody yet"
    hosts.left.add("good")
    judged = hosts.rule.decided("bad")
    assert (judged.host, judged.final, len(judged.again)) == ("bad", [], hosts.number)
    assert (hosts.rule.suspected, hosts.rule.rest()) == (None, [])


@pytest.mark.parametrize("way", ["decided", "quiet", "ended"])
def test_where_no_other_host_joins_failures_are_what_they_seem(way: str) -> None:
    hosts = Hosts("bad")
    hosts.more_may_join = True
    while hosts.rule.suspected is None:
        hosts.ends("bad", 127)
    count = hosts.number
    hosts.more_may_join = False
    if way == "decided":
        final = hosts.rule.decided("bad").final
    elif way == "quiet":
        final = hosts.rule.quiet(hosts.now)
    else:
        final, count = hosts.ends("bad", 127).final, count + 1
    assert [ended.number for ended in final] == list(range(1, count + 1))
    assert (hosts.rule.suspected, hosts.rule.rest()) == (None, [])


def test_a_host_that_is_the_last_one_goes_on() -> None:
    hosts = Hosts("a", "b", "c")
    final = 0
    for number in range(900):
        name = ("a", "b", "c")[number % 3]
        judged = hosts.ends(name, int(name != "c"))
        final += len(judged.final)
    assert hosts.left == {"c"} and sorted(hosts.out) == ["a", "b"]
    assert hosts.ends("c", 1).final, "there is no other"


def test_an_item_runs_again_once() -> None:
    hosts = Hosts("good", "bad")
    for _ in range(LEAST):
        hosts.ends("good", 0)
        judged = hosts.ends("bad", 1)
    once = judged.again[0]
    hosts.left = {"bad"}  # the others have died, so the scheduler has let it in again
    assert hosts.rule.ended(once, 1.0).final == [once]


def test_what_is_kept_is_let_go_where_no_other_failure_follows() -> None:
    hosts = Hosts("a", "b")
    hosts.ends("a", 1)
    assert hosts.rule.quiet(hosts.now + SILENCE / 2) == []
    assert [ended.number for ended in hosts.rule.quiet(hosts.now + SILENCE + 1)] == [1]
    assert hosts.rule.rest() == []


def test_lost_items_are_told_of_otherwise() -> None:
    hosts = Hosts("a", "b")
    for _ in range(100):
        assert hosts.ends("a", -9, 0.0, "lost").final
    assert hosts.out == []


ends = st.tuples(st.sampled_from("abcj"), st.integers(0, 1), st.sampled_from([0.001, 5.0]))


@settings(max_examples=60)
@given(st.lists(ends, max_size=200))
def test_each_item_ends_for_good_or_runs_again_and_none_is_forgotten(
    items: list[tuple[str, int, float]],
) -> None:
    hosts = Hosts("a")
    hosts.more_may_join = True
    final: list[int] = []
    again: list[int] = []
    for host, status, seconds in items:
        hosts.more_may_join &= host != "j"  # nobody joins from here on
        hosts.left |= {host} - {*hosts.out, "j"} if hosts.more_may_join else set()
        if host not in {*hosts.left, *hosts.out}:
            continue
        judged = hosts.ends(host, status, seconds)
        final += [ended.number for ended in judged.final]
        again += [ended.number for ended in judged.again]
    final += [ended.number for ended in hosts.rule.rest()]
    assert sorted([*final, *again]) == list(range(1, hosts.number + 1))
    assert hosts.left, "never the last one"
