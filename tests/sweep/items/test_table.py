"""Tables as people have them: what is read, and which fault is named with which line."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest

from scoopmpi.sweep.items.item import ItemsProblem
from scoopmpi.sweep.items.opening import Asked, opened
from tests.sweep.items.reading import fault, table, values, written

AB = ("a", "b")


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ("a,b\n1,2\n3,4\n", AB, [("1", "2"), ("3", "4")]),
        ("a,b\n1,2", AB, [("1", "2")]),
        ("a,b\r\n1,2\r\n", AB, [("1", "2")]),
        ("a,b\r1,2\r3,4", AB, [("1", "2"), ("3", "4")]),
        ("a,b\n1,2\r\n3,4\r5,6\n", AB, [("1", "2"), ("3", "4"), ("5", "6")]),
        ("\ufeffa,b\n1,2\n", AB, [("1", "2")]),
        ('\ufeff"a","b"\n1,2\n', AB, [("1", "2")]),
        ("a;b\n1,5;2,5\n", AB, [("1,5", "2,5")]),
        ("a\tb\n1, 2\t3;4\n", AB, [("1, 2", "3;4")]),
        ("a\tb\n\t\n x\ty \n", AB, [("", ""), ("x", "y")]),
        ("a|b\n1,2|3\n", AB, [("1,2", "3")]),
        ("sep=;\r\na;b\r\n1;2\r\n", AB, [("1", "2")]),
        ('a,b\n"1,5","x\ny"\n', AB, [("1,5", "x\ny")]),
        ('a,b\n"say ""hi""",\'x\'\n', AB, [('say "hi"', "'x'")]),
        ('a,b\n5" pipe,6"\n', AB, [('5" pipe', '6"')]),
        ("a,b\n\n1,2\n   \n\t\n3,4\n\n", AB, [("1", "2"), ("3", "4")]),
        ("\n\n a , b \n1,2\n", AB, [("1", "2")]),
        ("a,b\n,\n", AB, [("", "")]),
        ("a,b\n\x0b,\x85\n", AB, [("\x0b", "\x85")]),
        ("a,b\n1,\u2028\n", AB, [("1", "\u2028")]),
        ("a,b\n", AB, []),
        ("a,b", AB, []),
        ("x\n1,5\nb;c|d\te\n", ("x",), [("1,5",), ("b;c|d\te",)]),
        ('x\n""\n\n"a,""b"\n', ("x",), [("",), ('a,"b',)]),
        ("_x1,Y\n#1,2\n", ("_x1", "Y"), [("#1", "2")]),
    ],
)
def test_what_people_write_is_read(
    tmp_path: Path, content: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    found = table(tmp_path, content)
    assert found.columns == columns
    assert [(item.number, item.values) for item in found] == list(enumerate(rows, 1))
    assert found.size == len(rows)
    assert values(found) == rows, "a file can be read again"


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ("293, 1.0e6, 1", ("293", "1.0e6", "1")),  # as in the worker framework's documentation
        ("293 ,\t1.0e6\t, 1  ", ("293", "1.0e6", "1")),
        ("\t293 , a b ,1", ("293", "a b", "1")),
        ('"x " , " y", "z,"', ("x ", " y", "z,")),
        ('" , " ,"a "" , " , 1 ', (" , ", 'a " , ', "1")),
        ('"x \n , \n" , "y" ,\t"z"', ("x \n , \n", "y", "z")),
        ('5" , "a" , 6" ', ('5"', "a", '6"')),
        (" , ,  ", ("", "", "")),
    ],
)
def test_blanks_around_values_are_no_part_of_them(
    tmp_path: Path, row: str, read: tuple[str, ...]
) -> None:
    found = table(tmp_path, f"t, p ,v\n{row}\n0,0,0\n")
    assert (found.columns, values(found)) == (("t", "p", "v"), [read, ("0", "0", "0")])


def test_bytes_that_are_no_text_come_through(tmp_path: Path) -> None:
    found = table(tmp_path, b"a,b\n\xe9\xff,\xc3\xa9\n")
    assert [tuple(map(os.fsencode, row)) for row in values(found)] == [(b"\xe9\xff", b"\xc3\xa9")]


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t", "TAB"])
def test_the_delimiter_may_be_said(tmp_path: Path, delimiter: str) -> None:
    assert values(table(tmp_path, "a\n1,2\n", delimiter=delimiter)) == [("1,2",)]
    assert values(table(tmp_path, "a\tb\n1\t2\n", delimiter=delimiter)) == [("1", "2")]


def test_columns_that_blanks_part_stand_below_each_other(tmp_path: Path) -> None:
    found = table(tmp_path, 'a  b c\n 1   2 3  \n"x  y" 4 5\n', delimiter=" ")
    assert found.columns == ("a", "b", "c")
    assert values(found) == [("1", "2", "3"), ("x  y", "4", "5")]


def test_comments_are_left_out_where_they_are_asked_for(tmp_path: Path) -> None:
    content = '# x, "y\na,b\n# "q", "r\n1,2\n  #3,4\n"#5\n#6",7\n'
    assert values(table(tmp_path, content, comment="#")) == [("1", "2"), ("#5\n#6", "7")]
    assert values(table(tmp_path, "a,b\n//x\n1,2\n", comment="//")) == [("1", "2")]


def test_a_character_may_escape(tmp_path: Path) -> None:
    content = 'a,b\n"say \\"hi\\" ",x\\,y\n"a\\\\" , "b\\"" \n'
    assert values(table(tmp_path, content, escape="\\")) == [
        ('say "hi" ', "x,y"),
        ("a\\", 'b"'),
    ]


def test_text_may_follow_quotes_where_that_is_asked_for(tmp_path: Path) -> None:
    assert values(table(tmp_path, 'a,b\n"x"y , 2\n', loose_quotes=True)) == [("xy", "2")]
    assert "line 2: a quote" in fault(tmp_path, 'a,b\n1,"2\n', loose_quotes=True)


def test_a_packed_table_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b"\xef\xbb\xbfa,b\n1,2\n") + gzip.compress(b"3,4\n")
    assert values(table(tmp_path, packed)) == [("1", "2"), ("3", "4")]
    assert "packed with gzip, and damaged" in fault(tmp_path, packed[:-6])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n3\n", "t.csv, line 3: 1 value, but line 1 names 2 columns (a, b)"),
        ("a,b\n1,2,3\n", "t.csv, line 2: 3 values, but line 1 names 2 columns; a value with ','"),
        ('\n# x\na,b\n"x\ny",2\n\n4\n', "t.csv, line 2: '# x' cannot be the name"),
        ('a,b\n"x\r\ny",2\r\n\r\n4\r\n', "t.csv, line 5: 1 value"),
        ('a,b\n1,2\n3,"4\n5,6\n7,8\n', 't.csv, line 3: a quote (") opens here'),
        ('a,b\n1,"x\ny"z\n', "t.csv, line 3: text behind the quote"),
        ('a,b\n1,"x\n2,y"\n3,4,"\n\n5,6"\n', "t.csv, line 4: 3 values"),
        ("a,b\n1,2\n3,\0\n", "t.csv, line 3: a NUL byte"),
        ("a,b\r1,2\r3,\0\r", "t.csv, line 3: a NUL byte"),
        (f"a,b\n1,{'x' * 140_000}\n", "t.csv, line 2: a value is longer than 131072 characters"),
        ('a,b\n1,"' + "2,3\n" * 50_000, "t.csv, line 2: a value is longer"),
        ('"a,b\n1,2\n', "t.csv, line 1: the quotes around the names"),
        ("", "t.csv is empty"),
        (" \n\n", "t.csv is empty"),
        ("a,b\n1,2\n".encode("utf-16"), "t.csv is UTF-16: iconv"),
        ("a,b\n1,2\n".encode("utf-16-le"), "t.csv, line 1: a NUL byte"),
        (b"PK\x03\x04\x14\0\0", "t.csv is a spreadsheet"),
        (b"a,b\n1," + b"x" * (17 << 20), "t.csv, line 2: longer than 16 MiB"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_faults_are_named_with_their_line(tmp_path: Path, content: str, said: str) -> None:
    assert said in fault(tmp_path, content)


def test_all_faulty_rows_are_named_up_to_some(tmp_path: Path) -> None:
    few = fault(tmp_path, 'a,b\n1\n2,3\n4,5,6\n7,"8\n').splitlines()
    assert [line.split(":")[0] for line in few] == [f"t.csv, line {n}" for n in (2, 4, 5)]
    many = fault(tmp_path, "a,b\n" + "1\n" * 1000).splitlines()
    assert len(many) == 6 and many[-1] == "and more in t.csv"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"delimiter": "ab"}, "--delimiter 'ab': one character"),
        ({"delimiter": '"'}, "none of quotes"),
        ({"delimiter": ""}, "one character"),
        ({"escape": "xx"}, "--escape 'xx'"),
        ({"escape": ";", "delimiter": ";"}, "parts the columns already"),
        ({"comment": ""}, "--comment '#'"),
        ({"delimiter": ";"}, "cannot be the name of column 1"),
    ],
)
def test_options_that_cannot_be_meant(tmp_path: Path, asked: dict[str, str], said: str) -> None:
    assert said in fault(tmp_path, "a,b\n1,2\n", **asked)


def test_a_row_that_is_wrong_in_a_stream_ends_it_where_it_stands(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a, b\n1 , 2\n\n3\n4,5\n")
    os.close(writing)
    found = opened(Asked((f"/dev/fd/{reading}",)))
    os.close(reading)
    assert (found.columns, found.size) == (AB, None)
    rows = iter(found)
    assert next(rows).values == ("1", "2")
    with pytest.raises(ItemsProblem, match="line 4: 1 value"):
        next(rows)
    with pytest.raises(ItemsProblem, match="can be read only once"):
        list(found)


def test_tables_one_behind_the_other_have_the_same_header(tmp_path: Path) -> None:
    one, two = written(tmp_path, "a,b\n1,2\n3,4\n", "1"), written(tmp_path, "a;b\n5;6\n", "2")
    other = written(tmp_path, "b,a\n1,2\n", "3")
    found = opened(Asked((one, two, one)))
    assert [item.number for item in found] == [1, 2, 3, 4, 5]
    assert (found.size, values(found)[2:4]) == (5, [("5", "6"), ("1", "2")])
    with pytest.raises(ItemsProblem, match=r"3 has the columns b, a, and .*1 a, b"):
        opened(Asked((one, two, other)))


def test_rows_take_no_memory(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + f"1.5, {'x' * 140}\n" * 40_000)
    opened(Asked((path,)))  # what is made once
    tracemalloc.start()
    try:
        found = opened(Asked((path,)))
        assert sum(1 for _ in found) == found.size == 40_000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
