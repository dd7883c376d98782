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
    assert refused("/dev/fd/987").endswith("for myscoop alone; pipe it in (-)")


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


WIDE = "x" * 60
MANY = f"a,b\n1,2\n{f'{WIDE},2' + chr(10)}" + f"{WIDE},4\n" * 80_000  # 5 MB


def change(path: Path, how: str) -> None:
    text = path.read_text()
    if how == "append":
        path.write_text(text + "5,6\n")
    elif how == "replace":
        new = path.with_name("new")
        new.write_text(text.replace("1", "7"))
        new.replace(path)
    elif how == "shorten":
        path.write_text("a,b\n")
    elif how == "rewrite":
        status = path.stat()
        path.write_text(text.replace("1", "7"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    else:
        path.unlink()


CHANGES = ["append", "replace", "shorten", "rewrite", "remove"]


@pytest.mark.parametrize("how", CHANGES)
def test_a_small_file_may_change_when_it_was_read(tmp_path: Path, how: str) -> None:
    found = table(tmp_path, "a,b\n1,2\n3,4\n")
    change(tmp_path / "t.csv", how)
    assert values(found) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("how", CHANGES)
def test_a_large_file_that_has_changed_gives_no_item(tmp_path: Path, how: str) -> None:
    found = table(tmp_path, MANY)
    assert sum(1 for _ in found) == found.size == 80_002
    change(tmp_path / "t.csv", how)
    with pytest.raises(ItemsProblem, match=r"t\.csv (was changed|cannot be read)"):
        next(iter(found))


def test_a_large_file_that_changes_while_it_is_read_ends_the_items(tmp_path: Path) -> None:
    found = table(tmp_path, MANY)
    with open(tmp_path / "t.csv", "a") as file:
        rows = iter(found)
        next(rows)
        file.write("3\n")
    with pytest.raises(ItemsProblem, match="was changed"):
        for _ in rows:
            pass


def test_a_file_may_change_when_all_of_it_was_read(tmp_path: Path) -> None:
    found = table(tmp_path, MANY)
    rows = iter(found)
    for _ in range(80_001):
        next(rows)
    os.utime(tmp_path / "t.csv")
    assert next(rows).values == (WIDE, "4")
    assert next(rows, None) is None
