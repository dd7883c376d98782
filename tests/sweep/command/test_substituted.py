"""Values in the text of a script, as the worker framework puts them there."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from scoopmpi.sweep.command.opening import opened
from scoopmpi.sweep.command.script import Script
from scoopmpi.sweep.command.substituted import Substituted

VALUES = {"a": "1", "ab": "2 $a", "x_1": "\udcff", "HOME": "/root"}


@pytest.mark.parametrize(
    ("text", "put"),
    [
        (b"echo $a ${a} $ab ${ab}c", b"echo 1 1 2 $a 2 $ac"),
        (b"echo $abc $a_ ${a:-x} ${ab", b"echo $abc $a_ ${a:-x} ${ab"),
        (b"echo $a.$a-$a/$a$a", b"echo 1.1-1/11"),
        (b"awk '{print $a, $1, $HOME}'", b"awk '{print 1, $1, $HOME}'"),
        (b"echo \\$a \\\\$a \\\\\\${a} $$a", b"echo \\$a \\\\1 \\\\\\${a} $1"),
        (b"$x_1\xfe\0%s", b"\xff\xfe\0%s"),
        (b"nothing", b"nothing"),
    ],
)
def test_columns_become_values_in_the_text(text: bytes, put: bytes) -> None:
    script = Substituted(Script(b"#!/bin/sh\n" + text, "x"), ["a", "ab", "x_1"])
    call = pickle.loads(pickle.dumps(script)).call(VALUES)
    assert (call.words, call.script) == (["/bin/sh"], b"#!/bin/sh\n" + put)


def test_it_is_another_command_than_the_script_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.pbs"
    path.write_text("#!/bin/sh\necho $a\n")
    alone, substituted = (opened((), str(path), each, ["a"], {}) for each in (False, True))
    assert alone.digest() != substituted.digest()
    assert alone.name == substituted.name == "run.pbs"
    assert substituted.call({"a": "1"}).script == b"#!/bin/sh\necho 1\n"
    assert alone.call({"a": "1"}).script == b"#!/bin/sh\necho $a\n"
