"""`wsub`: what it submits, to whom, and what it refuses before anything waits in a queue."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from scoopmpi.launch.worker_framework import submitting, wsub
from scoopmpi.launch.worker_framework.batch_file import PBS
from scoopmpi.launch.worker_framework.words import Refused
from tests.launch.worker_framework.site import DATA, WEATHER, Said, Site, Submitted, said, site

__all__ = ["site"]

ASKED = "-batch weather.pbs -data data.csv"
Capture = pytest.CaptureFixture[str]


def submitted(site: Site, words: str, capfd: Capture) -> Submitted:
    told = said(wsub.COMMAND, wsub.run, words, capfd)
    assert told.status == 0, told.err
    found = site.submitted()
    assert found is not None
    return found


def refused(words: str, capfd: Capture) -> str:
    told = said(wsub.COMMAND, wsub.run, words, capfd)
    assert (told.status, told.out) == (2, ""), told
    return told.err


def sweep_of(script: str) -> list[str]:
    """The words of the last line of a job script, from `sweep` on."""
    words = shlex.split(script.splitlines()[-1])
    return words[words.index("sweep") :]


def test_the_job_of_the_documentation(site: Site, capfd: Capture) -> None:
    told = said(wsub.COMMAND, wsub.run, ASKED, capfd)
    assert told == Said(0, "445948.master\n", "total number of work items: 3\n")
    found = site.submitted()
    assert found is not None
    assert (found.words, found.directory) == (["-N", "weather.pbs"], str(site.work))
    head, _, rest = found.script.partition("\n\n")
    assert head.splitlines() == [
        "#!/bin/sh", "#PBS -l nodes=1:ppn=8", "#PBS -l walltime=04:00:00",
    ]  # fmt: skip
    assert f"<<'END_OF_FILE' || exit\n{WEATHER}END_OF_FILE\n" in rest
    last = shlex.split(rest.splitlines()[-1])
    assert last[:2] == ["exec", sys.executable]
    assert sweep_of(found.script) == [
        "sweep", "--data", str(site.work / "data.csv"), "--batch", "$files.sh$job", "--substitute",
        "--log", "$files.log$job", "--submitted", "-- -N weather.pbs",
    ]  # fmt: skip


def test_numbers_instead_of_rows(site: Site, capfd: Capture) -> None:
    found = submitted(site, "-batch weather.pbs -t 1-10,15", capfd)
    assert sweep_of(found.script)[1:3] == ["--array", "1-10,15"]


def test_tables_stand_side_by_side(site: Site, capfd: Capture) -> None:
    (site.work / "more,less.csv").write_text("a\n1\n2\n3\n")
    (site.work / "b.csv").write_text("b\n1\n2\n3\n")
    words = sweep_of(submitted(site, f"{ASKED},b.csv -data more,less.csv -t 4-6", capfd).script)
    tables = [Path(words[i + 1]).name for i, word in enumerate(words) if word == "--data"]
    assert tables == ["data.csv", "b.csv", "more,less.csv"] and "--beside" in words


def test_options_of_qsub_arrive_as_they_are(site: Site, capfd: Capture) -> None:
    more = "-l nodes=2:ppn=8 -lwalltime=1:00:00 -q short -A me -m abe -M a@b -v A=1,B -e err -V"
    (site.work / "weather.pbs").write_text(WEATHER.replace("#PBS -l", "#PBS -v C,D=1 -l", 1))
    found = submitted(site, f"{ASKED} {more}", capfd)
    assert found.words == ["-N", "weather.pbs", *more.split()]
    handed = shlex.split(found.script.splitlines()[-1])
    assert handed[handed.index("--variablesprefix") + 1].endswith(",PBS_JOBNAME,C,D,A,B")


@pytest.mark.parametrize(
    ("directive", "words", "name"),
    [
        ("", "-N run7", ["-N", "run7"]),
        ("", "-Nrun7", ["-N", "run7"]),
        ("#PBS -N of_file", "", []),
        ("#PBS -N of_file", "-N run7", ["-N", "run7"]),
        ("", "", ["-N", "my_run_1.pbs"]),
    ],
)
def test_the_name_of_the_job(
    site: Site, capfd: Capture, directive: str, words: str, name: list[str]
) -> None:
    (site.work / "my run=1.pbs").write_text(f"#!/bin/sh\n{directive}\necho\n")
    told = wsub.COMMAND.status(["-batch", "my run=1.pbs", "-t", "1", *words.split()], wsub.run)
    found = site.submitted()
    assert told == 0 and found is not None and found.words == name


def test_prolog_and_epilog_travel_in_the_job(site: Site, capfd: Capture) -> None:
    (site.work / "pre.sh").write_text("#!/bin/sh\nmkdir -p input\r\n")
    (site.work / "post.sh").write_text("#!/bin/sh\nEND_OF_FILE\necho done")
    found = submitted(site, f"{ASKED} -prolog pre.sh -epilog post.sh", capfd)
    words = sweep_of(found.script)
    assert words[words.index("--prolog") + 1] == "$files.pro$job"
    assert words[words.index("--epilog") + 1] == "$files.epi$job"
    assert "\n#!/bin/sh\nmkdir -p input\nEND_OF_FILE\n" in found.script
    assert "<<'END_OF_FILE_' || exit\n#!/bin/sh\nEND_OF_FILE\necho done\nEND_OF_FILE_\n" in (
        found.script
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("-threaded 4", "--threads 4 sweep"),
        ("-mpiverbose", "--debugmpi sweep"),
        ("--stop-before auto", "--stop-before auto sweep"),
        ("-log my.log -retry", "--log {work}/my.log --retry"),
        ("-escape_char \\", "--escape \\"),
        ("-allow_loose_quotes", "--loose-quotes"),
        ("--item-timeout 20:00 --retries 2", "--retries 2 --item-timeout 1200.0"),
        ("--results r.db", "--results {work}/r.db"),
        ("--reduce out-$temperature all", "--reduce out-$temperature all"),
        ("--stop-on-failure", "--halt soon,fail=1"),
        ("-master -sleep 100 -verbose -quiet", "sweep --data"),
    ],
)
def test_options(site: Site, capfd: Capture, words: str, found: str) -> None:
    line = submitted(site, f"{ASKED} {words}", capfd).script.splitlines()[-1]
    assert found.format(work=site.work) in " ".join(shlex.split(line))


def test_directives_with_another_prefix(site: Site, capfd: Capture) -> None:
    (site.work / "weather.pbs").write_text("#!/bin/sh\n#MY -q long\n#PBS -q short\necho\n")
    found = submitted(site, f"{ASKED} -C #MY", capfd)
    assert found.script.splitlines()[:2] == ["#!/bin/sh", "#PBS -q long"]
    assert found.words == ["-N", "weather.pbs"]


def test_options_that_do_nothing_say_so(site: Site, capfd: Capture) -> None:
    told = said(wsub.COMMAND, wsub.run, f"{ASKED} -master -sleep 100", capfd)
    assert told.err.count("Nothing: who deals out the items") == 2
    quiet = said(wsub.COMMAND, wsub.run, f"{ASKED} -master -sleep 100 -quiet", capfd)
    assert (quiet.out, quiet.err) == ("445948.master\n", "")


def test_a_dry_run_shows_what_would_be(site: Site, capfd: Capture) -> None:
    told = said(wsub.COMMAND, wsub.run, f"{ASKED} -dryrun -q short", capfd)
    assert told.status == 0 and site.submitted() is None
    lines = told.out.splitlines()
    assert lines[0] == "#!/bin/sh" and "# qsub -N weather.pbs -q short" in lines
    assert "#     temperature=293 pressure=1.0e5 volume=107" in lines
    assert "#     | ./weather -t 295 -p 1.0e5 -v 105" in lines
    assert f"# 3: /bin/bash {site.work}/weather.pbs" in lines


# Slurm.

SLURM = "#!/bin/bash\n#SBATCH --ntasks=4\n./weather -t $temperature\n"


def test_sbatch_takes_its_own_directives(site: Site, capfd: Capture) -> None:
    site.has("qsub", "sbatch")
    (site.work / "weather.slurm").write_text(SLURM)
    words = "-batch weather.slurm -data data.csv --time=1:00:00 -p long"
    told = said(wsub.COMMAND, wsub.run, words, capfd)
    found = site.submitted()
    assert told.out == "445948\n" and found is not None
    assert found.words[0] == "--parsable"
    assert found.words[1:] == ["--job-name", "weather.slurm", "--time=1:00:00", "-p", "long"]
    assert '\ncd "$directory"' not in found.script and "#SBATCH --ntasks=4\n" in found.script


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("-N 2", ["-N", "2", "--job-name", "weather.slurm"]),
        ("-N 2-4", ["-N", "2-4", "--job-name", "weather.slurm"]),
        ("-N name", ["--job-name", "name"]),
        ("-J name", ["-J", "name"]),
        ("--job-name=name", ["--job-name=name"]),
        ("-C gpu --array=1-3", ["-C", "gpu", "--job-name", "weather.slurm"]),
    ],
)
def test_letters_that_mean_another_thing_to_sbatch(
    site: Site, capfd: Capture, words: str, options: list[str]
) -> None:
    site.has("sbatch")
    (site.work / "weather.slurm").write_text(SLURM)
    found = submitted(site, f"-batch weather.slurm -data data.csv {words}", capfd)
    assert found.words == ["--parsable", *options]


@pytest.mark.parametrize(
    ("there", "directives", "words", "taker"),
    [
        ("qsub sbatch", "#PBS -q x", "", "qsub"),
        ("qsub sbatch", "#SBATCH -p x", "", "sbatch"),
        ("sbatch", "#PBS -q x", "", "sbatch"),
        ("qsub", "#PBS -q x\n#SBATCH -p x", "", "qsub"),
        ("qsub sbatch", "#PBS -q x\n#SBATCH -p x", "", "qsub"),
        ("qsub sbatch", "#PBS -q x\n#SBATCH -p x", "--ntasks=4", "sbatch"),
        ("qsub sbatch", "", "-l nodes=2", "qsub"),
        ("qsub sbatch", "", "--ntasks=4", "sbatch"),
        ("sbatch", "", "", "sbatch"),
    ],
)
def test_who_takes_the_job(
    site: Site, capfd: Capture, there: str, directives: str, words: str, taker: str
) -> None:
    (site.bin / "qsub").unlink()
    site.has(*there.split())
    (site.work / "weather.pbs").write_text(f"#!/bin/sh\n{directives}\necho\n")
    found = submitted(site, f"{ASKED} {words}", capfd)
    assert ("--parsable" in found.words) == (taker == "sbatch")


# What is refused.


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-data data.csv", "wsub: which batch file? For example: wsub -batch run.pbs"),
        ("-batch weather.pbs", "wsub: which items? -data FILE for a table, or -t 1-100"),
        ("-batch none.pbs -data data.csv", "wsub: none.pbs: No such file or directory"),
        ("-batch weather.pbs -data none.csv", "none.csv"),
        (f"{ASKED} -prolog none.sh", "wsub: none.sh: No such file"),
        (f"{ASKED} -log none/l", "none/l: there is no directory"),
        (f"{ASKED} -threaded 0", "-threaded 0: a whole number from 1 on is meant"),
        (f"{ASKED} -J 1-10", "-J 1-10 makes a job of each number; -t 1-10 makes items"),
        (f"{ASKED} -S /bin/tcsh", "-S /bin/tcsh cannot read the job script, which is sh's."),
        (f"{ASKED} -C PBS", "-C PBS: what directives begin with is a comment: -C '#MY'"),
        (f"{ASKED} other.pbs", "other.pbs: which option is that of? The script is -batch FILE"),
        (f"{ASKED} -dry-run", "did you mean -dryrun?"),
        (f"{ASKED} --retries many", "--retries"),
        (f"{ASKED} -data -", "a job has no stdin"),
        ("-batch weather.pbs -t 1:00:00", "numbers of items are meant; sbatch has --time=1:00:00"),
        ("-batch weather.pbs -data short.csv", "short.csv"),
        ("-batch weather.pbs -data data.csv,other.csv", "other.csv"),
        ("-batch weather.pbs -data empty.csv", "there is no item"),
    ],
)
def test_refused(site: Site, capfd: Capture, words: str, told: str) -> None:
    (site.work / "short.csv").write_text(DATA + "1,2\n")
    (site.work / "other.csv").write_text("a\n1\n")
    (site.work / "empty.csv").write_text("temperature\n")
    err = refused(words, capfd)
    assert told in err and err.startswith("wsub: ") and "Traceback" not in err
    assert site.submitted() is None


def test_a_log_of_the_framework_itself_goes_on_where_numbers_are_the_same(
    site: Site, capfd: Capture
) -> None:
    (site.work / "old.log1").write_text("1 completed by 1 at Fri Sep  2 11:47:57 2016\n")
    assert submitted(site, "-batch weather.pbs -t 1-9 -log old.log1", capfd).words
    told = said(wsub.COMMAND, wsub.run, "-batch weather.pbs -t 1-9 -log old.log1", capfd)
    assert told.err.startswith("wsub: ") and "1 of 9 is done" in told.err
    err = refused("-batch weather.pbs -t 1 -log old.log1", capfd)
    assert "of 1 items none is left" in err
    err = refused("-batch weather.pbs -t 5-9 -log old.log1", capfd)
    assert "old.log1 is a log of the worker framework itself" in err and "a new log" in err


def test_without_a_batch_system(site: Site, capfd: Capture) -> None:
    (site.bin / "qsub").unlink()
    assert "neither qsub nor sbatch is on PATH: submit from a login node" in refused(ASKED, capfd)
    (site.work / "weather.pbs").write_text("#!/bin/sh\n#SBATCH -p x\necho\n")
    site.has("qsub")
    assert "#SBATCH lines, and there is only qsub" in refused(ASKED, capfd)


def test_what_qsub_refuses_is_its_own_to_say(site: Site, capfd: Capture) -> None:
    site.has("qsub", status=38)
    told = said(wsub.COMMAND, wsub.run, ASKED, capfd)
    assert (told.status, told.out) == (38, "")
    assert "qsub has not taken the job: exit status 38" in told.err


def test_help(capfd: Capture) -> None:
    told = said(wsub.COMMAND, wsub.run, "-help", capfd)
    assert (told.status, told.err) == (0, "")
    for option in wsub.COMMAND.options:
        assert f" {option.dash}{option.name}" in told.out


def test_a_qsub_of_grid_engine_gets_no_job(tmp_path: Path) -> None:
    """It reads no #PBS lines; sbatch, where it is there too, does."""
    for name in ("qsub", "qconf"):
        (tmp_path / name).touch(0o755)
    with pytest.raises(Refused, match="Grid Engine's, which reads no #PBS lines"):
        submitting.chosen({PBS}, [], str(tmp_path))
    (tmp_path / "sbatch").touch(0o755)
    assert submitting.chosen({PBS}, [], str(tmp_path)).name == "sbatch"
