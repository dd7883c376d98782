"""PBS: node files, what OpenPBS tells by `qstat -f`, and Torque's variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import Allocation, AllocationError
from scoopmpi.launch.managers import pbs
from scoopmpi.launch.managers import qstat as answers
from scoopmpi.process.asking import asking, nobody
from tests.support.environments import answering, folder, in_short, qstat, recorded, samples

# A recorded job, its hosts by the node file and NCPUS, and by `qstat -f`, "" where not recorded.
RECORDED = [
    ("array_J0_3/index_2", "pbs2:1", ""),
    ("array_J10_20_step5/index_20", "pbs2:2", ""),
    ("cgroups_2chunks_ncpus1", "pbs1:2", "pbs1:2"),
    ("cgroups_ncpus1", "pbs1:1", "pbs1:1"),
    ("cgroups_ncpus2_mpiprocs2", "pbs1:2", "pbs1:2"),
    ("cgroups_walltime10", "pbs1:1", ""),
    ("chunk_across_vnodes_of_one_host", "pbs1:12", "pbs1:12"),
    ("mem_select", "pbs2:2 pbs3:2", "pbs2:2 pbs3:2"),
    ("mixed_pbs1_vnodes_and_pbs2", "pbs1:2/8 pbs2:4/8", "pbs1:2/16 pbs2:4"),
    ("mv_select2_ncpus2_mpiprocs2", "pbs1:4", "pbs1:4"),
    ("no_request", "pbs2:1", ""),
    ("no_script_dashdash", "pbs2:2", ""),
    ("nodes1_ppn1", "pbs2:1", ""),
    ("nodes2_noppn", "pbs2:1 pbs3:1", ""),
    ("nodes2_ppn2", "pbs2:2 pbs3:2", ""),
    ("nodes2_ppn2_mem", "pbs2:2 pbs3:2", ""),
    ("nodes2_ppn2_ncpus", "pbs2:2 pbs3:2", ""),
    ("nodes2_ppn8", "pbs2:8 pbs3:8", "pbs2:8 pbs3:8"),
    ("nodes_named", "pbs3:1 pbs2:1", ""),
    ("oldstyle_ncpus4_mpiprocs", "pbs2:4", ""),
    ("place_excl", "pbs2:2", "pbs2:2"),
    ("place_exclhost", "pbs2:2 pbs3:2", "pbs2:2 pbs3:2"),
    ("place_pack_2x2", "pbs2:4", "pbs2:4"),
    ("place_scatter_excl", "pbs2:1 pbs3:1", "pbs2:1 pbs3:1"),
    ("select1_ncpus2", "pbs2:2", "pbs2:2"),
    ("select1_nothing", "pbs2:1", "pbs2:1"),
    ("select2_ncpus2", "pbs2:2", "pbs2:4"),
    ("select2_ncpus2_mpiprocs1_omp2", "pbs2:2", "pbs2:2/4"),
    ("select2_ncpus2_mpiprocs1_omp2_scatter", "pbs2:2 pbs3:2", "pbs2:1/2 pbs3:1/2"),
    ("select2_ncpus2_mpiprocs2", "pbs2:4", "pbs2:4"),
    ("select2_ncpus2_mpiprocs2_scatter", "pbs2:2 pbs3:2", "pbs2:2 pbs3:2"),
    ("select2_ncpus2_scatter", "pbs2:2 pbs3:2", "pbs2:2 pbs3:2"),
    ("select2_ncpus4_mpiprocs2_omp1_scatter", "pbs2:2 pbs3:2", "pbs2:2/4 pbs3:2/4"),
    ("select2_ncpus4_mpiprocs2_scatter", "pbs2:2/4 pbs3:2/4", "pbs2:2/4 pbs3:2/4"),
    ("select2_ncpus8_mpiprocs8_scatter", "pbs2:8 pbs3:8", "pbs2:8 pbs3:8"),
    ("select2_ncpus8_scatter", "pbs2:8 pbs3:8", "pbs2:8 pbs3:8"),
    ("select3_nothing", "pbs2:3", "pbs2:3"),
    ("select4_ncpus1_free", "pbs2:4", "pbs2:4"),
    ("select_4_plus_2mpi2", "pbs2:3/4", "pbs2:3/6"),
    ("select_4_plus_2mpi2_scatter", "pbs2:1/4 pbs3:2/4", "pbs2:1/4 pbs3:2"),
    ("select_mpiprocs_gt_ncpus", "pbs2:4", "pbs2:4/2"),
    ("stdin_script", "pbs2:2", ""),
    ("three_hosts_scatter", "pbs1:2 pbs2:2 pbs3:2", "pbs1:2 pbs2:2 pbs3:2"),
]


@pytest.mark.parametrize(("name", "guided", "told"), RECORDED, ids=[row[0] for row in RECORDED])
def test_recorded(name: str, guided: str, told: str) -> None:
    env, ask = recorded(f"openpbs/{name}"), qstat(f"openpbs/{name}")
    found = managers.detect(env)
    assert (found.manager, in_short(found)) == ("pbs", guided)
    assert found.evidence == ("PBS_NODEFILE", "NCPUS")
    assert found.notes[0].startswith("`qstat -f` does not answer")
    assert bool(ask) == bool(told)
    if ask is not None:
        found = managers.detect(env, ask=ask)
        assert (in_short(found), found.notes) == (told, ())
        assert found.evidence == ("PBS_NODEFILE", "qstat -f")


def test_the_table_has_all_that_was_recorded() -> None:
    assert samples("openpbs") == [f"openpbs/{name}" for name, *_ in sorted(RECORDED)]


def job(tmp_path: Path, lines: str, **more: str) -> dict[str, str]:
    """A job with a line of the node file for each word."""
    path = tmp_path / "nodes"
    path.write_text("".join(f"{word}\n" for word in lines.split()))
    return {"PBS_JOBID": "7.s", "PBS_NODEFILE": str(path), **more}


def told(env: dict[str, str], **attributes: str) -> Allocation:
    """With an answer of `qstat -f`; `select` stands for its attribute."""
    attributes["Resource_List.select"] = attributes.pop("select", "1")
    lines = [f"    {name} = {value}\n" for name, value in attributes.items()]
    text = "".join([f"Job Id: {attributes.pop('id', env['PBS_JOBID'])}\n", *lines])
    return managers.detect(env, ask=answering({("qstat", "-f", env["PBS_JOBID"]): text}))


# What qstat tells.


def test_long_lines_go_on_after_a_tab(tmp_path: Path) -> None:
    vnodes = "(n1:ncpus=4:mem=10485\n\t76kb:ngpus=1)+(n2:nc\n\tpus=2)"
    env = job(tmp_path, "n1 n2", NCPUS="4")
    found = told(
        env, exec_host="n1/0*4+n\n\t2/0*2", exec_vnode=vnodes, select="1:ncpus=4+1:ncpus=2"
    )
    assert in_short(found) == "n1:4 n2:2"


def test_ompthreads_without_mpiprocs_share_the_cores_of_a_chunk(tmp_path: Path) -> None:
    env = job(tmp_path, "n1 n2", NCPUS="4", OMP_NUM_THREADS="4")
    found = told(
        env, exec_host="n1/0*8+n2/0*6", exec_vnode="(n1:ncpus=8)+(n2:ncpus=6)",
        select="1:ncpus=8:ompthreads=4+1:ncpus=6",
    )  # fmt: skip
    assert in_short(found) == "n1:2/8 n2:6"


def test_more_ompthreads_than_cores_are_one_worker(tmp_path: Path) -> None:
    found = told(
        job(tmp_path, "n1"), exec_host="n1/0*2", exec_vnode="(n1:ncpus=2)",
        select="1:ncpus=2:ompthreads=4",
    )  # fmt: skip
    assert in_short(found) == "n1:1/2"


def test_a_chunk_without_mpiprocs_has_cores_and_no_worker(tmp_path: Path) -> None:
    found = told(
        job(tmp_path, "n2 n2"), exec_host="n1/0*4+n2/0*8", exec_vnode="(n1:ncpus=4)+(n2:ncpus=8)",
        select="1:ncpus=4:mpiprocs=0+1:ncpus=8:mpiprocs=2",
    )  # fmt: skip
    assert in_short(found) == "n2:2/8"


def test_short_names_in_qstat_are_the_long_ones_of_the_node_file(tmp_path: Path) -> None:
    env = job(tmp_path, "n1.cluster.org n2.cluster.org")
    found = told(
        env, exec_host="n1/0*8+n2/0*8", exec_vnode="(n1[0]:ncpus=8)+(n2[1]:ncpus=8)",
        select="2:ncpus=8",
    )  # fmt: skip
    assert in_short(found) == "n1.cluster.org:8 n2.cluster.org:8"


def test_vnodes_name_the_host_where_exec_host_is_of_another_length(tmp_path: Path) -> None:
    found = told(
        job(tmp_path, "n1"), exec_host="n1/0*2+n1/1*2", select="1:ncpus=4",
        exec_vnode="(n1[0]:ncpus=2+n1[1]:ncpus=2)",
    )  # fmt: skip
    assert in_short(found) == "n1:4"


def test_released_chunks_are_missing_in_exec_vnode_only(tmp_path: Path) -> None:
    found = told(
        job(tmp_path, "n1 n2"), exec_host="n1/0*4+n2/0*4", exec_vnode="(n1:ncpus=4)+(n2:ncpus=4)",
        select="3:ncpus=4:ompthreads=2",
    )  # fmt: skip
    assert in_short(found) == "n1:2/4 n2:2/4"


@pytest.mark.parametrize(("own", "printed"), [("7.s.org", "7.s"), ("7[3].s", "7[3].s.org")])
def test_the_server_may_be_spelt_in_another_way(tmp_path: Path, own: str, printed: str) -> None:
    env = job(tmp_path, "n1", PBS_JOBID=own)
    found = told(env, id=printed, exec_host="n1/0", exec_vnode="(n1:ncpus=3)", select="1:ncpus=3")
    assert in_short(found) == "n1:3"


GOOD = {"exec_host": "n1/0*3", "exec_vnode": "(n1:ncpus=3)", "select": "1:ncpus=3"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "8.s"},
        {"id": "7[].s"},
        {"exec_host": "n2/0*3", "exec_vnode": "(n2:ncpus=3)"},
        {"exec_host": "n1/0*3+n2/0*3", "exec_vnode": "(n1:ncpus=3)+(n2:ncpus=3)"},
        {"exec_vnode": ""},
        {"exec_vnode": "(n1:mem=3kb)"},
        {"exec_vnode": "(n1:ncpus=many)"},
        {"select": "1:ncpus=3:ompthreads=3+1:ncpus=3"},
        {"select": ""},
        {"select": "999999999:ncpus=1+1:x=y"},
    ],
    ids=str,
)
def test_qstat_about_another_job_or_hosts_is_not_believed(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    found = told(job(tmp_path, "n1", NCPUS="2"), **{**GOOD, **wrong})
    assert (in_short(found), found.evidence) == ("n1:2", ("PBS_NODEFILE", "NCPUS"))
    assert found.notes[0].startswith("`qstat -f` does not tell of these hosts")


def test_qstat_is_asked_with_the_whole_number_of_an_array_element() -> None:
    asked: list[object] = []
    managers.detect(recorded("pbs_array"), ask=lambda words: asked.append(words))
    assert asked == [("qstat", "-f", "56[2].pbs1")]


@pytest.mark.parametrize(
    ("script", "evidence"),
    [
        ('[ "$*" = "-f 56[2].pbs1" ] && cat "$ANSWER"', "qstat -f"),
        ("exit 1", "NCPUS"),
        ('cat "$ANSWER"; exit 1', "NCPUS"),
        ("exec sleep 60", "NCPUS"),
    ],
    ids=["answers", "fails", "answers and fails", "hangs"],
)
def test_a_real_qstat_on_path(tmp_path: Path, script: str, evidence: str) -> None:
    (tmp_path / "qstat").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "qstat").chmod(0o755)
    said = "exec_host = pbs2/0\nexec_vnode = (pbs2:ncpus=1)\nResource_List.select = 1:ncpus=1\n"
    (tmp_path / "answer").write_text(f"Job Id: 56[2].pbs1\n{said}")
    env = recorded("pbs_array") | {
        "PATH": f"{tmp_path}:/usr/bin:/bin", "ANSWER": str(tmp_path / "answer"),
    }  # fmt: skip
    seconds = 0.5 if "sleep" in script else 20
    found = managers.detect(env, ask=asking(env, seconds))
    assert (in_short(found), found.evidence[1]) == ("pbs2:1", evidence)


def test_recorded_answers_have_the_chunks_with_their_hosts() -> None:
    text = (folder("openpbs/mv_select2_ncpus2_mpiprocs2") / "qstat_f.txt").read_text()
    chunk = answers.Chunk("pbs1", 2, mpiprocs=2, threads=None)
    assert answers.chunks(text, "3.pbs1") == [chunk, chunk]


# By the node file.


@pytest.mark.parametrize(
    ("lines", "more", "hosts"),
    [
        ("b a b a b", {}, "b:3 a:2"),
        ("a b", {"NCPUS": "8"}, "a:8 b:8"),
        ("a b", {"NCPUS": "1"}, "a:1 b:1"),
        ("a a b", {"NCPUS": "8"}, "a:2/8 b:1/8"),
        ("a a a", {"NCPUS": "2"}, "a:3"),
        ("a b", {}, "a:1 b:1"),
    ],
)
def test_without_qstat(tmp_path: Path, lines: str, more: dict[str, str], hosts: str) -> None:
    assert in_short(managers.detect(job(tmp_path, lines, **more))) == hosts


def test_blank_lines_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    env = job(tmp_path, "")
    Path(env["PBS_NODEFILE"]).write_bytes(b"\nb\na\n\n  b \na\r\nb\n\n")
    assert in_short(managers.detect(env)) == "b:3 a:2"


@pytest.mark.parametrize(
    "content",
    [b"b a b a b", b"b a b a b\r\n", b"  b\ta b \n\na b  \n", b"b a\r\nb a\r\nb", b"b b b a a"],
)
def test_hosts_may_stand_on_one_line(tmp_path: Path, content: bytes) -> None:
    env = job(tmp_path, "")
    Path(env["PBS_NODEFILE"]).write_bytes(content)
    assert in_short(managers.detect(env)) == "b:3 a:2"


@pytest.mark.parametrize("text", ["a 2\n", "a 2 b 1\n", "a 2 all.q UNDEFINED\n"])
def test_what_has_numbers_is_another_kind_of_file(tmp_path: Path, text: str) -> None:
    env = job(tmp_path, "")
    Path(env["PBS_NODEFILE"]).write_text(text)
    with pytest.raises(AllocationError, match="is no host name"):
        managers.detect(env)


def test_one_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    env = job(tmp_path, "")
    Path(env["PBS_NODEFILE"]).write_text("a " * (2**21 + 1))
    with pytest.raises(AllocationError, match="names more than 2097152 hosts"):
        managers.detect(env)


@pytest.mark.parametrize("text", ["", "\n \n", "a:2\n", "a slots=2\n", "--help\n", "a,b\n", "\0\n"])
def test_node_file_refused(tmp_path: Path, text: str) -> None:
    env = job(tmp_path, "")
    Path(env["PBS_NODEFILE"]).write_text(text)
    with pytest.raises(AllocationError, match="PBS_NODEFILE="):
        managers.detect(env)


@pytest.mark.parametrize("path", ["/nowhere/nodes", "/", "/dev/zero", "a\0b"])
def test_what_is_no_file_is_no_node_file(path: str) -> None:
    with pytest.raises(AllocationError, match="PBS_NODEFILE="):
        managers.detect({"PBS_JOBID": "7.s", "PBS_NODEFILE": path})


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AllocationError, match="no regular file"):
        managers.detect({"PBS_JOBID": "7.s", "PBS_NODEFILE": str(tmp_path / "pipe")})


def test_an_interactive_job_and_one_without_number_have_their_node_file(tmp_path: Path) -> None:
    interactive = job(tmp_path, "a a", PBS_ENVIRONMENT="PBS_INTERACTIVE")
    assert in_short(managers.detect(interactive)) == "a:2"
    without = {name: value for name, value in interactive.items() if name != "PBS_JOBID"}
    assert in_short(managers.detect(without)) == "a:2"


@pytest.mark.parametrize("value", ["many", "0", "-1", "²"])
def test_ncpus_that_is_no_number_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(AllocationError, match=f"NCPUS={value}"):
        managers.detect(job(tmp_path, "a", NCPUS=value))


# Torque.


@pytest.mark.parametrize(
    ("lines", "more", "hosts"),
    [
        ("a a b b", {"PBS_NP": "4", "PBS_NUM_NODES": "2", "PBS_NUM_PPN": "2"}, "a:2 b:2"),
        # nodes=1:ppn=3+1:ppn=1, where PBS_NUM_PPN is of the first
        ("a a a b", {"PBS_NP": "4", "PBS_NUM_NODES": "2", "PBS_NUM_PPN": "3"}, "a:3 b:1"),
        # sites with one line for each host
        ("a b", {"PBS_NP": "16", "PBS_NUM_NODES": "2", "PBS_NUM_PPN": "8"}, "a:8 b:8"),
        ("a b", {"PBS_NP": "16", "PBS_PPN": "8"}, "a:8 b:8"),
        ("a a", {"PBS_NUM_PPN": "2"}, "a:2"),
        # what is set besides means nothing there
        ("a b", {"PBS_NP": "2", "NCPUS": "8"}, "a:1 b:1"),
    ],
)
def test_torque(tmp_path: Path, lines: str, more: dict[str, str], hosts: str) -> None:
    def ask(words: object) -> str | None:
        raise AssertionError("Torque's node file needs no qstat")

    assert in_short(managers.detect(job(tmp_path, lines, **more), ask=ask)) == hosts


@pytest.mark.parametrize(
    "more", [{"PBS_NP": "8"}, {"PBS_NP": "3", "PBS_NUM_PPN": "2"}, {"PBS_NP": "x"}]
)
def test_torque_contradicting_itself(tmp_path: Path, more: dict[str, str]) -> None:
    with pytest.raises(AllocationError, match=f"PBS_NP={more['PBS_NP']}"):
        managers.detect(job(tmp_path, "a a", **more), ask=nobody)


@pytest.mark.parametrize(("text", "odd"), [("n1 n1 n2\n", True), ("n1\nn1\nn2\n", False)])
def test_a_launcher_does_not_see_a_node_file_that_it_would_misread(
    tmp_path: Path, text: str, odd: bool
) -> None:
    """Open MPI 5 takes a line for a host."""
    (tmp_path / "nodes").write_text(text)
    env = {"PBS_JOBID": "1.s", "PBS_NODEFILE": str(tmp_path / "nodes"), "PBS_ENVIRONMENT": "X"}
    found = pbs.allocation(env, nobody)
    assert found is not None
    assert [(host.name, host.slots) for host in found.hosts] == [("n1", 2), ("n2", 1)]
    assert set(found.stale) == ({"PBS_NODEFILE", "PBS_ENVIRONMENT"} if odd else set())
