"""Which host fails by itself: items end at once there, one after the other, and elsewhere do not.

A licence that is missing, a file system that is not mounted: such a host takes an item each few
milliseconds and would fail the whole table. So failures that come at once are kept for a moment.
Where there are more of them in a row than chance would bring, given what happens elsewhere
meanwhile, the host is left out and they run again; else they are what they seem. Where workers of
other hosts have yet to join, that is decided when they have. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import NamedTuple

from ..items.ended import LOST, Ended

AT_ONCE = 1.0
"""Seconds: a failure that took less has done nothing, whatever items take."""
SHARE = 0.1
"""The same of less than this share of what an item takes that is done."""
LEAST = 10
"""Failures in a row, at least."""
CHANCE = log(1e-10)
"""So unlikely must be as many failures in a row, by the share that fails elsewhere meanwhile. That
is 10 in a row where 10 of 10 elsewhere are done, 21 where a third fails there, 34 where nothing has
ended there yet; where all fail there it is never."""
MOST, ROOM = 1000, 8 << 20
"""Failures in a row that are kept, and bytes of what they have printed: where 98 % fail elsewhere
meanwhile a thousand are by chance, and a table of which all fail is to be noted as it does."""
SILENCE = 10.0
"""Seconds without another failure after which a row of them is over: a host that fails by itself
fails all the time."""


class Judged(NamedTuple):
    """What follows from how an item has ended.

    final: the items that have ended for good. again: those that are to run again, elsewhere.
    host: the one that is left out from now on, None where none is.
    """

    final: list[Ended]
    again: list[Ended]
    host: str | None = None


class _Elsewhere(NamedTuple):
    """How many items have ended, and how many of them have failed at once."""

    ended: int = 0
    failed: int = 0


class _Row:
    """Failures in a row on one host. before: what had ended elsewhere when it began."""

    def __init__(self, before: _Elsewhere) -> None:
        self.kept: list[Ended] = []
        self.before = before
        self.latest = 0.0
        self.suspected = False  # it is more than chance, and no other host is there yet
        self._size = 0

    def add(self, ended: Ended, now: float) -> None:
        """Keep one more."""
        self.kept.append(ended)
        self.latest = now
        self._size += len(ended.out) + len(ended.err)

    @property
    def is_long(self) -> bool:
        """True where more are not to be kept: by chance or not, they fail elsewhere too."""
        return len(self.kept) >= MOST or self._size > ROOM


class FailingHosts:
    """Judges the hosts of one sweep.

    leave_out: has a host get no items any more; returns False where no other takes items.
    others: says whether there are other hosts than one, or may be soon; else nothing is kept of it.
    """

    def __init__(self, leave_out: Callable[[str], bool], others: Callable[[str], bool]) -> None:
        self._leave_out, self._others = leave_out, others
        self._rows: dict[str, _Row] = {}
        self._all = _Elsewhere()
        self._of: dict[str, _Elsewhere] = {}
        self._out: set[str] = set()
        self._moved: set[int] = set()  # numbers of items that have run again: once is enough
        self._usual = 0.0  # seconds of an item that is done, on average
        self._done = 0

    def ended(self, ended: Ended, now: float) -> Judged:
        """Take in how an item has ended. now: seconds, of any clock that only goes on."""
        host, bad = ended.host, self._failed_at_once(ended)
        self._count(ended, bad)
        if ended.number in self._moved:
            self._moved.discard(ended.number)
            return Judged([ended], [])
        if host in self._out and bad:
            return self._moving([ended])
        if not bad or not self._others(host):
            return Judged([*self._given_up(host), ended], [])
        row = self._rows.get(host)
        if row is None:
            row = self._rows[host] = _Row(self._elsewhere(host))
        row.add(ended, now)
        if not self._more_than_chance(host, row):
            return Judged(self._given_up(host) if row.is_long else [], [])
        return self.decided(host)

    @property
    def suspected(self) -> str | None:
        """The host that is left out as soon as another takes items; None where there is none."""
        return next((host for host, row in self._rows.items() if row.suspected), None)

    def decided(self, host: str) -> Judged:
        """Leave out a host whose failures are more than chance, as far as there are others."""
        if self._leave_out(host):
            self._out.add(host)
            return self._moving(self._given_up(host), host)
        if self._others(host):
            self._rows[host].suspected = True
            return Judged([], [])
        return Judged(self._given_up(host), [])

    def quiet(self, now: float) -> list[Ended]:
        """Return failures that are what they seem: no more follow, or there is no other host."""
        over = [host for host, row in self._rows.items() if self._is_over(host, row, now)]
        return [ended for host in over for ended in self._given_up(host)]

    def rest(self) -> list[Ended]:
        """Return all failures that are kept: nothing follows any more."""
        return [ended for host in list(self._rows) for ended in self._given_up(host)]

    def _moving(self, again: list[Ended], host: str | None = None) -> Judged:
        self._moved.update(ended.number for ended in again)
        return Judged([], again, host)

    def _failed_at_once(self, ended: Ended) -> bool:
        if ended.well or ended.why == LOST:
            return False
        return ended.seconds < max(AT_ONCE, SHARE * self._usual)

    def _count(self, ended: Ended, bad: bool) -> None:
        if ended.well:
            self._done += 1
            self._usual += (ended.seconds - self._usual) / self._done
        before, host = self._of.get(ended.host, _Elsewhere()), ended.host
        self._of[host] = _Elsewhere(before.ended + 1, before.failed + bad)
        self._all = _Elsewhere(self._all.ended + 1, self._all.failed + bad)

    def _elsewhere(self, host: str) -> _Elsewhere:
        here = self._of.get(host, _Elsewhere())
        return _Elsewhere(self._all.ended - here.ended, self._all.failed - here.failed)

    def _more_than_chance(self, host: str, row: _Row) -> bool:
        if len(row.kept) < LEAST:
            return False
        now = self._elsewhere(host)
        ended, failed = now.ended - row.before.ended, now.failed - row.before.failed
        share = (failed + 1) / (ended + 2)  # Laplace's rule: of nothing it is a half
        return len(row.kept) * log(share) < CHANCE

    def _is_over(self, host: str, row: _Row, now: float) -> bool:
        silent = now - row.latest > SILENCE and not row.suspected
        return silent or not self._others(host)

    def _given_up(self, host: str) -> list[Ended]:
        row = self._rows.pop(host, None)
        return [] if row is None else row.kept
