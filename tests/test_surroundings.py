"""However the suite was started, the programs of its tests start as from a user's shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import ROOT

pytestmark = pytest.mark.ranks

SAYS = """
import json, os, signal, sys
deaf = [int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]
print(json.dumps({
    "deaf": sorted({*deaf} - {signal.SIGPIPE, signal.SIGXFSZ}),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "mask": os.umask(0),
    "home": os.access(os.environ["HOME"], os.W_OK),
    "streams": [os.isatty(number) for number in range(3)],
    "encoding": [sys.stdout.encoding, sys.getfilesystemencoding()],
    "warnings": sys.warnoptions, "optimized": sys.flags.optimize,
    "writes": not sys.dont_write_bytecode,
    "job": sorted(name for name in os.environ if name.startswith(("SLURM_", "PMI"))),
    "colors": "FORCE_COLOR" in os.environ,
}))
"""
AT_HOME = {
    "deaf": [], "blocked": [], "mask": 0o022, "home": True, "streams": [False, False, False],
    "encoding": ["utf-8", "utf-8"], "warnings": [], "optimized": 0, "writes": True, "job": [],
    "colors": False,
}  # fmt: skip

STARTS = """
import os, signal, sys
for number in (signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass  # the C library's own
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD])
os.umask(0o077)
os.close(0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ABROAD = {
    "HOME": "/nowhere/at/all", "LANG": "C", "LC_ALL": "C", "LANGUAGE": "de", "COLUMNS": "20",
    "FORCE_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONOPTIMIZE": "2",
    "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "always", "PYTHONSAFEPATH": "1",
    "PYTHONIOENCODING": "latin-1", "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-2]",
    "PMIX_RANK": "3", "SCOOPMPI_STATUS": "no",
}  # fmt: skip


def test_a_program_of_a_test_starts_as_from_a_users_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYS], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == AT_HOME


@pytest.mark.skipif("AMONG_OTHERS" in os.environ, reason="it is what the next test starts")
@pytest.mark.parametrize("processes", ["0", "1"])
def test_so_it_does_wherever_the_tests_are_started(tmp_path: Path, processes: str) -> None:
    words = ["-m", "pytest", "-q", "-n", processes, "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        [sys.executable, "-c", STARTS, *words], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, **ABROAD, "TMPDIR": str(tmp_path), "AMONG_OTHERS": "1"}, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "1 passed" in done.stdout
