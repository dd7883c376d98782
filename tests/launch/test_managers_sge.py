"""Grid Engine: the file of the parallel environment, its sum, binding."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import AllocationError, Host
from tests.support.environments import in_short, recorded


def job(tmp_path: Path, text: str, **more: str) -> dict[str, str]:
    path = tmp_path / "hosts"
    path.write_text(text)
    return {"JOB_ID": "7", "SGE_ROOT": "/sge", "PE_HOSTFILE": str(path), **more}


def test_repeated_hosts_add_up_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    text = "\nb 2 all.q@b UNDEFINED\n\na 1 all.q@a 0,1:0,2\nb 3 long.q@b <NULL>\nc 0\nd 1 q@d 0,0\n"
    found = managers.detect(job(tmp_path, text, NSLOTS="7"))
    assert found.hosts == (Host("b", 5), Host("a", 1), Host("d", 1))


@pytest.mark.parametrize(
    "text", ["", "a\n", "a two\n", "a ²\n", "a -1\n", "a 0\n", "-a 1\n", "a,b 1"]
)
def test_file_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AllocationError, match="PE_HOSTFILE="):
        managers.detect(job(tmp_path, text))


@pytest.mark.parametrize("slots", ["2", "4", "many"])
def test_another_number_of_slots_than_the_file_has(tmp_path: Path, slots: str) -> None:
    with pytest.raises(AllocationError, match=f"NSLOTS={slots}"):
        managers.detect(job(tmp_path, "a 2\nb 1\n", NSLOTS=slots))


def test_a_parallel_environment_without_its_file() -> None:
    env = recorded("gridengine/pe_mpi_2")
    del env["PE_HOSTFILE"]
    with pytest.raises(AllocationError, match="PE=mpi is set but PE_HOSTFILE is not"):
        managers.detect(env)


def test_a_job_without_parallel_environment_has_one_slot_here() -> None:
    assert in_short(managers.detect(recorded("gridengine/serial"))) == "localhost:1"
    many = recorded("gridengine/serial") | {"NSLOTS": "0"}
    assert in_short(managers.detect(many)) == "localhost:1"


@pytest.mark.parametrize(
    ("binding", "hosts", "notes"),
    [
        ("0 1", "a:2 b:2", 0),
        ("0 1 2 3", "a:2/4 b:2", 0),
        ("0", "a:2/1 b:2", 1),
        ("0 0", "a:2/1 b:2", 1),
        ("", "a:2 b:2", 0),
        ("no_explicit_binding", "a:2 b:2", 0),
        ("NULL", "a:2 b:2", 0),
    ],
)
def test_binding_is_of_the_first_host(tmp_path: Path, binding: str, hosts: str, notes: int) -> None:
    found = managers.detect(job(tmp_path, "a 2\nb 2\n", SGE_BINDING=binding))
    assert (in_short(found), len(found.notes)) == (hosts, notes)


def test_variables_of_the_login_node_are_no_job() -> None:
    login = {"SGE_ROOT": "/sge", "SGE_CELL": "default", "PE": "mpi", "JOB_ID": "3"}
    assert managers.detect(login).local
