"""Reports of jobs with ranks: of one that fails, and of one that is stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, own_session, start

pytestmark = pytest.mark.timeout(120)

FAILS = """
import time
from scoopmpi import futures
def waits(x):
    time.sleep(0.02)
    if x == 7:
        raise ValueError("no <i>convergence</i>")
    return x
if __name__ == "__main__":
    calls = [futures.submit(waits, x) for x in range(40)]
    print(sum(call.result() for call in calls if call.exception() is None))
    calls[7].result()
"""
ENDLESS = """
import time
from scoopmpi import futures
def waits(x):
    time.sleep(0.02)
if __name__ == "__main__":
    list(futures.map(waits, range(100_000)))
"""


def cells(path: Path) -> str:
    """The text of a report."""
    text = re.sub(r"<(script|style).*?</\1>", "", path.read_text(), flags=re.S)
    return re.sub(r"\s*<[^>]*>\s*", " ", text)


def test_a_program_that_fails_has_a_report(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(FAILS)
    words = [*MYSCOOP, "-n", "2", "--report", "r.html", "prog.py", "with words"]
    done = start(first_library, words, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == f"{sum(range(40)) - 7}\n", done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != "") == [
        "prog.py", "r.html"
    ]  # fmt: skip
    text = " ".join(cells(tmp_path / "r.html").split())
    assert "ended with exit status 1" in text and "Tasks 40 Failed 1" in text
    assert "ValueError: no &lt;i&gt;convergence&lt;/i&gt;" in text
    assert "2 workers on 1 host" in text and "Command prog.py" in text


def test_a_job_that_is_stopped_leaves_its_trace(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(ENDLESS)
    words = [*MYSCOOP, "-n", "2", "--report", "r.html", "prog.py"]
    trace, end = tmp_path / "r.html.trace.json", time.monotonic() + 60
    with subprocess.Popen(
        words, cwd=tmp_path, env=own_session(words, first_library.env), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as job:  # fmt: skip
        try:
            while not trace.exists() or trace.read_text().count('"cat":"batch"') < 20:
                assert time.monotonic() < end and job.poll() is None
                time.sleep(0.05)
            job.send_signal(signal.SIGTERM)
            _, said = job.communicate(timeout=60)
        finally:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
    assert f"myscoop report {trace} -o {tmp_path / 'r.html'} makes it" in said
    assert not (tmp_path / "r.html").exists()
    done = start(first_library, [*MYSCOOP[:3], "report", str(trace), "-o", "r.html"], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "report written to r.html\n"), done.stderr
    assert "exit status 143" in cells(tmp_path / "r.html")
