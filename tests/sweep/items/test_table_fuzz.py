"""Any table that `csv` writes is read as it was; any bytes are rows, or a problem that is named."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoopmpi.sweep.items.dialect import ALONE, DELIMITERS, Spelling
from scoopmpi.sweep.items.item import ItemsProblem
from scoopmpi.sweep.items.tidied import tidied
from tests.sweep.items.reading import table, values

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
AWKWARD = st.text(st.sampled_from(' \t\r\n,;|"\\#abé'), max_size=8)
VALUES = st.one_of(TEXT, AWKWARD)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=6)
    ),
    delimiter=st.sampled_from(DELIMITERS),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
)
def test_what_csv_writes_is_read_as_it_was(
    rows: list[list[str]], delimiter: str, end: str, bom: bool
) -> None:
    width = len(rows[0]) if rows else 2
    names = [f"c{place}" for place in range(width)]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    file.write(delimiter.join(names) + end)
    writer.writerows(rows)
    with TemporaryDirectory() as folder:
        found = table(Path(folder), ("\ufeff" if bom else "") + file.getvalue())
        assert found.columns == tuple(names)
        assert values(found) == [tuple(row) for row in rows]
        assert found.size == len(rows)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text("ab ,;\t\"'é\\#", max_size=6), min_size=2, max_size=2), max_size=5
    ),
    delimiter=st.sampled_from(DELIMITERS),
)
def test_values_that_csv_leaves_without_quotes_lose_the_blanks_around(
    rows: list[list[str]], delimiter: str
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([["x", "y"], *rows])
    blanks = " " if delimiter == "\t" else " \t"
    needs_quotes = {delimiter, '"'}
    expected = [
        tuple(each if needs_quotes & set(each) else each.strip(blanks) for each in row)
        for row in rows
    ]
    with TemporaryDirectory() as folder:
        assert values(table(Path(folder), file.getvalue())) == expected


@settings(max_examples=200, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=60), AWKWARD.map(str.encode)),
    header=st.sampled_from([b"", b"a,b\n", b"a\n", b"a;b;c\r\n"]),
    comment=st.sampled_from([None, "#"]),
    escape=st.sampled_from([None, "\\"]),
    loose=st.booleans(),
)
@example(content=b'"', header=b"a\n", comment=None, escape="\\", loose=True)
@example(content=b'"\\', header=b"a,b\n", comment=None, escape="\\", loose=False)
def test_any_bytes_are_rows_or_a_problem(
    content: bytes, header: bytes, comment: str | None, escape: str | None, loose: bool
) -> None:
    with TemporaryDirectory() as folder:
        asked = {"comment": comment, "escape": escape, "loose_quotes": loose}
        try:
            found = table(Path(folder), header + content, **asked)
        except ItemsProblem as problem:
            assert "t.csv" in str(problem)
            return
        assert all(len(row) == len(found.columns) for row in values(found))
        assert len(values(found)) == found.size


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.sampled_from('\r\n,"ab'), max_size=30),
    delimiter=st.sampled_from([",", ALONE]),
)
def test_lines_without_blanks_are_tidy_as_they_are(text: str, delimiter: str) -> None:
    lines = list(io.StringIO(text, newline=""))
    found: list[str] = []
    try:
        found.extend(tidied(lines, delimiter, Spelling()))
    except csv.Error:
        with pytest.raises(csv.Error):
            list(csv.reader(lines, delimiter=delimiter, strict=True))
    ends = str.maketrans({"\r": "\n"})
    assert [line.translate(ends).rstrip("\n") for line in found] == [
        line.translate(ends).rstrip("\n") for line in lines
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        "a" + " " * 500_000 + "b",
        '"' * 499_999,
        ',"' * 250_000,
        ' "' * 250_000,
        '\\"' * 250_000,
        '"' + "x " * 250_000,
        ", " * 250_000,
    ],
    ids=lambda line: line[:6],
)
def test_no_line_takes_the_square_of_its_length(line: str) -> None:
    for escape in (None, "\\"):
        try:
            list(tidied([line], ",", Spelling(escape=escape)))
        except csv.Error:
            pass
