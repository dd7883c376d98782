"""The periods that ranks and the command grant each other fit into one another."""

from __future__ import annotations

import ast

import pytest

from scoopmpi.concurrency import periods
from scoopmpi.concurrency.periods import (
    CHECKPOINT_READ_SECONDS,
    EARLIER_SECONDS,
    ECHO_SECONDS,
    END_SECONDS,
    FINALIZE_SECONDS,
    GRACE_SECONDS,
    LAUNCHER_END_SECONDS,
    LAUNCHER_GRACE_SECONDS,
    LEAVE_IMPORTING_SECONDS,
    LEAVE_SECONDS,
    LEAVE_SIGNALLED_SECONDS,
    LOST_SECONDS,
    NOTICE_SECONDS,
    RANKS_PER_SECOND,
    SECOND_CTRL_C_SECONDS,
    SUPERVISOR_LATE_SECONDS,
    TERM_SECONDS,
    WORKER_END_SECONDS,
    WORKERS_SECONDS,
)
from tests.test_quality import MODULES, module_name

LOOPS = {
    "concurrency.backoff", "concurrency.progress_thread", "concurrency.reader_threads",
    "executors.reduction", "farm.driver", "farm.host_watch", "joblib.retrieval",
    "launch.beside.feeding",
    "launch.beside.passing", "launch.beside.terminal", "process.strays", "programs.sanity",
    "tasks.limit", "watching.progress.choice", "watching.progress.display",
    "watching.progress.reader", "worker.blocked", "worker.given_up", "worker.overdue",
}  # fmt: skip
"""How often something looks, or how long it computes: nobody waits for anybody else there."""
ENDINGS = ("SECONDS", "PATIENCE", "GRACE", "LINGER", "TIMEOUT")


def test_a_worker_ends_by_itself_before_its_supervisor_ends_it() -> None:
    assert END_SECONDS < WORKER_END_SECONDS
    assert 2 * TERM_SECONDS < GRACE_SECONDS
    assert SUPERVISOR_LATE_SECONDS < GRACE_SECONDS


def test_supervisors_end_stuck_workers_before_rank_0_gives_up() -> None:
    threads_then_exit_functions = 2 * (WORKER_END_SECONDS + GRACE_SECONDS)
    assert threads_then_exit_functions < WORKERS_SECONDS


@pytest.mark.parametrize("ranks", [2, 1000, 4000])
def test_all_ends_of_ranks_fit_into_the_launchers(ranks: int) -> None:
    finalize = FINALIZE_SECONDS + ranks / RANKS_PER_SECOND
    assert WORKERS_SECONDS + 2 * finalize < LAUNCHER_END_SECONDS
    assert finalize + GRACE_SECONDS < finalize + 2 * GRACE_SECONDS < LAUNCHER_END_SECONDS


def test_who_may_leave_at_once_gets_less() -> None:
    assert LEAVE_SIGNALLED_SECONDS < LEAVE_SECONDS < LEAVE_IMPORTING_SECONDS


def test_a_signal_is_handed_on_once() -> None:
    assert NOTICE_SECONDS < ECHO_SECONDS, "the command's own would count as another"
    assert NOTICE_SECONDS < EARLIER_SECONDS
    assert SECOND_CTRL_C_SECONDS < ECHO_SECONDS


def test_a_lost_rank_0_is_noticed_before_its_launcher_is_killed() -> None:
    assert LOST_SECONDS < LAUNCHER_GRACE_SECONDS
    assert CHECKPOINT_READ_SECONDS < periods.FILE_FREE_SECONDS


def test_periods_stand_nowhere_else() -> None:
    for path in MODULES:
        if module_name(path) in {*LOOPS, "concurrency.periods"}:
            continue
        for node in ast.parse(path.read_text()).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            periods_here = [name for name in names if name.endswith(ENDINGS)]
            numbers = isinstance(getattr(node, "value", None), ast.Constant | ast.BinOp)
            assert not (periods_here and numbers), f"{path}: {periods_here}"
