"""What tasks and the program print, with real ranks: whole lines, in order, byte for byte."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP

PROGRAM = str(ROOT / "tests" / "support" / "printing.py")


def run(
    library: Library, *words: str, workers: int = 3, status: int = 0, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """A program of two streams; never longer than a minute."""
    done = subprocess.run(
        [*MYSCOOP, "--multi", "8", "-n", str(workers), PROGRAM, *words],
        cwd=ROOT, env={**library.env, **env},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, (done.stdout[-1000:], done.stderr[-3000:])
    return done


def numbers_by_name(text: bytes) -> dict[str, list[int]]:
    """The last word of each line, a number, by what stands before it."""
    found = defaultdict(list)
    for line in text.decode().splitlines():
        name, number = line.rsplit(" ", 1)
        found[name].append(int(number))
    return dict(found)


@pytest.mark.parametrize(
    "what", [*(pytest.param(what, marks=pytest.mark.first) for what in ("map", "submit")), "nested"]
)
def test_a_line_of_a_task_stands_before_its_value(library: Library, what: str) -> None:
    check_values(run(library, "values", what).stdout)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("what", ["as completed", "executor", "pool", "callbacks"])
def test_so_it_does_for_every_face(first_library: Library, what: str, unbuffered: str) -> None:
    check_values(run(first_library, "values", what, PYTHONUNBUFFERED=unbuffered).stdout)


def check_values(out: bytes) -> None:
    seen = set()
    for line in out.decode().splitlines():
        found = re.fullmatch(r"(task|value) (\d+)", line)
        assert found, f"a torn line: {line}"
        if found[1] == "task":
            seen.add(found[2])
        else:
            assert found[2] in seen, f"{line} before its task's"
    assert len(seen) >= 300 and out.count(b"value") == len(seen)


def test_many_lines_of_many_tasks_keep_their_order(library: Library) -> None:
    done = run(library, "says_much", "1500", workers=4)
    for text, numbers in ((done.stdout, range(0, 20, 2)), (done.stderr, range(1, 20, 2))):
        assert numbers_by_name(text) == {f"task {x} line": list(numbers) for x in range(1500)}


def test_a_line_that_is_begun_before_a_wait_is_whole(library: Library) -> None:
    lines = Counter(run(library, "says_in_parts", "100").stdout.decode().splitlines())
    assert lines == Counter(
        [f"task {x} begins, ends" for x in range(100)]
        + [f"task {1000 * x + n}" for x in range(100) for n in range(5)]
    )


def test_lines_of_threads_of_a_task(first_library: Library) -> None:
    assert numbers_by_name(run(first_library, "says_from_threads", "40").stdout) == {
        f"task {x} thread {name} line": list(range(20)) for x in range(40) for name in range(4)
    }


def test_bytes_arrive_as_they_are(library: Library) -> None:
    assert run(library, "writes_bytes", "200").stdout == bytes(range(256)) * 200


def test_what_has_no_newline_arrives_without_one(first_library: Library) -> None:
    assert run(first_library, "dots", "300").stdout == b"." * 300


@pytest.mark.parametrize(
    ("coding", "text"),
    [
        ("latin-1", "é"), ("latin-1:xmlcharrefreplace", "é€"), ("ascii:backslashreplace", "é"),
        ("utf-8:surrogateescape", "\udcff"), ("utf-8", "é€"),
    ],
)  # fmt: skip
def test_text_of_tasks_becomes_the_bytes_that_it_becomes_on_rank_0(
    first_library: Library, coding: str, text: str
) -> None:
    done = run(first_library, "encoded", text, PYTHONIOENCODING=coding, PYTHONUTF8="1")
    errors = coding.partition(":")[2] or "strict"
    name = coding.partition(":")[0]
    newline = "\n".encode(name)
    line = text.encode(name, errors) + newline
    changed = (text + "\r\n").encode("utf-16-le", "surrogatepass")
    assert done.stdout == 2 * line + 2 * changed
    assert done.stderr.count(text.encode(name, "backslashreplace") + newline) == 4


def test_the_encoding_is_that_of_rank_0_where_ranks_differ(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if '0' in (os.environ.get('OMPI_COMM_WORLD_RANK'), os.environ.get('PMI_RANK')):\n"
        "    sys.stdout.reconfigure(encoding='latin-1', errors='replace')\n"
    )
    env = {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(tmp_path), "PYTHONUTF8": "1"}
    out = run(library, "encoded", "é€", **env).stdout
    assert out.startswith(2 * "é?\n".encode("latin-1")), out


def test_streams_that_a_task_changes(first_library: Library) -> None:
    lines = Counter(run(first_library, "changes_streams", "50").stdout.decode().splitlines())
    assert lines == Counter(
        f"{word} {x}" for word in ("task", "again", "itself") for x in range(50)
    )


def test_a_del_that_prints_spoils_no_line(first_library: Library) -> None:
    lines = Counter(run(first_library, "leaves_garbage", "60").stdout.decode().splitlines())
    assert not [line for line in lines if not re.fullmatch(r"(task \d+ line|gone \d+) \d+", line)]
    assert sum(count for line, count in lines.items() if line.startswith("task")) == 60 * 100


def test_what_is_printed_at_the_very_end(library: Library) -> None:
    out = run(library, "leaves").stdout
    pids = int(re.findall(rb"^(\d+)$", out.replace(b"unfinished", b""), re.M)[0])
    assert len(set(re.findall(rb"at exit \d+", out))) == pids
    assert out.count(b"unfinished") == 8
    assert b"from a thread that outlives its task\n" in out


def test_what_tasks_printed_stands_before_the_traceback(library: Library) -> None:
    done = run(library, "fails", status=1)
    assert set(range(11)) <= set(numbers_by_name(done.stdout)["task"])
    assert done.stderr.count(b"LookupError: a task") == 2  # with its cause, the remote one


def test_a_prompt_is_shown_at_once_and_tasks_come_behind_it(library: Library) -> None:
    out = run(library, "unfinished prompt", PYTHONUNBUFFERED="").stdout
    assert out == b"name? task 1\ntask 2\nresult: 2\n"


def test_a_reader_that_goes_ends_the_job_as_python_does(library: Library) -> None:
    words = [*MYSCOOP, "-n", "3", PROGRAM, "for ever"]
    with subprocess.Popen(
        words, cwd=ROOT, env=library.env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"x" * 1000 + b"\n"
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) != 0
    assert err.count(b"Traceback") <= 1, err


def test_a_slow_reader_does_not_make_memory_grow(library: Library) -> None:
    words = [*MYSCOOP, "-n", "3", PROGRAM, "silent", "50000"]
    with subprocess.Popen(
        words, cwd=ROOT, env=library.env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        time.sleep(3)
        got = 0
        while data := os.read(process.stdout.fileno(), 1 << 20):
            got += len(data)
        err = process.stderr.read().decode()
        assert process.wait(60) == 0, err
    assert got == 50_000 * 1001
    assert int(re.findall(r"VmHWM:\s+(\d+) kB", err)[0]) < 100_000, err


def test_stdout_that_is_gone_is_told_to_the_program_once(library: Library) -> None:
    err = run(library, "gone", status=5).stderr
    assert b"BrokenPipeError\n1000\n" in err and b"Traceback" not in err
