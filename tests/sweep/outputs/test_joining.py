"""Files of items become one: in order, whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.outputs import joining
from scoopmpi.sweep.outputs.joining import Reduced, Text, joined, reduced
from scoopmpi.sweep.outputs.sink import OutputProblem

LINE = st.sampled_from([b"1\n", b"two\n", b"\n", b"  \n"])
LAST = st.sampled_from([b"", b"x", b" "])


def files(place: Path, contents: list[bytes]) -> list[str]:
    names = [str(place / f"out-{number}.txt") for number in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        Path(name).write_bytes(content)
    return names


def as_lines(contents: list[bytes], text: Text) -> bytes:
    """The same, line by line."""
    found: list[bytes] = []
    for content in contents:
        lines = content.splitlines(keepends=True)
        if not text.keep_blank and lines and not lines[-1].strip():
            lines.pop()
        found += lines[text.skip_first :]
    ends = [line if line.endswith(b"\n") else line + b"\n" for line in found]
    return b"".join([*ends[:-1], *found[-1:]])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.lists(LINE, max_size=4), LAST), max_size=4),
    st.integers(0, 2), st.booleans(),
)  # fmt: skip
def test_files_are_joined_line_by_line(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[tuple[list[bytes], bytes]],
    skip_first: int, keep_blank: bool,
) -> None:  # fmt: skip
    place = tmp_path_factory.mktemp("joined")
    contents = [b"".join(lines) + last for lines, last in pieces]
    names, target = files(place, contents), place / "all"
    text = Text(skip_first, keep_blank)
    assert joined(names, str(target), text) == Reduced(len(names), 0, ())
    assert target.read_bytes() == as_lines(contents, text)


def test_bytes_that_are_no_text_stay_as_they_are(tmp_path: Path) -> None:
    contents = [b"\x1f\x8b\0" + os.urandom(5000), b"\x1f\x8b\0end"]
    joined(files(tmp_path, contents), str(tmp_path / "all.gz"))
    assert (tmp_path / "all.gz").read_bytes() == b"".join(contents)


def test_missing_files_are_named_and_each_counts_once(tmp_path: Path) -> None:
    first, second = files(tmp_path, [b"1\n", b"2\n"])
    gone = [str(tmp_path / f"gone-{number}") for number in range(5)]
    names = [first, gone[0], gone[0], second, *gone[1:], first]
    target = tmp_path / "all"
    assert joined(names, str(target), remove=True) == Reduced(2, 5, tuple(gone[:3]))
    assert target.read_bytes() == b"1\n2\n"
    assert [one.name for one in tmp_path.iterdir()] == ["all"]


def test_a_program_joins_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = files(tmp_path, [b"1\n", b"2\n", b"3\n"])
    Path("sum.sh").write_text(
        "#!/bin/sh\n"
        'case $1 in *.total) ;; *) exit 7;; esac\n'
        'echo $(( $(cat "$1" 2>/dev/null || echo 0) + $(cat "$2") )) > "$1.new"\n'
        'mv "$1.new" "$1"\n'
    )  # fmt: skip
    with pytest.raises(OutputProblem, match=r"--reductor sum\.sh: .*chmod \+x"):
        reduced(names, "a.total", "sum.sh")
    Path("sum.sh").chmod(0o755)
    assert reduced(names, "a.total", "sum.sh", remove=True) == Reduced(3, 0, ())
    assert Path("a.total").read_text() == "6\n"
    assert sorted(os.listdir()) == ["a.total", "sum.sh"]


@pytest.mark.parametrize("reductor", ["sh -c 'exit 3' x", "true", "/nonexistent/program", " "])
def test_a_program_that_fails_leaves_what_was_there(tmp_path: Path, reductor: str) -> None:
    names, target = files(tmp_path, [b"1\n"]), tmp_path / "all"
    target.write_text("as it was")
    with pytest.raises(OutputProblem):
        reduced(names, str(target), reductor, remove=True)
    assert target.read_text() == "as it was"
    assert sorted(os.listdir(tmp_path)) == ["all", "out-0.txt"]


def test_nothing_to_join_makes_an_empty_file(tmp_path: Path) -> None:
    assert joined([], str(tmp_path / "a")) == reduced([], str(tmp_path / "b"), "true")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b""


def test_the_one_must_not_be_among_them_or_impossible(tmp_path: Path) -> None:
    (name,) = files(tmp_path, [b"1\n"])
    os.symlink(name, tmp_path / "link")
    for target, problem in [
        (str(tmp_path / "link"), "one of the files to be joined"),
        (str(tmp_path), "a directory"),
        (str(tmp_path / "no" / "where"), "no such directory"),
    ]:
        with pytest.raises(OutputProblem, match=problem):
            joined([name], target)
    assert Path(name).read_bytes() == b"1\n"
    with pytest.raises(OutputProblem, match="no such directory"):
        joining.checked(f"{name}/below")
    with pytest.raises(OutputProblem, match="there is no such program"):
        joining.checked(str(tmp_path / "new"), "./no-such-program")
    joining.checked(str(tmp_path / "new"), "cat -u")


def test_what_was_joined_stays_where_the_files_are_gone(tmp_path: Path) -> None:
    names, target = files(tmp_path, [b"1\n", b"2\n"]), tmp_path / "all"
    joined(names, str(target), remove=True)
    for again in (joined, lambda these, one: reduced(these, one, "true")):
        with pytest.raises(OutputProblem, match="none of 2 files is there"):
            again(names, str(target))
    assert target.read_bytes() == b"1\n2\n"


def test_a_pipe_gets_it_as_it_comes(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    joined(files(tmp_path, [b"1\n", b"2"]), str(pipe))
    reader.join(10)
    assert got == [b"1\n2"]
