"""Programs are started alike where the system offers less."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.sweep.running import starting
from scoopmpi.sweep.running.not_started import no_program

from .test_runner import Given, run

pytestmark = pytest.mark.timeout(60)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_without_sessions_it_still_leads_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the Python of conda and of uv is made: for a C library that knows no better."""
    whole = os.posix_spawnp

    def older(*args: Any, setsid: bool = False, **how: Any) -> int:
        if setsid:
            raise NotImplementedError("posix_spawn: setsid unavailable on this platform")
        return whole(*args, **how)

    monkeypatch.setattr(os, "posix_spawnp", older)
    ended = run("cut -d' ' -f 5 /proc/$$/stat; echo $$; sleep 30 & sleep 30", timeout=0.3)
    group, pid = ended.out.split()
    assert (group, ended.status, ended.why) == (pid, -15, "time")


def test_without_close_range_nothing_is_inherited_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_close_range", lambda: None)
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        assert run(f"ls /dev/fd/{write}").status != 0
        assert not os.get_inheritable(write)
    finally:
        os.close(read), os.close(write)


def test_this_process_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for program, status in (("pwd", 0), ("no_such_program", 127)):
        ended = run(Given(program), chdir="a/b")
        assert (ended.status, os.getcwd()) == (status, str(tmp_path))


def test_where_ends_of_children_are_ignored_they_have_a_status() -> None:
    """As a daemon may leave it to what it starts."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert [run("exit 3").status, run("exit 3", timeout=20).status] == [3, 3]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_locked_directory_of_path_keeps_no_program_from_not_being_found() -> None:
    """The system says EACCES then; for root no directory is locked."""
    locked = PermissionError(errno.EACCES, "Permission denied")
    assert no_program("none", None, locked).status == 127
    assert no_program("none", "/bin/none", locked).status == 126
    assert no_program("./none", None, locked).status == 126
