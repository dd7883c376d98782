"""How words are read: as the framework's documentation has them, qsub's and sbatch's untouched."""

from __future__ import annotations

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from scoopmpi.launch.worker_framework.options_for_job import merged, told_apart, values
from scoopmpi.launch.worker_framework.words import Given, Refused, read
from scoopmpi.launch.worker_framework.wsub import COMMAND

QSUB = (
    "-a 0815 -A project -b 5 -c s -d /tmp -D / -e err -h -I -j oe -k oe -l nodes=2:ppn=8"
    " -lwalltime=1:00:00 -m abe -M a@b,c@d -n -o out -p -100 -q short -r n -S /bin/bash -u me"
    " -v A=1,B -V -w /tmp -W depend=afterok:7 -x -X -z -qlong -vC=3"
)
SBATCH = """
    --account=a --acctg-freq=1 --bb=x --begin=now --chdir=/tmp --clusters=c --comment=c
    --constraint=c --container=c --contiguous --core-spec=1 --cores-per-socket=2 --cpu-freq=1
    --cpus-per-gpu=2 --cpus-per-task=2 --deadline=d --delay-boot=1 --dependency=d
    --distribution=b --error=e --exclude=n1 --exclusive --export=ALL --export-file=f
    --extra-node-info=2 --get-user-env --gid=1 --gpu-bind=x --gpu-freq=x --gpus=1
    --gpus-per-node=1 --gres=gpu:1 --hint=x --hold --ignore-pbs --input=i --job-name=j
    --kill-on-invalid-dep=yes --licenses=l --mail-type=ALL --mail-user=m --mcs-label=l --mem=1
    --mem-bind=x --mem-per-cpu=1 --mincpus=1 --network=x --nice --no-kill --no-requeue
    --nodefile=f --nodelist=n --nodes=2 --ntasks=4 --ntasks-per-core=1 --ntasks-per-node=2
    --ntasks-per-socket=1 --open-mode=append --output=o --overcommit --oversubscribe --parsable
    --partition=p --power=x --prefer=x --priority=1 --profile=x --propagate=x --qos=q --reboot
    --requeue --reservation=r --signal=B:USR1@60 --sockets-per-node=1 --spread-job --switches=1
    --test-only --thread-spec=1 --threads-per-core=1 --time=1 --time-min=1 --tmp=1
    --tres-per-task=x --uid=1 --use-min-nodes --wait --wait-all-nodes=1 --wckey=w --wrap=x
"""
"""All the long options of Slurm 22.05's sbatch but --array, --batch, --help, --quiet, --verbose."""


def given(words: str) -> Given:
    return read(words.split(), COMMAND.options, others=True)


@pytest.mark.parametrize(
    "words", ["-batch a.pbs", "--batch a.pbs", "-batch=a.pbs", "--batch=a.pbs", "-q x -batch a.pbs"]
)
def test_one_dash_or_two(words: str) -> None:
    assert given(words).last("batch") == "a.pbs"


@pytest.mark.parametrize("words", [QSUB, " ".join(SBATCH.split())])
def test_what_is_not_ours_is_handed_on_as_it_is(words: str) -> None:
    found = given(f"-batch a {words} -data b")
    assert found.rest == tuple(words.split())
    assert (found.last("batch"), found.last("data")) == ("a", "b")
    assert [word for _, taken in told_apart(found.rest) for word in taken] == words.split()


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("-t 1-10", "t", "1-10"),
        ("-t1-10", "t", "1-10"),
        ("--array=1-10", "t", "1-10"),
        ("-N name", "N", "name"),
        ("-Nname", "N", "name"),
        ("-C#MY", "C", "#MY"),
        ("-batch -x", "batch", "-x"),
        ("--item-timeout=5", "item-timeout", "5"),
        ("-t 1 -t 2", "t", "2"),
    ],
)
def test_values(words: str, name: str, value: str) -> None:
    found = given(words)
    assert found.last(name) == value and not found.rest


def test_an_option_with_two_values() -> None:
    assert given("--reduce out-$a all -q x").values["reduce"] == [("out-$a", "all")]


def test_letters_of_qsub_are_no_abbreviations_of_ours() -> None:
    found = given("-e err -o out -m abe -v A=1 -l nodes=1 -p 5 -q x -M me -d /tmp")
    assert not found.values


def test_behind_two_dashes_nothing_is_ours() -> None:
    assert given("-q x -- -batch y").rest == ("-q", "x", "-batch", "y")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-bacth x", "-bacth is no option; did you mean -batch?"),
        ("--dry-run", "--dry-run is no option; did you mean -dryrun?"),
        ("-prologue x", "did you mean -prolog?"),
        ("-epilogue=x", "did you mean -epilog?"),
        ("-batch", "-batch needs FILE: The batch file."),
        ("--reduce a", "--reduce needs PATTERN FILE"),
        ("-dryrun=1", "-dryrun takes no value"),
    ],
)
def test_refused(words: str, said: str) -> None:
    with pytest.raises(Refused) as found:
        given(words)
    assert said in str(found.value)


@pytest.mark.parametrize("words", ["a.pbs", "-q short a.pbs", "-lnodes=2 a.pbs", "--wait=1 x y"])
def test_a_word_that_is_no_option_is_not_taken_for_the_job_script(words: str) -> None:
    with pytest.raises(Refused, match="which option is that of"):
        list(told_apart(words.split()))


def test_values_of_options_that_are_handed_on() -> None:
    words = ["-J", "a", "--job-name=b", "-qlong", "-l", "nodes=1", "-l", "walltime=2"]
    assert values(words, "-J", "--job-name") == ["a", "b"]
    assert values(words, "-q") == ["long"] and values(words, "-l") == ["nodes=1", "walltime=2"]
    assert values(words, "-N") == []


@given_any(st.lists(st.text("-=lNt batch,12", max_size=12), max_size=8))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        found = read(words, COMMAND.options, others=True)
        options = list(told_apart(found.rest))
        assert [word for _, taken in options for word in taken] == list(found.rest)
        assert merged(found.rest, [], "PBS").count("-l") <= len(options)
    except Refused as problem:
        assert str(problem)


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ("-l nodes=2:ppn=8,walltime=4:00:00 -q long", "-l walltime=1:30:00",
         "-l nodes=2:ppn=8 -q long -l walltime=1:30:00"),
        ("-lnodes=2:ppn=8 -l mem=4gb", "-l nodes=1", "-l mem=4gb -l nodes=1"),
        ("-l select=2:ncpus=8 -l place=scatter", "-l nodes=1:ppn=4", "-l nodes=1:ppn=4"),
        ("-q long -A a", "-q short", "-A a -q short"),
        ("", "-l walltime=1", "-l walltime=1"),
        ("-V -m abe", "", "-V -m abe"),
    ],
)  # fmt: skip
def test_new_resources_replace_the_same_ones(old: str, new: str, both: str) -> None:
    assert merged(old.split(), new.split(), "PBS") == both.split()


def test_with_sbatch_the_last_one_wins() -> None:
    assert merged(["--time=1"], ["--time=2"], "Slurm") == ["--time=1", "--time=2"]
