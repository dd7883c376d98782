"""Environments of real jobs with faults put in, and lists without end: hosts, or a refusal.

What any text does in any variable, file or answer is in `test_managers_any`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.launch import managers
from scoopmpi.launch.flavours import FLAVOURS
from scoopmpi.launch.flavours.ranks import LaunchError, Ranks
from scoopmpi.launch.hosts import hostlist
from scoopmpi.launch.hosts.allocation import MOST_HOSTS, Allocation, AllocationError
from scoopmpi.launch.hosts.placement import with_rank_0
from scoopmpi.launch.managers.reading import MOST_LINES
from scoopmpi.process.asking import Ask
from tests.launch.test_managers_any import NEAR, answers_or_refuses
from tests.support.environments import FILES, qstat, recorded, samples
from tests.support.limited import little_memory

__all__ = ["little_memory"]
pytestmark = pytest.mark.timeout(60)
SYSTEMS = ("openpbs", "slurm", "gridengine")
WORDS = ("SLURM_", "PBS_", "NCPUS", "PE", "NSLOTS", "JOB_ID", "SGE_", "OMP_NUM")
"""How the variables begin that managers may look at."""
ODD = st.sampled_from(("-1", "0", "00", "999999999", "9" * 30, "1e9", "²", "", " ", "\0", "-x"))


def spoilt(text: str, place: int, instead: str, cut: int) -> str:
    """With a few characters replaced."""
    place %= len(text) + 1
    return text[:place] + instead + text[place + cut :]


@st.composite
def environments(draw: st.DrawFn, system: str) -> tuple[str, dict[str, str]]:
    """A recorded environment in which up to three variables are missing, or wrong."""
    name = draw(st.sampled_from(samples(system)))
    env = recorded(name)
    about = sorted(variable for variable in env if variable.startswith(WORDS))
    for variable in draw(st.lists(st.sampled_from(about), max_size=3)):
        if draw(st.booleans()):
            env.pop(variable, None)
        else:
            place, cut = draw(st.integers(0, 200)), draw(st.integers(0, 4))
            env[variable] = spoilt(env.get(variable, ""), place, draw(ODD | NEAR), cut)
    return name, env


@pytest.mark.parametrize("system", SYSTEMS)
def test_recorded_environments_with_faults(system: str) -> None:
    @settings(deadline=None, max_examples=150)
    @given(environments(system), st.none() | st.tuples(st.integers(0), ODD | NEAR))
    def read(drawn: tuple[str, dict[str, str]], fault: tuple[int, str] | None) -> None:
        name, env = drawn
        answers_or_refuses(env, asked(qstat(name), fault))

    read()


def asked(ask: Ask | None, fault: tuple[int, str] | None) -> Ask:
    """Who answers as recorded, but for a fault."""

    def answer(words: Sequence[str]) -> str | None:
        said = ask(words) if ask is not None else None
        return said if said is None or fault is None else spoilt(said, *fault, cut=2)

    return answer


@pytest.mark.parametrize("system", ["openpbs", "gridengine"])
def test_recorded_node_files_with_faults(system: str, tmp_path: Path) -> None:
    path = tmp_path / "nodes"
    with_files = [name for name in samples(system) if set(FILES) & set(recorded(name))]

    @settings(deadline=None, max_examples=150)
    @given(st.sampled_from(with_files), st.integers(0), st.binary(max_size=4), st.integers(0, 9))
    def read(name: str, place: int, instead: bytes, cut: int) -> None:
        env = recorded(name)
        variable = next(variable for variable in FILES if variable in env)
        text = Path(env[variable]).read_text().encode().decode("latin-1")
        path.write_bytes(spoilt(text, place, instead.decode("latin-1"), cut).encode("latin-1"))
        answers_or_refuses({**env, variable: str(path)})

    read()


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SYSTEMS).flatmap(environments))
def test_what_was_found_can_be_started_or_is_refused(drawn: tuple[str, dict[str, str]]) -> None:
    """Each flavour has words for it, whatever the numbers are, or says why not."""
    try:
        found = managers.detect(drawn[1], ask=asked(qstat(drawn[0]), None))
    except AllocationError:
        return
    for flavour in FLAVOURS:
        try:
            words = flavour.command_line("/bin/mpirun", ranks(found)).argv
        except LaunchError as problem:
            assert str(problem)
        else:
            assert all(isinstance(word, str) and word and "\0" not in word for word in words)


def ranks(found: Allocation) -> Ranks:
    return Ranks(with_rank_0(found).hosts, ["python"], {}, manager=found.manager)


# Lists without end. Each is some kilobytes long at most, but for files.


WIDE = "n[0-999999999]"
DEEP = "n" + "[0-99]" * 6
LONG = "n[1-100000]" + "x" * 100_000
"""A hundred thousand names of a hundred thousand characters."""
MANY = "n[1-100000]" + "[1]" * 20_000
LISTS = {"wide": WIDE, "deep": DEEP, "long": LONG, "many": MANY, "repeated": f"{WIDE}," * 99 + "n"}
VARIABLES: dict[str, Callable[[str], dict[str, str]]] = {
    "slurm": lambda text: {
        "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": text, "SLURM_JOB_CPUS_PER_NODE": "1(x999999999)",
    },
    "slurm step": lambda text: {
        "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n1", "SLURM_STEP_NODELIST": text,
        "SLURM_TASKS_PER_NODE": "1(x999999999)", "SLURM_STEP_TASKS_PER_NODE": "1(x999999999)",
    },
    "cobalt": lambda text: {
        "COBALT_JOBID": "1", "COBALT_PARTNAME": text.strip("n").replace("[", "").replace("]", ","),
    },
}  # fmt: skip


def refused(read: Callable[[], Any]) -> None:
    begun = time.monotonic()
    with pytest.raises(AllocationError):
        read()
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("manager", VARIABLES)
@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_a_list_without_end_is_refused(manager: str, text: str) -> None:
    refused(lambda: managers.detect(VARIABLES[manager](text)))


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_the_users_own_list_without_end_is_refused(text: str) -> None:
    refused(lambda: hostlist.from_words([text]))
    refused(lambda: hostlist.from_text(text, "a file", lambda: 4))


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_an_answer_of_flux_without_end_is_refused(text: str) -> None:
    entry = {"rank": "0-99999", "children": {"core": "0"}}
    answer = json.dumps({"execution": {"nodelist": [text], "R_lite": [entry]}})
    refused(lambda: managers.detect({"FLUX_URI": "x"}, ask=lambda words: answer))


def test_ranks_of_flux_without_end_are_refused() -> None:
    spans = ",".join(f"{n}00000-{n}99999" for n in range(1, 1000))
    entry = {"rank": spans, "children": {"core": "0"}}
    answer = json.dumps({"execution": {"nodelist": ["n[1-100000]"], "R_lite": [entry]}})
    refused(lambda: managers.detect({"FLUX_URI": "x"}, ask=lambda words: answer))


def test_components_of_a_heterogeneous_job_without_end_are_refused() -> None:
    """128 of 100,000 hosts each."""
    env = {"SLURM_JOB_ID": "1", "SLURM_HET_SIZE": "128"}
    for place in range(128):
        env[f"SLURM_JOB_NODELIST_HET_GROUP_{place}"] = f"n{place}x[1-100000]"
        env[f"SLURM_TASKS_PER_NODE_HET_GROUP_{place}"] = "1(x100000)"
    refused(lambda: managers.detect(env))


NODE_FILES = {
    "PBS_NODEFILE": {"PBS_JOBID": "7.s"},
    "PE_HOSTFILE": {"JOB_ID": "7"},
    "OAR_NODEFILE": {"OAR_JOB_ID": "7"},
    "COBALT_NODEFILE": {"COBALT_JOBID": "7"},
    "PJM_O_NODEINF": {"PJM_JOBID": "7"},
    "LSB_DJOB_HOSTFILE": {"LSB_JOBID": "7"},
    "HYDRA_HOST_FILE": {"K_MPI_JOB_ROLE": "launcher"},
}


@pytest.mark.parametrize("variable", NODE_FILES)
def test_a_node_file_of_more_hosts_than_any_cluster_has_is_refused(
    tmp_path: Path, variable: str
) -> None:
    path, end = tmp_path / "nodes", " 1 q\n" if variable == "PE_HOSTFILE" else "\n"
    path.write_text("".join(f"n{n}{end}" for n in range(MOST_HOSTS + 1)))
    refused(lambda: managers.detect({**NODE_FILES[variable], variable: str(path)}))


def test_a_node_file_of_more_lines_than_any_cluster_has_cores_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nodes"
    path.write_bytes(b"n1\n" * (MOST_LINES + 1))
    refused(lambda: managers.detect({"PBS_JOBID": "7.s", "PBS_NODEFILE": str(path)}))
