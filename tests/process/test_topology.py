"""Physical cores out of a copy of /sys, complete or not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.process import topology
from scoopmpi.process.topology import Core, cores


def written(root: Path, cpu: int, **files: str) -> None:
    place = root / f"cpu{cpu}" / "topology"
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(f"{text}\n")


def two_sockets(root: Path) -> None:
    """Two sockets with two cores each, numbered as on most servers: 0 to 3, then their twins."""
    for cpu in range(8):
        core, package = cpu % 4, cpu % 4 // 2
        written(
            root, cpu, core_cpus_list=f"{core},{core + 4}", physical_package_id=str(package),
            core_id=str(core % 2),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (range(8), [((0, 4), 0), ((1, 5), 0), ((2, 6), 1), ((3, 7), 1)]),
        ([7, 3, 3], [((3, 7), 1)]),
        ([4, 1, 6], [((1,), 0), ((4,), 0), ((6,), 1)]),
        ([], []),
        ([0, 99], [((0,), 0), ((99,), 0)]),
    ],
)
def test_cores_have_those_of_their_cpus_that_are_allowed(
    tmp_path: Path, allowed: Iterable[int], expected: list[tuple[tuple[int, ...], int]]
) -> None:
    two_sockets(tmp_path)
    assert cores(allowed, tmp_path) == [Core(*core) for core in expected]


def test_numbers_that_alternate_between_sockets_are_ordered_by_socket(tmp_path: Path) -> None:
    for cpu in range(4):
        written(tmp_path, cpu, thread_siblings_list=str(cpu), physical_package_id=str(cpu % 2))
    assert [core.cpus for core in cores(range(4), tmp_path)] == [(0,), (2,), (1,), (3,)]


def test_an_old_kernel_names_siblings_in_another_file(tmp_path: Path) -> None:
    for cpu in range(4):
        first = cpu // 2 * 2
        written(tmp_path, cpu, thread_siblings_list=f"{first}-{first + 1}", physical_package_id="0")
    assert cores(range(4), tmp_path) == [Core((0, 1), 0), Core((2, 3), 0)]


def test_without_siblings_the_core_within_its_socket_counts(tmp_path: Path) -> None:
    for cpu in range(4):
        written(tmp_path, cpu, core_id="0", physical_package_id=str(cpu // 2))
    assert cores(range(4), tmp_path) == [Core((0, 1), 0), Core((2, 3), 1)]


def test_where_nothing_is_said_each_cpu_is_a_core(tmp_path: Path) -> None:
    assert cores([2, 0], tmp_path) == [Core((0,), 0), Core((2,), 0)]


def test_a_machine_without_sockets_has_one(tmp_path: Path) -> None:
    written(tmp_path, 0, core_id="-1", physical_package_id="-1")
    written(tmp_path, 1, core_id="-1", physical_package_id="-1")
    assert cores([0, 1], tmp_path) == [Core((0,), 0), Core((1,), 0)]


NAMES = ("core_cpus_list", "thread_siblings_list", "core_id", "physical_package_id")


@given(
    st.sets(st.integers(0, 7)),
    st.dictionaries(st.tuples(st.integers(0, 7), st.sampled_from(NAMES)), st.text("01-7,x \n²")),
)
def test_whatever_sys_says_each_allowed_cpu_is_in_one_core(
    allowed: set[int], files: dict[tuple[int, str], str]
) -> None:
    def text(path: Path) -> str:
        return files.get((int(path.parts[-3][3:]), path.name), "").strip()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topology, "_text", text)
        found = cores(allowed)
    assert sorted(cpu for core in found for cpu in core.cpus) == sorted(allowed)
    assert all(core.cpus == tuple(sorted(core.cpus)) for core in found)
    assert [core.package for core in found] == sorted(core.package for core in found)


def test_of_this_machine() -> None:
    found = cores(range(2))
    assert sorted(cpu for core in found for cpu in core.cpus) == [0, 1]
