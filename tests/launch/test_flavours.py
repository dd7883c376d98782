"""Ranks in, the launcher's whole command line out; and whose library and launcher is whose."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from scoopmpi.launch.flavours import (
    ALIASES,
    FLAVOURS,
    NAMES,
    cray,
    intelmpi,
    mpich,
    mvapich,
    named,
    of_launcher,
    of_library,
    openmpi,
    srun,
)
from scoopmpi.launch.flavours.command_line import CommandLine
from scoopmpi.launch.flavours.ranks import LaunchError
from scoopmpi.launch.hosts.allocation import Host
from tests.support.launches import asking

OPENMPI_5 = "Open MPI v5.0.11, package: Open MPI user@localhost Distribution, ident: 5.0.11"
OPENMPI_4 = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4"
MPICH = "MPICH Version:      5.0.2"
INTEL = "Intel(R) MPI Library 2021.17 for Linux* OS"
MVAPICH_2 = "MVAPICH2 Version      :\t2.3.7"
MVAPICH_4 = "MVAPICH Version:      4.0"
CRAY = "MPI VERSION    : CRAY MPICH version 8.1.25.17 (ANL base 3.4a2)"

MPIRUN_5 = "mpirun (Open MPI) 5.0.11\n\nReport bugs to https://www.open-mpi.org/community/help/\n"
MPIRUN_4 = "mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/\n"
MPIRUN_DEBIAN = "mpirun.openmpi (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/\n"
HYDRA = "HYDRA build details:\n    Version: 5.0.2\n    Release Date: Fri Sep 25 20:45:26 UTC 2026\n"
HYDRA_MVAPICH = "HYDRA build details:\n    Configure options: '--prefix=/opt/mvapich2-2.3.7'\n"
MPIRUN_INTEL = "Intel(R) MPI Library for Linux* OS, Version 2021.17 Build 20251011 (id: ad3b4c1)\n"
PALS = "mpiexec (PALS) 1.2.3\n"
MPIEXEC = "mpiexec version 1.7.1\n"
SRUN = "slurm-wlm 22.05.8\n"

PROGRAM = ("python", "-m", "scoopmpi", "squares", "none", "-bind-to", "a b", "")
"""The program's own words may look like a launcher's."""
ENV = {"PATH": "/opt/mpi/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": "/h", "PYTHONPATH": "/p"}
EXPORTED = "-x OMP_NUM_THREADS -x PATH -x PYTHONPATH"
LOCAL: dict[str, Any] = {"hosts": (Host("localhost", 3, 2),)}
BATCH: dict[str, Any] = {"hosts": (Host("a", 9, 8), Host("b", 8)), "manager": "pbs"}
UNEQUAL: dict[str, Any] = {"hosts": (Host("a", 3, 8), Host("b", 1, 2)), "manager": "sge"}
SLURM: dict[str, Any] = {**BATCH, "manager": "slurm"}
EQUAL: dict[str, Any] = {"hosts": (Host("a", 2, 8), Host("b", 2, 8)), "manager": "slurm"}


def command(flavour: ModuleType, library: str, **wanted: Any) -> CommandLine:
    ranks = asking(**{"program": PROGRAM, "env": ENV, "library": library, **wanted})
    name = "srun" if flavour is srun else "mpiexec" if flavour is cray else "mpirun"
    found: CommandLine = flavour.command_line(f"/opt/mpi/bin/{name}", ranks)
    return found


def options(flavour: ModuleType, library: str, **wanted: Any) -> str:
    """The launcher's own words, in which nothing here has a space."""
    argv = command(flavour, library, **wanted).argv
    assert argv[-len(PROGRAM) :] == PROGRAM
    return " ".join(argv[1 : -len(PROGRAM)])


ALONE = "--mca rtc_hwloc_vmhole none"
FREE = "--map-by slot:OVERSUBSCRIBE --bind-to none"
RAW = "--output :raw"
SRUN_TAIL = "--export=ALL --input=0 --kill-on-bad-exit=1"
NAMES_17 = ",".join(["a"] * 9 + ["b"] * 8)


@pytest.mark.parametrize(
    ("flavour", "library", "ranks", "expected"),
    [
        (openmpi, OPENMPI_5, LOCAL, f"--host localhost:3 {FREE} --mca btl ^ofi {RAW} -n 3"),
        (openmpi, OPENMPI_5, BATCH, f"--host a:9,b:8 {FREE} {RAW} {EXPORTED} -n 17"),
        (openmpi, OPENMPI_4, UNEQUAL, f"--host a:3,b:1 {FREE} {ALONE} {EXPORTED} -n 4"),
        (mpich, MPICH, LOCAL, "-bind-to none -launcher fork -hosts localhost:3 -n 3"),
        (mpich, MPICH, BATCH, "-bind-to none -hosts a:9,b:8 -n 17"),
        (mpich, MPICH, UNEQUAL, "-bind-to none -hosts a:3,b:1 -n 4"),
        (
            mvapich, MVAPICH_2, BATCH,
            "-bind-to none -genv MV2_ENABLE_AFFINITY 0 -hosts a:9,b:8 -n 17",
        ),
        (
            mvapich, MVAPICH_4, BATCH,
            "-bind-to none -genv MVP_ENABLE_AFFINITY 0 -hosts a:9,b:8 -n 17",
        ),
        (
            srun, MPICH, SLURM,
            f"--mpi=pmi2 --nodes=2 --nodelist={NAMES_17} --distribution=arbitrary --overcommit "
            f"--cpu-bind=none {SRUN_TAIL} --ntasks=17",
        ),
        (
            cray, CRAY, BATCH,
            "--hosts a,b --no-transfer --envall --cpu-bind none --np 17",
        ),
        (
            cray, CRAY, EQUAL,
            "--hosts a,b --ppn 2 --no-transfer --envall --cpu-bind none --np 4",
        ),
    ],
)  # fmt: skip
def test_command_line(
    flavour: ModuleType, library: str, ranks: dict[str, Any], expected: str
) -> None:
    assert options(flavour, library, **ranks) == expected


def test_intel_has_a_set_of_arguments_for_each_host() -> None:
    """It takes the numbers of `-hosts a:9,b:8` for nothing, and places by its own count."""
    argv = command(intelmpi, INTEL, **BATCH).argv
    assert argv[1:6] == ("-genv", "I_MPI_PIN", "0", "-launcher", "pbs")
    first = ("-host", "a", "-n", "9", *PROGRAM)
    assert argv[6:] == (*first, ":", "-host", "b", "-n", "8", *PROGRAM)


def test_intels_hydra_is_told_of_the_batch_system_unless_the_user_has_chosen() -> None:
    """Its mpirun would find that out, but hands no signal on."""
    assert intelmpi.LAUNCHERS[0] == "mpiexec.hydra"
    for manager, known in (("slurm", True), ("sge", True), ("lsf", True), ("oar", False)):
        argv = command(intelmpi, INTEL, **{**BATCH, "manager": manager}).argv
        assert (f"-launcher {manager}" in " ".join(argv)) is known
        chosen = {**ENV, "I_MPI_HYDRA_BOOTSTRAP": "ssh"}
        argv = command(intelmpi, INTEL, **{**BATCH, "manager": manager, "env": chosen}).argv
        assert "-launcher" not in argv


def test_aprun_has_a_set_of_arguments_for_each_node() -> None:
    hosts = (Host("nid00012", 2, 8), Host("nid00103", 1, 8))
    ranks = asking(hosts, PROGRAM, ENV, {"OMP_NUM_THREADS": "4"}, "pbs", CRAY)
    argv = cray.command_line("/opt/cray/bin/aprun", ranks).argv
    first = "-n 2 -N 2 -L 12 -cc none"
    second = "-n 1 -N 1 -L 103 -cc none"
    assert argv[1:3] == ("-e", "OMP_NUM_THREADS=4")
    assert argv[3:] == (*first.split(), *PROGRAM, ":", *second.split(), *PROGRAM)


@pytest.mark.parametrize(
    ("mpirun", "hosts", "said"),
    [
        ("mpiexec", (Host("a", 5), Host("b", 3)), "PALS cannot place .*a 5, b 3.*--hybrid"),
        ("mpiexec", (Host("a", 3), Host("b", 4)), "PALS cannot place"),
        ("aprun", (Host("a", 9, 8),), "9 on the 8 cores of a.*--universe"),
    ],
)
def test_what_cray_cannot_say_is_refused(mpirun: str, hosts: tuple[Host], said: str) -> None:
    with pytest.raises(LaunchError, match=said):
        cray.command_line(f"/opt/bin/{mpirun}", asking(hosts, PROGRAM, ENV, library=CRAY))


EVERY = [
    (openmpi, OPENMPI_5), (openmpi, OPENMPI_4), (mpich, MPICH), (intelmpi, INTEL),
    (mvapich, MVAPICH_2), (mvapich, MVAPICH_4), (cray, CRAY), (srun, OPENMPI_5), (srun, CRAY),
]  # fmt: skip
EACH = pytest.mark.parametrize(("flavour", "library"), EVERY)


@EACH
@pytest.mark.parametrize(
    ("spread", "pinning"),
    [(False, "compact"), (True, "spread")],
)
def test_binding(flavour: ModuleType, library: str, spread: bool, pinning: str) -> None:
    """Four cores for each of two ranks on a host."""
    found = options(flavour, library, **EQUAL, pinning=pinning, threads=4)
    expected = {
        (openmpi, OPENMPI_5): (
            "--map-by package:PE=4 --bind-to core:overload-allowed --prtemca ras ^slurm,"
            if spread
            else f"--map-by slot:PE=4:OVERSUBSCRIBE --bind-to core:overload-allowed {RAW} -x "
        ),
        (openmpi, OPENMPI_4): "--map-by socket:PE=4 --bind-to core" if spread
        else "--map-by slot:PE=4:OVERSUBSCRIBE --bind-to core",
        (intelmpi, INTEL): "-genv I_MPI_PIN 1 -genv I_MPI_PIN_CELL core -genv I_MPI_PIN_DOMAIN 4:"
        + ("scatter" if spread else "compact"),
        (cray, CRAY): "--cpu-bind depth --depth 4",
    }.get((flavour, library))  # fmt: skip
    if flavour is srun:
        expected = "--distribution=arbitrary --cpus-per-task=4 --cpu-bind=cores"
        assert "--overcommit" not in found
    if expected is None:
        expected = "-bind-to core:4" + " -map-by socket" * spread
    assert expected in found


@EACH
def test_no_binding_where_ranks_want_more_cores_than_there_are(
    flavour: ModuleType, library: str
) -> None:
    """Open MPI 5 refuses that, others put two ranks on a core and leave another idle."""
    free = options(flavour, library, **EQUAL)
    for pinning in ("compact", "spread"):
        assert options(flavour, library, **EQUAL, pinning=pinning, threads=5) == free


@EACH
def test_the_users_words_stand_behind_ours_and_before_the_program(
    flavour: ModuleType, library: str
) -> None:
    argv = command(flavour, library, **EQUAL, mpirun_options=("--foo", "x y")).argv
    place = argv.index("--foo")
    assert argv[place + 1] == "x y"
    assert 0 < place < argv.index("python")


@EACH
def test_the_word_that_begins_another_program_is_refused(flavour: ModuleType, library: str) -> None:
    with pytest.raises(LaunchError, match="':' as an argument"):
        command(flavour, library, **EQUAL, program=("python", "x", ":", "y"))
    command(flavour, library, **EQUAL, program=("python", "x", "1:3", "::"))


@EACH
def test_variables_have_their_values_unchanged(flavour: ModuleType, library: str) -> None:
    value = "a;b,c d $HOME 'q' =x:y`z`"
    found = command(flavour, library, **EQUAL, variables={"OMP_PLACES": value})
    if flavour is srun:
        assert found.env["OMP_PLACES"] == value
    elif flavour in (openmpi, cray):
        assert found.argv.count(f"OMP_PLACES={value}") == 1
    else:
        place = found.argv.index("OMP_PLACES")
        assert found.argv[place - 1 : place + 2] == ("-genv", "OMP_PLACES", value)


# Remote shells, debugging, trees.


@pytest.mark.parametrize(
    ("flavour", "library", "agent", "expected"),
    [
        (openmpi, OPENMPI_4, "oarsh", "--mca plm rsh --mca plm_rsh_agent oarsh"),
        (openmpi, OPENMPI_5, "oarsh", "--prtemca plm ssh --prtemca plm_ssh_agent oarsh"),
        (openmpi, OPENMPI_5, "slurm", "--prtemca plm slurm"),
        (openmpi, OPENMPI_4, "pbs", "--mca plm tm"),
        (mpich, MPICH, "oarsh", "-launcher ssh -launcher-exec oarsh"),
        (mpich, MPICH, "/opt/my ssh", "-launcher ssh -launcher-exec /opt/my ssh"),
        (mpich, MPICH, "slurm", "-launcher slurm"),
        (intelmpi, INTEL, "pbsdsh", "-launcher pbsdsh"),
        (intelmpi, INTEL, "oarsh", "-launcher ssh -launcher-exec oarsh"),
        (mvapich, MVAPICH_2, "rsh", "-launcher rsh"),
    ],
)
def test_how_daemons_are_started(
    flavour: ModuleType, library: str, agent: str, expected: str
) -> None:
    words = f" {' '.join(command(flavour, library, **UNEQUAL, agent=agent).argv)} "
    assert words.count(f" {expected} ") == 1


@pytest.mark.parametrize(
    ("flavour", "library", "option", "expected"),
    [
        (openmpi, OPENMPI_4, {"debug_mpi": True}, "--display-map --report-bindings"),
        (openmpi, OPENMPI_5, {"debug_mpi": True}, "--display map,bind"),
        (openmpi, OPENMPI_4, {"branches": 8}, "--mca routed_radix 8"),
        (openmpi, OPENMPI_5, {"branches": 8}, "--prtemca rml_base_radix 8"),
        (openmpi, OPENMPI_5, {"root": True}, "--allow-run-as-root"),
        (mpich, MPICH, {"debug_mpi": True}, "-verbose -prepend-rank"),
        (intelmpi, INTEL, {"debug_mpi": True}, "-genv I_MPI_DEBUG 5 -print-rank-map"),
        (intelmpi, INTEL, {"branches": 8}, "-branch-count 8"),
        (srun, MPICH, {"debug_mpi": True}, "--verbose --label"),
        (cray, CRAY, {"debug_mpi": True}, "--label"),
    ],
)
def test_further_options(
    flavour: ModuleType, library: str, option: dict[str, Any], expected: str
) -> None:
    without = " ".join(command(flavour, library, **EQUAL).argv)
    assert expected not in without
    assert f" {expected} " in " ".join(command(flavour, library, **EQUAL, **option).argv)


@pytest.mark.parametrize(("flavour", "library"), [(mpich, MPICH), (mvapich, MVAPICH_2)])
def test_what_has_no_meaning_is_said(flavour: ModuleType, library: str) -> None:
    assert len(command(flavour, library, **EQUAL, branches=8).notes) == 1
    assert command(srun, library, **EQUAL, branches=8, agent="ssh").notes != ()
    assert command(flavour, library, **EQUAL).notes == ()


@pytest.mark.parametrize(
    ("library", "name"),
    [(OPENMPI_4, "--mca orte_keep_fqdn_hostnames 1"), (OPENMPI_5, "--prtemca prte_keep_fqdn")],
)
def test_full_host_names_stay_full(library: str, name: str) -> None:
    hosts = (Host("a.example.org", 2), Host("b.example.org", 2))
    assert name in options(openmpi, library, hosts=hosts, manager="pbs")
    assert "fqdn" not in options(openmpi, library, **BATCH)


def test_one_host_starts_without_the_transport_that_sleeps() -> None:
    assert "^ofi" not in options(openmpi, OPENMPI_5, **BATCH)
    chosen = {**ENV, "OMPI_MCA_btl": "self,tcp"}
    assert "^ofi" not in options(openmpi, OPENMPI_5, **LOCAL, env=chosen)


# Whose is what.


@pytest.mark.parametrize(
    ("text", "flavour"),
    [
        (OPENMPI_5, openmpi),
        (OPENMPI_4, openmpi),
        (MPICH, mpich),
        (INTEL, intelmpi),
        (MVAPICH_2, mvapich),
        (MVAPICH_4, mvapich),
        (CRAY, cray),
        ("Some other MPI 1.0", None),
        ("", None),
    ],
)
def test_libraries(text: str, flavour: ModuleType | None) -> None:
    assert of_library(text) is flavour
    assert [module for module in FLAVOURS if module.recognises(text)] == [flavour] * bool(flavour)


VERSIONS = {
    MPIRUN_5: openmpi, MPIRUN_4: openmpi, MPIRUN_DEBIAN: openmpi, HYDRA: mpich,
    HYDRA_MVAPICH: mvapich, MPIRUN_INTEL: intelmpi, PALS: cray, SRUN: srun, MPIEXEC: None, "": None,
    "usage: mpirun": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("flavour", "library", "own"),
    [
        (openmpi, OPENMPI_5, {MPIRUN_5}),
        (openmpi, OPENMPI_4, {MPIRUN_4, MPIRUN_DEBIAN}),
        (mpich, MPICH, {HYDRA, HYDRA_MVAPICH}),
        (mvapich, MVAPICH_2, {HYDRA, HYDRA_MVAPICH}),
        (intelmpi, INTEL, {MPIRUN_INTEL}),
        (cray, CRAY, {PALS, MPIEXEC}),
        (srun, MPICH, {SRUN}),
        (srun, "Some other MPI", set()),
    ],
)
def test_launchers(flavour: ModuleType, library: str, own: set[str]) -> None:
    assert {text for text in VERSIONS if flavour.starts(text, library)} == own


@pytest.mark.parametrize(("text", "flavour"), VERSIONS.items())
def test_launchers_without_a_library(text: str, flavour: ModuleType | None) -> None:
    assert of_launcher(text) is flavour
    assert [module for module in FLAVOURS if module.starts(text, "")] == [flavour] * bool(flavour)


def test_names() -> None:
    assert len(set(NAMES) | set(ALIASES)) == len(NAMES) + len(ALIASES)
    assert [named(name) for name in NAMES] == list(FLAVOURS)
    assert named("IMPI") is named("intelmpi") is intelmpi
    assert named("pals") is named("aprun") is cray
    assert named("lam") is None


def test_the_others_live_on_where_the_library_can() -> None:
    assert "--with-ft ulfm" in options(openmpi, OPENMPI_5, **BATCH, survive=True)
    assert "--with-ft" not in options(openmpi, OPENMPI_5, **BATCH)
    for flavour, library in ((openmpi, OPENMPI_4), (mpich, MPICH), (intelmpi, INTEL)):
        alone = command(flavour, library, **BATCH).argv
        assert command(flavour, library, **BATCH, survive=True).argv == alone


def test_the_systems_own_directory_does_not_come_before_the_users() -> None:
    """Open MPI 4, called by its path, puts its directory in front of PATH on all hosts."""
    for library, word in ((OPENMPI_4, True), (OPENMPI_5, False)):
        ranks = asking(program=PROGRAM, env=ENV, library=library, **BATCH)
        assert ("--noprefix" in openmpi.command_line("/usr/bin/mpirun", ranks).argv) is word
        assert "--noprefix" not in openmpi.command_line("/opt/mpi/bin/mpirun", ranks).argv


@pytest.mark.parametrize(
    ("manager", "env", "told"),
    [
        ("slurm", {"SLURM_HET_SIZE": "2"}, True),
        ("slurm", {"SLURM_HET_SIZE": "2", "SLURM_STEP_ID": "0"}, False),
        ("slurm", {"SLURM_HET_SIZE": "1"}, False),
        ("slurm", {"SLURM_HET_SIZE": "x"}, False),
        ("pbs", {"SLURM_HET_SIZE": "2"}, False),
    ],
)
def test_a_heterogeneous_job_is_told_what_reaches_all_of_it(
    manager: str, env: dict[str, str], told: bool
) -> None:
    ranks = asking(program=PROGRAM, **{**BATCH, "env": env, "manager": manager})
    assert any("srun --het-group" in note for note in ranks.notes) is told
