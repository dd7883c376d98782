"""The file itself: whole at any moment, never somebody else's; what a reader makes of others."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from scoopmpi.watching.status import replaced_file
from scoopmpi.watching.status.replaced_file import FORMAT, VERSION, Unreadable, read, refusal, write


def said(**more: object) -> dict[str, object]:
    return {"format": FORMAT, "version": VERSION, **more}


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "run.json")
    write(path, said(number=0, text=""))
    over, seen = threading.Event(), set()

    def keep() -> None:
        number = 0
        while not over.is_set():
            number += 1
            write(path, said(number=number, text="x" * (number % 7 * 30_000)))

    writer = threading.Thread(target=keep)
    writer.start()
    until = time.monotonic() + 1.5
    try:
        while time.monotonic() < until:
            found = json.loads(Path(path).read_text())
            assert len(found["text"]) == found["number"] % 7 * 30_000
            seen.add(found["number"])
    finally:
        over.set()
        writer.join(10)
    assert len(seen) > 20
    assert os.listdir(tmp_path) == ["run.json"], "nothing is left beside it"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "run.json"
    link.symlink_to("there/real.json")
    assert refusal(str(link)) is None
    write(str(link), said(), lasting=True)
    assert link.is_symlink()
    assert read(str(tmp_path / "there" / "real.json")) == said()


def test_only_a_status_or_nothing_is_overwritten(tmp_path: Path) -> None:
    for name, text in {
        "none.json": None, "empty.json": "", "ours.json": json.dumps(said(state="running")),
    }.items():  # fmt: skip
        if text is not None:
            (tmp_path / name).write_text(text)
        assert refusal(str(tmp_path / name)) is None
    for name, text in {
        "data.json": '{"format": "mine"}', "list.json": "[1]", "notes.txt": "remember", "half": "{",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
        assert "it holds something else" in (refusal(str(tmp_path / name)) or "")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    assert refusal(str(tmp_path / "binary"))
    assert refusal(str(tmp_path)) == "it is no file"
    assert refusal("/dev/null") == "it is no file"
    assert "there is no directory" in (refusal(str(tmp_path / "not" / "there.json")) or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("")
    tmp_path.chmod(0o500)
    try:
        assert "may not be written" in (refusal(str(tmp_path / "run.json")) or "")
    finally:
        tmp_path.chmod(0o700)


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    write(str(path), said(number=1))

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(str(path), said(number=2), lasting=True)
    assert read(str(path))["number"] == 1
    assert os.listdir(tmp_path) == ["run.json"]


def test_names_that_no_encoding_knows(tmp_path: Path) -> None:
    write(str(tmp_path / "run.json"), said(command="prog \udcff.py é"))
    assert read(str(tmp_path / "run.json"))["command"] == "prog \udcff.py é"


def test_a_file_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    later = threading.Timer(0.15, write, (str(path), said(number=3)))
    later.start()
    try:
        assert read(str(path))["number"] == 3
    finally:
        later.join()


@pytest.mark.parametrize(("text", "why"), [
    ("hello", "is no status file"),
    ('{"version": 1}', "is no status file"),
    ("[" * 100_000, "is no status file"),
    (json.dumps({"format": FORMAT, "version": VERSION + 1}), "of a newer scoopmpi"),
    (json.dumps({"format": FORMAT}), "of a newer scoopmpi"),
])  # fmt: skip
def test_what_cannot_be_read_is_said_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(Unreadable, match=why) as problem:
        read(str(path))
    assert "\n" not in str(problem.value) and str(path) in str(problem.value)
    with pytest.raises(Unreadable, match="cannot be read: Is a directory"):
        replaced_file.read(str(tmp_path))
