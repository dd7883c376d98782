"""The ports of a kernel are its own from the command's start on."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scoopmpi import myscoop
from scoopmpi.launch import wrapper
from scoopmpi.launch.kernel import front_end, ports

HERE = "127.0.0.1"


def free() -> int:
    with socket.socket() as some:
        some.bind((HERE, 0))
        return int(some.getsockname()[1])


def words(directory: Path, **said: Any) -> list[str]:
    file = directory / "connection.json"
    file.write_text(json.dumps({"transport": "tcp", "ip": HERE, **said}))
    return ["scoopmpi.programs.kernel", "-f", str(file)]


def test_nobody_else_gets_them_and_the_kernel_does(tmp_path: Path) -> None:
    zmq = pytest.importorskip("zmq")
    port, beat = free(), free()
    with ports.kept(words(tmp_path, shell_port=port, hb_port=beat, key="no_port")) as held:
        assert held == [port, beat]
        with socket.socket() as other, pytest.raises(OSError) as refused:
            other.bind((HERE, port))
        assert refused.value.errno == errno.EADDRINUSE
        with zmq.Context() as context, context.socket(zmq.ROUTER) as kernels:
            kernels.bind(f"tcp://{HERE}:{port}")
    with socket.socket() as other:
        other.bind((HERE, beat))


def test_one_that_is_taken_is_left_to_the_kernel_to_tell(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HERE, 0))
        other.listen()
        taken, left = other.getsockname()[1], free()
        with ports.kept(words(tmp_path, shell_port=taken, control_port=left)) as held:
            assert held == [left]


@pytest.mark.parametrize(
    "said",
    [
        {"transport": "ipc", "shell_port": 1},
        {"ip": None, "shell_port": 1},
        {"ip": "192.0.2.1", "shell_port": 50000},
        {"shell_port": 1 << 17},
        {"shell_port": True},
        {"shell_port": "50000"},
        {"shell_port": 0},
    ],
)
def test_what_is_no_port_of_this_host_is_left_alone(tmp_path: Path, said: dict[str, Any]) -> None:
    with ports.kept(words(tmp_path, **said)) as held:
        assert held == []


def test_a_kernel_without_a_file_keeps_none(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("[]")
    for line in (["-f", str(tmp_path / "none")], ["-f"], [], ["-f", str(tmp_path / "other")]):
        with ports.kept(["scoopmpi.programs.kernel", *line]) as held:
            assert held == []


def test_the_command_keeps_them_while_ranks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, refused = free(), []

    def run(*_: object) -> None:
        with socket.socket() as other:
            refused.append(other.connect_ex((HERE, port)))
            with pytest.raises(OSError):
                other.bind((HERE, port))

    monkeypatch.setattr(wrapper, "run", run)
    monkeypatch.setattr(front_end, "leave_its_job", lambda env: None)
    said = ["--sched=local", "-n", "1", *words(tmp_path, shell_port=port)]
    answer = CliRunner().invoke(myscoop.main, said)
    assert (answer.exit_code, refused) == (0, [errno.ECONNREFUSED]), answer.output
