"""LSF, OAR, Cobalt, PJM, Flux, Kubernetes: after their documentation, as none was at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import AllocationError
from scoopmpi.launch.managers import kubernetes, local
from tests.support.environments import answering, in_short


def refused(env: dict[str, str]) -> str:
    with pytest.raises(AllocationError) as caught:
        managers.detect(env)
    return str(caught.value)


def written(tmp_path: Path, words: str) -> str:
    """The path of a file with these words, a line each."""
    path = tmp_path / "file"
    path.write_text("\n".join(words.split()) + "\n")
    return str(path)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda env: 4)


# LSF.


def lsf(**more: str) -> dict[str, str]:
    return {"LSB_JOBID": "7", **{f"LSB_{name}": value for name, value in more.items()}}


def test_lsf_takes_counts_before_the_file_and_the_file_before_the_list(tmp_path: Path) -> None:
    three = {
        "MCPU_HOSTS": "a 3 b 1", "DJOB_HOSTFILE": written(tmp_path, "c c"), "HOSTS": "d d d",
    }  # fmt: skip
    found = []
    for name in list(three):
        allocation = managers.detect(lsf(**three))
        found.append((in_short(allocation), *allocation.evidence))
        del three[name]
    assert found == [
        ("a:3 b:1", "LSB_MCPU_HOSTS"), ("c:2", "LSB_DJOB_HOSTFILE"), ("d:3", "LSB_HOSTS"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hosts", "workers", "notes"),
    [
        ("batch5 1 a 42 b 42", "a:42 b:42", 1),
        ("login1.org 1 a 4", "a:4", 1),
        ("batch5 2 a 4", "batch5:2 a:4", 0),
        ("batch5 1", "batch5:1", 0),
        ("a 4 batch5 1", "a:4 batch5:1", 0),
    ],
)
@pytest.mark.parametrize("counts", [0, 1], ids=["", "without it"])
def test_the_launch_node_of_lsf_takes_no_worker(
    hosts: str, workers: str, notes: int, counts: int
) -> None:
    total = sum(map(int, hosts.split()[1::2]))
    env = lsf(MCPU_HOSTS=hosts, DJOB_NUMPROC=str(total - counts * notes))
    found = managers.detect(env)
    assert (in_short(found), len(found.notes)) == (workers, notes)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"MCPU_HOSTS": "a 3", "DJOB_NUMPROC": "4"},
            "LSB_DJOB_NUMPROC=4, but LSB_MCPU_HOSTS has 3",
        ),
        ({"MCPU_HOSTS": "a 3 b"}, "LSB_MCPU_HOSTS=a 3 b: 'b' has no number"),
        ({"MCPU_HOSTS": "a b"}, "LSB_MCPU_HOSTS=a b"),
        ({"MCPU_HOSTS": " "}, "LSB_MCPU_HOSTS= "),
        ({"HOSTS": "a:1"}, "LSB_HOSTS=a:1"),
        ({"DJOB_HOSTFILE": "/nowhere"}, "LSB_DJOB_HOSTFILE=/nowhere"),
        ({"MCPU_HOSTS": "a 1", "AFFINITY_HOSTFILE": "/nowhere"}, "LSB_AFFINITY_HOSTFILE=/nowhere"),
    ],
)
def test_lsf_refused(more: dict[str, str], said: str) -> None:
    assert said in refused(lsf(**more))


@pytest.mark.parametrize(
    ("text", "hosts", "notes"),
    [
        ("a 0,1,2,3 0 2\na 4-7 1 2\nb 0,1,2,3 0 2\n", "a:2/8 b:1/4", 0),
        ("a 0,1\na 0,1\nb 0,1\n", "a:2 b:1/2", 0),
        ("", "a:2 b:1", 0),
        ("a 0,1\nc 0-7\n", "a:2 b:1", 0),
        ("a /0/0/1\n", "a:2 b:1", 1),
        ("a\n", "a:2 b:1", 1),
    ],
)
def test_affinity_of_lsf_tells_the_cores(tmp_path: Path, text: str, hosts: str, notes: int) -> None:
    path = tmp_path / "affinity"
    path.write_text(text)
    found = managers.detect(lsf(MCPU_HOSTS="a 2 b 1", AFFINITY_HOSTFILE=str(path)))
    assert (in_short(found), len(found.notes)) == (hosts, notes)


@pytest.mark.parametrize("cpus", ["0-999999", "3-1", "8192"])
def test_affinity_of_lsf_with_cpus_that_no_host_has(tmp_path: Path, cpus: str) -> None:
    path = tmp_path / "affinity"
    path.write_text(f"a {cpus} 0 2\n")
    assert "LSB_AFFINITY_HOSTFILE=" in refused(lsf(MCPU_HOSTS="a 2", AFFINITY_HOSTFILE=str(path)))


# OAR.


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"OAR_JOB_ID": "1"}, "OAR_NODEFILE"),
        ({"COBALT_JOBID": "1"}, "COBALT_NODEFILE"),
        ({"LSB_JOBID": "1"}, "LSB_DJOB_HOSTFILE"),
        ({"PJM_JOBID": "1", "PJM_VNODE_CORE": "1"}, "PJM_O_NODEINF"),
    ],
)
def test_hosts_may_stand_on_one_line(tmp_path: Path, env: dict[str, str], variable: str) -> None:
    (tmp_path / "nodes").write_bytes(b"a b a  \r\n")
    found = managers.detect({**env, variable: str(tmp_path / "nodes")})
    assert [(host.name, host.slots) for host in found.hosts] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("variable", ["OAR_NODEFILE", "OAR_FILE_NODES", "OAR_NODE_FILE"])
def test_oar_has_a_line_for_each_core_and_its_own_remote_shell(
    tmp_path: Path, variable: str
) -> None:
    found = managers.detect({"OAR_JOB_ID": "7", variable: written(tmp_path, "b b a b")})
    assert (found.manager, in_short(found), found.evidence) == ("oar", "b:3 a:1", (variable,))
    assert found.agent == "oarsh"


# Cobalt.


@pytest.mark.parametrize(
    ("words", "hosts"), [("a b", "a:4 b:4"), ("a a b", "a:2 b:1"), ("a", "a:4")]
)
@pytest.mark.usefixtures("four_cores")
def test_cobalt_has_whole_nodes_unless_its_file_repeats_them(
    tmp_path: Path, words: str, hosts: str
) -> None:
    env = {"COBALT_JOBID": "7", "COBALT_NODEFILE": written(tmp_path, words), "COBALT_PARTNAME": "9"}
    found = managers.detect(env)
    assert (found.manager, in_short(found)) == ("cobalt", hosts)
    assert len(found.notes) == (1 if "4" in hosts else 0)


@pytest.mark.usefixtures("four_cores")
def test_cobalt_has_numbers_of_nodes() -> None:
    found = managers.detect({"COBALT_JOBID": "7", "COBALT_PARTNAME": "1-3,117"})
    assert in_short(found) == "nid00001:4 nid00002:4 nid00003:4 nid00117:4"


@pytest.mark.parametrize("text", ["MIR-00000", "1-", "3-1", "1,,2", "1-999999999", "]a["])
def test_cobalt_refused(text: str) -> None:
    assert "COBALT_PARTNAME" in refused({"COBALT_JOBID": "7", "COBALT_PARTNAME": text})


# PJM.


@pytest.mark.parametrize(
    ("words", "more", "hosts"),
    [
        ("a b", {"PJM_VNODE_CORE": "8"}, "a:8 b:8"),
        ("a a b", {"PJM_VNODE_CORE": "10"}, "a:20 b:10"),
        ("a b", {"PJM_VNODE_CORE": "8", "PJM_PROC_BY_NODE": "2"}, "a:2/8 b:2/8"),
        ("a b", {"PJM_PROC_BY_NODE": "2"}, "a:2/4 b:2/4"),
        ("a b", {}, "a:4 b:4"),
    ],
)
@pytest.mark.usefixtures("four_cores")
def test_pjm(tmp_path: Path, words: str, more: dict[str, str], hosts: str) -> None:
    env = {"PJM_JOBID": "7", "PJM_O_NODEINF": written(tmp_path, words), **more}
    found = managers.detect(env)
    assert (found.manager, in_short(found), found.agent) == ("pjm", hosts, "/bin/pjrsh")
    assert bool(found.notes) == ("PJM_VNODE_CORE" not in more)


@pytest.mark.parametrize("variable", ["PJM_VNODE_CORE", "PJM_PROC_BY_NODE"])
def test_pjm_refused(tmp_path: Path, variable: str) -> None:
    env = {"PJM_JOBID": "7", "PJM_O_NODEINF": written(tmp_path, "a"), variable: "0"}
    assert f"{variable}=0" in refused(env)


# Flux.

FLUX = {"FLUX_URI": "local:///run/flux/local"}
UP = ("flux", "resource", "R", "-s", "up")


def resources(nodelist: list[str], *ranks: tuple[str, str]) -> str:
    """A resource set, RFC 20."""
    lite = [{"rank": rank, "children": {"core": core, "gpu": "0"}} for rank, core in ranks]
    return json.dumps({"version": 1, "execution": {"R_lite": lite, "nodelist": nodelist}})


@pytest.mark.parametrize(
    ("answer", "hosts"),
    [
        (resources(["f[1-2]"], ("0-1", "0-7")), "f1:8 f2:8"),
        (resources(["f[08-09]", "g"], ("0-1", "0-3"), ("2", "0,2,4")), "f08:4 f09:4 g:3"),
        # host names are in the order of the ranks, not of the entries
        (resources(["a", "b", "c"], ("0,2", "0-3"), ("1", "5")), "a:4 b:1 c:4"),
        (resources(["b"], ("7", "0")), "b:1"),
        # two brokers on one host
        (resources(["a", "a"], ("0-1", "0-1")), "a:4"),
    ],
)
def test_flux_tells_hosts_and_cores(answer: str, hosts: str) -> None:
    found = managers.detect(FLUX, ask=answering({UP: answer}))
    assert (found.manager, in_short(found)) == ("flux", hosts)
    assert found.evidence == ("FLUX_URI", " ".join(UP))


def test_flux_of_an_older_version_is_asked_for_its_key() -> None:
    key = ("flux", "kvs", "get", "resource.R")
    found = managers.detect(FLUX, ask=answering({key: resources(["a"], ("0", "0-1"))}))
    assert (in_short(found), found.evidence[1]) == ("a:2", "flux kvs get resource.R")


def test_a_job_of_flux_has_its_own_resources_not_those_of_the_cluster() -> None:
    info = ("flux", "job", "info", "f23", "R")
    answers = {info: resources(["b"], ("1", "3")), UP: resources(["a", "b"], ("0-1", "0-9"))}
    found = managers.detect(FLUX | {"FLUX_JOB_ID": "f23"}, ask=answering(answers))
    assert (in_short(found), found.evidence[0]) == ("b:1", "FLUX_JOB_ID")


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON", "[]", "{}", "null", '{"execution": 1}', "[" * 100_000, resources([]),
        resources(["a"], ("0-1", "0")), resources(["a", "b"], ("0", "0")),
        resources(["a"], ("0", "x")), resources(["a["], ("0", "0")),
        resources(["a"], ("0-99999999", "0")), resources(["a[1-99999]"] * 9, ("0", "0")),
        '{"execution": {"nodelist": ["a"], "R_lite": [{"rank": "0", "children": {"gpu": "0"}}]}}',
    ],
    ids=lambda answer: answer[:20],
)  # fmt: skip
def test_flux_refused(answer: str) -> None:
    with pytest.raises(AllocationError, match="flux resource R"):
        managers.detect(FLUX, ask=answering({UP: answer}))


# Kubernetes.

LAUNCHER = {"K_MPI_JOB_ROLE": "launcher"}


@pytest.mark.parametrize(
    "variable",
    [
        "OMPI_MCA_orte_default_hostfile", "PRTE_MCA_prte_default_hostfile", "HYDRA_HOST_FILE",
        "I_MPI_HYDRA_HOST_FILE",
    ],
)  # fmt: skip
def test_kubernetes_has_two_spellings_of_slots(tmp_path: Path, variable: str) -> None:
    path = tmp_path / "hostfile"
    path.write_text("pi-worker-0.pi.default.svc slots=2\npi-worker-1.pi.default.svc:3\n\nx\n")
    found = managers.detect(LAUNCHER | {variable: str(path)})
    names = "pi-worker-0.pi.default.svc:2 pi-worker-1.pi.default.svc:3 x:1"
    assert (found.manager, in_short(found)) == ("kubernetes", names)
    assert found.evidence == ("K_MPI_JOB_ROLE", variable)


def test_kubernetes_without_variables_has_its_usual_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hostfile"
    monkeypatch.setattr(kubernetes, "HOST_FILE", str(path))
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert managers.detect(pod).local  # a pod of something else
    assert str(path) in refused(LAUNCHER)
    path.write_text("w0 slots=2\n")
    assert in_short(managers.detect(LAUNCHER)) == "w0:2"
    assert managers.detect(pod).evidence == (str(path),)


@pytest.mark.parametrize("text", ["", "w0 slots=0\n", "w0 slots=x\n", "-w0 slots=1\n"])
def test_kubernetes_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hostfile"
    path.write_text(text)
    assert f"HYDRA_HOST_FILE={path}" in refused(LAUNCHER | {"HYDRA_HOST_FILE": str(path)})


def test_a_worker_pod_is_no_launcher() -> None:
    assert "only the launcher's pod" in refused({"K_MPI_JOB_ROLE": "worker"})
