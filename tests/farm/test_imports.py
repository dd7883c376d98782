"""What workers say while they import the program is told once, whatever their number."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scoopmpi.farm.members import Members
from scoopmpi.farm.reports import Reports, more_of_the_same, ranges
from scoopmpi.wire.errors import FarmError
from scoopmpi.wire.messages import ImportFailed, Joined
from tests.support.libraries import Library
from tests.support.link import Ranks
from tests.support.starting import MYSCOOP

WORKERS = 8
NONE: frozenset[str] = frozenset()


def test_ranges_of_workers() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3,7,9-10"
    assert ranges([]) == ""


def test_texts_that_differ_in_addresses_only_are_one() -> None:
    reports = Reports()
    reports.add("<object at 0x7f01> failed", 2, "b")
    reports.add("<object at 0x7f99> failed", 1, "a")
    reports.add("no file", 3, "c")
    (first, alike), (second, alone) = reports.taken()
    assert more_of_the_same(first, alike) == "1 more worker the same: 2 on b"
    assert (second, more_of_the_same(second, alone)) == ("no file", "")
    reports.add("no file", 4, "c")
    assert reports.taken() == [("", [(4, "c")])] and not reports
    many = [(n, f"n{n}") for n in range(1, 21)]
    assert more_of_the_same("x", many).endswith("n8, n9 and 11 more hosts")


def test_what_all_have_written_is_shown_once_when_all_have_joined() -> None:
    shown: list[tuple[int, bytes]] = []
    members = Members(3, lambda stream, data: shown.append((stream, data)))
    for worker in (2, 1):
        members.joined(worker, Joined("n1", 1, "", NONE, said=b"a warning\n"))
    assert not shown
    members.joined(3, Joined("n2", 1, "", NONE, said=b"a warning\n"))
    assert shown == [(2, b"a warning\nscoopmpi: 2 more workers the same: 2-3 on n1, n2\n")]


def test_refusals_are_told_once_where_others_take_part(caplog: pytest.LogCaptureFixture) -> None:
    members = Members(4, lambda stream, data: None)
    members.joined(1, Joined("n1", 1, "", NONE))
    for worker in (2, 4):
        assert members.import_failed(worker, ImportFailed("n2", "no file", b"")) is None
    assert not caplog.records
    assert members.import_failed(3, ImportFailed("n3", "another reason", b"loading\n")) is None
    assert [record.getMessage() for record in caplog.records] == [
        "worker 2 on n2 does not take part: no file\n1 more worker the same: 4 on n2",
        "worker 3 on n3 does not take part: another reason\nBefore it has printed:\nloading",
    ]
    members.tell()
    assert len(caplog.records) == 2


def test_where_nobody_can_take_part_the_error_says_it_once() -> None:
    ranks = Ranks(workers=3, seed=1)
    ranks.settle()
    members = Members(3, lambda stream, data: None)
    assert members.import_failed(1, ImportFailed("n1", "no module\n", b"")) is None
    assert members.import_failed(2, ImportFailed("n1", "no file", b"")) is None
    assert members.import_failed(3, ImportFailed("n1", "no module\n", b"")) == (
        "no worker can import the program: no module\n1 more worker the same: 3 on n1\n\nno file"
    )
    assert issubclass(FarmError, RuntimeError)


def run(
    library: Library, program: str, tmp_path: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "program.py"
    path.write_text(program)
    return subprocess.run(
        [*MYSCOOP, "--multi", "8", "-n", str(WORKERS), str(path), *words],
        env=library.env, cwd=tmp_path,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


ARGUMENTS = """
import argparse
from scoop import futures
parser = argparse.ArgumentParser()
parser.add_argument("n", type=int)
arguments = parser.parse_args()
if __name__ == "__main__":
    print(sum(futures.map(abs, range(arguments.n))))
"""


def test_help_at_module_level_is_printed_once(library: Library, tmp_path: Path) -> None:
    done = run(library, ARGUMENTS, tmp_path, "--help")
    assert (done.returncode, done.stdout.count("usage:"), done.stderr) == (0, 1, "")


def test_bad_arguments_at_module_level_are_told_once(
    first_library: Library, tmp_path: Path
) -> None:
    done = run(first_library, ARGUMENTS, tmp_path, "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "usage: program.py [-h] n"
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert run(first_library, ARGUMENTS, tmp_path, "5").stdout == "10\n"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import there_is_no_such_module", "ModuleNotFoundError"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit('a last word')", "a last word"),
        ("raise LookupError('at once')", "LookupError: at once"),
    ],
)
def test_what_ends_rank_0_too_is_told_by_rank_0_alone(
    first_library: Library, tmp_path: Path, program: str, said: str
) -> None:
    done = run(first_library, program, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count(said) == 1 and len(done.stderr.splitlines()) < 6, done.stderr


def test_a_forgotten_guard_is_told_once(first_library: Library, tmp_path: Path) -> None:
    program = "from scoop import futures\nprint(list(futures.map(abs, range(9))))\n"
    done = run(first_library, program, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count('if __name__ == "__main__":') == 1
    assert "7 more workers the same: " in done.stderr
    assert len(done.stderr.splitlines()) < 35, done.stderr


ONLY_ON_WORKERS = """
import sys
from scoop import futures
from scoopmpi.process import identity
if identity.this.rank:
    {what}
if __name__ == "__main__":
    print(list(futures.map(abs, range(3))))
"""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("open('/there/is/no/such/file')", "FileNotFoundError"),
        ("print('no licence'); sys.exit(3)", "it has called sys.exit(3) while it was imported"),
    ],
)
def test_what_ends_workers_alone_is_told_once(
    first_library: Library, tmp_path: Path, what: str, said: str
) -> None:
    done = run(first_library, ONLY_ON_WORKERS.format(what=what), tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count(said) == 1 and done.stderr.count("7 more workers the same") == 1
    assert ("no licence" in done.stderr) == ("licence" in what)


def test_a_file_that_some_miss_is_told_with_their_ranks(
    first_library: Library, tmp_path: Path
) -> None:
    what = "open('/no/such/file') if identity.this.rank in (2, 5) else None"
    done = run(first_library, ONLY_ON_WORKERS.format(what=what), tmp_path)
    assert (done.returncode, done.stdout) == (0, "[0, 1, 2]\n"), done.stderr
    assert done.stderr.count("worker 2 on ") == 1 and done.stderr.count("FileNotFoundError") == 1
    assert "1 more worker the same: 5 on " in done.stderr


def test_a_warning_at_import_is_shown_once_for_all_workers(
    first_library: Library, tmp_path: Path
) -> None:
    what = "import warnings; warnings.warn('careful'); print('loaded')"
    done = run(first_library, ONLY_ON_WORKERS.format(what=what), tmp_path)
    assert sorted(done.stdout.splitlines()) == ["[0, 1, 2]", *["loaded"] * WORKERS], done.stderr
    assert done.stderr.count("UserWarning: careful") == 1, done.stderr
    assert "7 more workers the same: " in done.stderr


def test_a_warning_that_rank_0_has_shown_is_not_repeated(
    first_library: Library, tmp_path: Path
) -> None:
    program = (
        "import time, warnings\nfrom scoop import futures, IS_ORIGIN\n"
        "time.sleep(0 if IS_ORIGIN else 0.5)\nwarnings.warn('careful')\n"
        "if __name__ == '__main__':\n    print(list(futures.map(abs, range(3))))\n"
    )
    done = run(first_library, program, tmp_path)
    assert done.stdout == "[0, 1, 2]\n" and done.stderr.count("UserWarning: careful") == 1
    assert "the same" not in done.stderr, done.stderr
