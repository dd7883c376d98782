"""Variables of two batch systems in one environment: whose job it is, and what is said of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import AllocationError
from scoopmpi.launch.managers import ancestors
from tests.support.environments import answering, in_short, recorded
from tests.support.libraries import ROOT
from tests.support.wrappers import Prefix
from tests.support.wrappers import prefix as prefix

HERE = socket.gethostname().partition(".")[0]


def slurm(host: str, **more: str) -> dict[str, str]:
    return {
        "SLURM_JOB_ID": "41", "SLURM_JOB_NODELIST": host, "SLURM_JOB_CPUS_PER_NODE": "4",
        "SLURM_TASKS_PER_NODE": "4", **more,
    }  # fmt: skip


def pbs(tmp_path: Path, host: str, **more: str) -> dict[str, str]:
    (tmp_path / "nodes").write_text(f"{host}\n{host}\n")
    return {
        "PBS_JOBID": "7.s", "PBS_NODEFILE": str(tmp_path / "nodes"), "PBS_NP": "2", **more,
    }  # fmt: skip


def sge(tmp_path: Path, host: str) -> dict[str, str]:
    (tmp_path / "pe").write_text(f"{host} 3 all.q@{host} UNDEFINED\n")
    return {"PE_HOSTFILE": str(tmp_path / "pe"), "NSLOTS": "3", "JOB_ID": "5"}


def lsf(host: str) -> dict[str, str]:
    return {"LSB_JOBID": "9", "LSB_MCPU_HOSTS": f"{host} 5"}


def systems(tmp_path: Path, host: str) -> dict[str, dict[str, str]]:
    return {
        "slurm": slurm(host), "pbs": pbs(tmp_path, host), "lsf": lsf(host),
        "sge": sge(tmp_path, host),
    }  # fmt: skip


PAIRS = [
    (own, stale)
    for own in ("slurm", "pbs", "lsf", "sge")
    for stale in ("slurm", "pbs", "lsf", "sge")
    if own != stale
]


@pytest.mark.parametrize(("own", "stale"), PAIRS)
def test_the_system_counts_whose_job_has_this_host(tmp_path: Path, own: str, stale: str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    env = systems(tmp_path / "a", "far")[stale] | systems(tmp_path / "b", HERE)[own]
    found = managers.detect(env)
    assert (found.manager, {host.name for host in found.hosts}) == (own, {HERE})
    assert managers.present(env) == [own, stale, "local"]
    spoken = {"slurm": "Slurm", "pbs": "PBS", "lsf": "LSF", "sge": "Grid Engine"}
    (warning,) = found.warnings
    assert warning.startswith(f"the variables of {spoken[stale]} are there too")
    assert f"taken are the hosts of {spoken[own]} (--sched={stale} takes the others)" in warning
    assert managers.detect(env, stale).manager == stale
    assert managers.detect(env, stale).warnings == ()
    hidden = managers.detect(env).stale
    assert hidden and set(hidden) <= set(systems(tmp_path, "far")[stale])
    assert set(managers.detect(env, stale).stale) <= set(systems(tmp_path, HERE)[own])
    assert managers.detect({name: env[name] for name in env if name not in hidden}).warnings == ()


@pytest.mark.parametrize(("own", "stale"), PAIRS)
def test_the_daemon_above_us_knows_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, stale: str
) -> None:
    monkeypatch.setattr(ancestors, "manager", lambda _: own)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    env = systems(tmp_path / "a", HERE)[stale] | systems(tmp_path / "b", "launch")[own]
    assert managers.detect(env).manager == own
    monkeypatch.setattr(ancestors, "manager", lambda _: "flux")  # whose variables are not there
    assert managers.detect(env).manager == stale


def test_where_nothing_tells_the_first_counts_and_the_other_is_named() -> None:
    found = managers.detect(recorded("pbs_2x8") | recorded("slurm_n4"))
    assert found.manager == "slurm"
    assert "the variables of PBS are there too" in found.warnings[0]


def test_what_is_left_of_another_job_does_no_harm(tmp_path: Path) -> None:
    gone = pbs(tmp_path, "far") | {"PBS_NODEFILE": "/nowhere/nodes"}
    found = managers.detect(slurm("far") | gone)
    assert (found.manager, len(found.warnings)) == ("slurm", 1)
    found = managers.detect(pbs(tmp_path, HERE) | {"SLURM_JOB_ID": "41"})
    assert found.manager == "pbs" and "Slurm" in found.warnings[0]
    with pytest.raises(AllocationError, match="SLURM_JOB_NODELIST is not set"):
        managers.detect(pbs(tmp_path, "far") | {"SLURM_JOB_ID": "41"})


def test_slurms_own_qsub_is_not_another_job(tmp_path: Path) -> None:
    env = slurm("far") | pbs(tmp_path, HERE, PBS_JOBID="41")
    found = managers.detect(env)
    assert (found.manager, found.warnings) == ("slurm", ())
    assert managers.present(env) == ["slurm", "local"]


def test_an_instance_of_flux_within_a_job_needs_no_word() -> None:
    resources = (
        '{"execution": {"R_lite": [{"rank": "0", "children": {"core": "0"}}], "nodelist": ["f"]}}'
    )
    ask = answering({("flux", "resource", "R", "-s", "up"): resources})
    found = managers.detect(slurm(HERE) | {"FLUX_URI": "local:///run/flux/local"}, ask=ask)
    assert (found.manager, found.warnings) == ("flux", ())


def test_only_the_system_that_counts_is_asked(tmp_path: Path) -> None:
    asked: list[object] = []
    env = slurm(HERE) | {
        name: text for name, text in pbs(tmp_path, "far").items() if "NP" not in name
    }
    managers.detect(env, ask=lambda words: asked.append(words))
    assert asked == []
    env = slurm("far") | {
        name: text for name, text in pbs(tmp_path, HERE).items() if "NP" not in name
    }
    managers.detect(env, ask=lambda words: asked.append(words))
    assert asked == [("qstat", "-f", "7.s")]


# The ancestors.


def test_the_nearest_daemon_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = {
        "self": ("python", 40), "40": ("bash", 30), "30": ("pbs_mom", 20), "20": ("slurmstepd", 1),
        "1": ("init", 0), "50": ("bash", 51), "51": ("bash", 50),
    }  # fmt: skip
    for number, (name, parent) in processes.items():
        (tmp_path / number).mkdir()
        (tmp_path / number / "status").write_text(f"Name:\t{name}\nUmask:\t0022\nPPid:\t{parent}\n")
    monkeypatch.setattr(ancestors, "ROOT", tmp_path)
    assert ancestors.manager(managers.DAEMONS) == "pbs"
    (tmp_path / "30" / "status").write_text("Name:\tbash\nPPid:\t20\n")
    assert ancestors.manager(managers.DAEMONS) == "slurm"
    (tmp_path / "20" / "status").write_text("Name:\tbash\nPPid:\t1\n")
    assert ancestors.manager(managers.DAEMONS) is None
    (tmp_path / "self" / "status").write_text("Name:\tbash\nPPid:\t50\n")
    assert ancestors.manager(managers.DAEMONS) is None, "a circle ends too"
    monkeypatch.setattr(ancestors, "ROOT", tmp_path / "nowhere")
    assert ancestors.manager(managers.DAEMONS) is None


@pytest.mark.ranks
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux only")
def test_a_real_ancestor(tmp_path: Path) -> None:
    """`exec -a` does not change the name in /proc; a copy of the shell does."""
    (tmp_path / "pbs_mom").write_bytes(Path("/bin/sh").read_bytes())
    (tmp_path / "pbs_mom").chmod(0o755)
    code = "from scoopmpi.launch.managers import *; print(ancestors.manager(DAEMONS))"
    done = subprocess.run(
        [str(tmp_path / "pbs_mom"), "-c", '"$@"; true', "sh", sys.executable, "-c", code],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.stdout == "pbs\n", done.stderr


# As a user sees it.


def test_a_plain_run_says_that_there_is_another(prefix: Prefix, tmp_path: Path) -> None:
    env = slurm("far") | pbs(tmp_path, HERE)
    for done in (
        prefix.myscoop("--dry-run", "squares", **env),
        prefix.myscoop("squares", **env),
        prefix.run(
            prefix.command("scoop"),
            "squares.py",
            cwd=ROOT / "jobscripts",
            **env,
        ),
    ):
        assert done.returncode == 0
        assert f"{HERE}:3" in done.stdout
        shown = done.stderr.count("the variables of Slurm are there too")
        assert shown == ("mpirun --host" not in done.stdout)
        if "mpirun --host" not in done.stdout:
            _, seen = json.loads(done.stdout)
            assert not [name for name in seen if name.startswith("SLURM")], "mpirun believes them"
            assert seen["PBS_JOBID"] == "7.s"
    quiet = prefix.myscoop("--quiet", "squares", **env)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert "the variables of Slurm are there too" in prefix.myscoop(
        "--explain", **env
    ).stdout.replace("\n  ", " ").replace("              ", "")


def test_a_qstat_that_does_not_answer_is_told(prefix: Prefix, tmp_path: Path) -> None:
    (prefix.path / "bin" / "qstat").write_text("#!/bin/sh\nexec sleep 60\n")
    (prefix.path / "bin" / "qstat").chmod(0o755)
    env = {name: text for name, text in pbs(tmp_path, HERE, NCPUS="2").items() if name != "PBS_NP"}
    env["PATH"] = f"{prefix.path / 'bin'}:/usr/bin:/bin"
    done = prefix.myscoop("squares", **env)
    assert done.returncode == 0
    waits, says = done.stderr.splitlines()
    assert waits == "scoopmpi: `qstat -f 7.s` has not answered for 2 s; it has 8 s more"
    assert says.startswith("myscoop: `qstat -f` does not answer: workers and cores follow from")


def test_a_qstat_that_fails_is_told_at_once(prefix: Prefix, tmp_path: Path) -> None:
    env = {name: text for name, text in pbs(tmp_path, HERE, NCPUS="2").items() if name != "PBS_NP"}
    done = prefix.myscoop("squares", **env)
    (says,) = done.stderr.splitlines()
    assert says.startswith("myscoop: `qstat -f` does not answer: workers and cores follow from")
    assert in_short(managers.detect(env)) == f"{HERE}:2"
    assert prefix.myscoop("-v", "squares", **env).stderr.count("does not answer: workers") == 1
    assert prefix.myscoop("--quiet", "squares", **env).stderr == ""
