"""Scripts: who reads them, what makes them another, and what is none."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from scoopmpi.sweep.command.command import CommandProblem
from scoopmpi.sweep.command.opening import opened
from scoopmpi.sweep.command.script import SHELL, Script, read

PBS = b"#!/bin/bash -l\n#PBS -l nodes=1:ppn=8\n#PBS -l walltime=04:00:00\n\ncd $PBS_O_WORKDIR\n"


@pytest.mark.parametrize(
    ("first", "interpreter"),
    [
        ("#!/bin/sh", ["/bin/sh"]),
        ("#! /bin/sh", ["/bin/sh"]),
        ("#!\t/bin/bash -l \t", ["/bin/bash", "-l"]),
        ("#!/bin/bash -e -u", ["/bin/bash", "-e -u"]),
        ("#!/usr/bin/env python3", ["/usr/bin/env", "python3"]),
        ("#!/usr/bin/env -S python3 -u -B", ["/usr/bin/env", "-S python3 -u -B"]),
        ("#!", [SHELL]),
        ("#!  ", [SHELL]),
        ("echo $a", [SHELL]),
        ("# comment", [SHELL]),
        ("#!bin/x y", [os.path.abspath("bin/x"), "y"]),
    ],
)
def test_its_first_line_names_who_reads_it(first: str, interpreter: list[str]) -> None:
    text = f"{first}\necho $a\n".encode()
    call = pickle.loads(pickle.dumps(Script(text, "dir/run.pbs"))).call({"a": "; ls"})
    assert (call.words, call.script) == (interpreter, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x7fELF\x02\x01", "is a program, not a script"),
        (b"\0\0\n", "is a program"),
        (b"#!/bin/bash\r\necho\r\n", "line ends of Windows.*dos2unix"),
        (b"echo\r\n", "line ends of Windows"),
        (b"\xef\xbb\xbf#!/bin/bash\n", "byte order mark"),
    ],
)
def test_what_is_no_script(text: bytes, said: str) -> None:
    with pytest.raises(CommandProblem, match=f"run.pbs.*{said}"):
        Script(text, "run.pbs")


def test_a_script_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "run.pbs"
    path.write_bytes(PBS)
    script = read(str(path))
    path.write_text("rm -rf .\n")
    assert (script.call({}).script, script.name) == (PBS, "run.pbs")


@pytest.mark.parametrize("name", ["none", ".", "a\0b"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandProblem, match="cannot be read"):
        read(f"{tmp_path}/{name}")


def test_lines_for_batch_systems_are_no_part_of_it() -> None:
    def digest(text: bytes) -> bytes:
        return Script(text, "x").digest()

    later = PBS.replace(b"04:00", b"72:00").replace(b"ppn=8\n", b"ppn=8\n#SBATCH --qos=long\n")
    assert digest(later) == digest(PBS)
    assert digest(PBS.replace(b"cd", b"ls")) != digest(PBS)
    assert digest(PBS.replace(b"-l\n", b"-e\n")) != digest(PBS)
    assert digest(PBS + b"#PBS -N x\n") != digest(PBS), "behind commands it may be anything"
    assert digest(PBS.replace(b"#PBS -l n", b"#PBSX n")) != digest(PBS)


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    def said(first: str) -> str:
        path = tmp_path / "run.pbs"
        path.write_text(f"{first}\necho\n")
        with pytest.raises(CommandProblem) as raised:
            opened((), str(path), False, ["a"], os.environ)
        return str(raised.value)

    assert "run.pbs names /none/bash, which is not there" in said("#!/none/bash")
    assert "names nopython9," in said("#!/usr/bin/env nopython9")
    assert "names nopython9," in said("#!/usr/bin/env -S A=1 -i nopython9 -u")
    assert f"names {tmp_path}, which" in said(f"#!{tmp_path}")
    assert Script(b"#!/usr/bin/env sh\n", "x").missing() is None
