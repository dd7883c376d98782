"""Files as they are found: none, no text, pipes, and files that change."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from scoopmpi.sweep.items.item import ItemsProblem
from scoopmpi.sweep.items.opening import Asked, opened
from tests.sweep.items.reading import table, values


def refused(path: str) -> str:
    with pytest.raises(ItemsProblem) as raised:
        opened(Asked((path,)))
    return str(raised.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert refused(str(tmp_path / "none.csv")).endswith(
        "none.csv cannot be read: No such file or directory"
    )
    assert "Is a directory" in refused(str(tmp_path))
    assert "/dev/null is empty" in refused("/dev/null")
    assert "/dev/zero, line 1: a NUL byte" in refused("/dev/zero")
    assert "/proc/self/mem cannot be read: Input/output error" in refused("/proc/self/mem")
    assert "cannot be read" in refused("a\0b")


def test_a_named_pipe_is_read_once_as_it_comes(tmp_path: Path) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    second = threading.Event()

    def write() -> None:
        with open(fifo, "w") as file:
            file.write("a,b\n1,2\n")
            file.flush()
            second.wait(30)
            file.write("3,4\n")

    writer = threading.Thread(target=write)
    writer.start()
    found = opened(Asked((fifo,)))
    assert found.size is None
    rows = iter(found)
    assert next(rows).values == ("1", "2"), "before the rest is there"
    second.set()
    assert next(rows).values == ("3", "4")
    assert next(rows, None) is None
    writer.join(30)
    with pytest.raises(ItemsProblem, match="can be read only once"):
        list(found)


def test_stdin_is_for_one_only() -> None:
    for asked in (Asked(("-", "-")), Asked(("-",), lines="-")):
        with pytest.raises(ItemsProblem, match="only once"):
            opened(asked)


@pytest.mark.parametrize("change", ["append", "replace", "shorten", "rewrite"])
def test_a_file_that_has_changed_gives_no_item(tmp_path: Path, change: str) -> None:
    found = table(tmp_path, "a,b\n1,2\n3,4\n")
    assert values(found)
    path = tmp_path / "t.csv"
    if change == "append":
        path.write_text(path.read_text() + "5,6\n")
    elif change == "replace":
        (tmp_path / "new").write_text("a,b\n7,8\n9,0\n")
        (tmp_path / "new").replace(path)
    elif change == "shorten":
        path.write_text("a,b\n")
    else:
        status = path.stat()
        path.write_text("a,b\n7,8\n9,0\n")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(ItemsProblem, match=r"t\.csv was changed"):
        next(iter(found))


def test_a_file_that_changes_while_it_is_read_ends_the_items(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n" + "1,2\n" * 50_000)
    with open(tmp_path / "t.csv", "a") as file:
        rows = iter(found)
        next(rows)
        file.write("3\n")
    with pytest.raises(ItemsProblem, match="was changed"):
        for _ in rows:
            pass
