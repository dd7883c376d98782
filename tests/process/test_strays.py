"""What a process leaves running: found, given a moment, ended; and what may go on."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.ranks, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]

PROGRAM = """
import os, signal, subprocess, sys, time
from scoopmpi.process import strays

strays.adopt()
none = subprocess.DEVNULL
BODY
begun = time.monotonic()
named = strays.end(PATIENCE)
print(len(named), round(time.monotonic() - begun, 1), *named, sep="|")
"""


def ended(body: str, patience: float = 0.0) -> list[str]:
    """How many were named, after how many seconds, and as what; in a process of its own."""
    code = PROGRAM.replace("BODY", body).replace("PATIENCE", str(patience))
    answer = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=30, check=True
    )
    return answer.stdout.strip().split("|")


def test_nothing_left_is_nothing_to_wait_for() -> None:
    assert ended("", 20.0)[:2] == ["0", "0.0"]


def test_who_ends_by_itself_is_waited_for_and_not_named() -> None:
    count, seconds, *_ = ended("subprocess.Popen(['sleep', '0.5'])", 20.0)
    assert count == "0"
    assert 0.3 < float(seconds) < 10


def test_who_does_not_is_named_by_its_command() -> None:
    count, _, *named = ended("subprocess.Popen(['sleep', '600.25'])")
    assert count == "1"
    assert named[0].endswith(" (sleep 600.25)")


def test_children_of_children_are_ended_too_and_who_is_deaf_to_sigterm() -> None:
    body = """
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
os.system(f'(sleep 601 & sleep 602) & {sys.executable} -c "{deaf}" &')
time.sleep(0.5)
"""
    count, _, *named = ended(body)
    assert int(count) >= 3
    assert {"sleep 601", "sleep 602"} <= {each.partition("(")[2].rstrip(")") for each in named}


@pytest.mark.parametrize(("streams", "named"), [("stdout=none, stderr=none", "0"), ("", "1")])
def test_a_session_of_its_own_may_go_on_unless_it_holds_the_ranks_pipes(
    streams: str, named: str
) -> None:
    body = f"subprocess.Popen(['sleep', '8'], start_new_session=True, {streams})"
    assert ended(body)[0] == named
