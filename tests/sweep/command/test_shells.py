"""Which words a shell reads as its program: these stay as they are, all others may have data."""

from __future__ import annotations

import pytest

from scoopmpi.sweep.command.shells import handed_on, texts

UNTOUCHED = [
    "sh -c TEXT",
    "/bin/sh -c TEXT",
    "./sh -c TEXT",
    "-bash -c TEXT",
    "bash -c TEXT $0 $1",
    "bash -lc TEXT",
    "bash -cl TEXT",
    "bash -ec TEXT",
    "bash -c -e TEXT $0",
    "bash -e -u -c TEXT",
    "bash -euo pipefail -c TEXT",
    "bash -ceuo pipefail TEXT $0",
    "bash -o pipefail -o errexit -c TEXT",
    "bash +o history -c TEXT",
    "bash -O extglob -c TEXT",
    "bash +x -c TEXT",
    "bash -c -- TEXT $0",
    "bash --norc -c TEXT",
    "bash --rcfile f -c TEXT",
    "bash --rcfile=f --login -c TEXT",
    "bash -c - TEXT",
    "bash5 -c TEXT",
    "bash-5.2 -c TEXT",
    "/opt/ksh93 -c TEXT",
    "dash -c TEXT",
    "zsh -fc TEXT",
    "ksh -c TEXT",
    "mksh -c TEXT",
    "csh -fc TEXT $1",
    "tcsh -c TEXT",
    "ash -c TEXT",
    "busybox sh -c TEXT",
    "fish -c TEXT $1",
    "fish -C TEXT -c TEXT",
    "fish --command TEXT",
    "fish --command=TEXT",
    "fish -cTEXT$x",
    "fish --init-command TEXT -c TEXT",
    "env bash -c TEXT",
    "/usr/bin/env bash -c TEXT",
    "env A=1 -u B bash -ec TEXT",
    "nice -n 5 sh -c TEXT",
    "timeout 10 sh -c TEXT",
    "timeout -s KILL 10s sh -c TEXT",
    "time -p sh -c TEXT",
    "xargs sh -c TEXT _",
    "xargs -n 1 -P 2 sh -c TEXT",
    "find . -name $x -exec sh -c TEXT _ {} ;",
    "srun -n1 bash -c TEXT",
    "srun -n 1 --exclusive bash -c TEXT",
    "mpirun -n 2 -x $A sh -c TEXT",
    "singularity exec $image bash -c TEXT $x",
    "docker run --rm -v $dir:/data image sh -c TEXT",
    "conda run -n env bash -c TEXT",
    "./mine bash -c TEXT",
    "sh -c TEXT sh -c TEXT",
    "su user -c TEXT",
    "su - user --command=TEXT",
    "runuser -u user -c TEXT",
    "timeout 5 su -c TEXT user",
    "script -qc TEXT $log",
    "script -qcTEXT $log",
    "su -lc TEXT user",
    "bash --debugger -c TEXT",
    "pwsh -NoProfile -Command TEXT",
    "flock $lock -c TEXT",
    "flock $lock sh -c TEXT",
    "sg group -c TEXT",
    "sbatch --wrap TEXT",
    "sbatch -n 1 --wrap=TEXT",
    "ssh host sh -c TEXT",
]


@pytest.mark.parametrize("command", UNTOUCHED)
def test_the_text_of_a_shell_is_known(command: str) -> None:
    words = command.split()
    assert sorted(texts(words)) == [place for place, word in enumerate(words) if "TEXT" in word]


@pytest.mark.parametrize(
    "command",
    [
        "./simulate -c $x",
        "python -c $x",
        "grep -c bash $x",
        "taskset -c 0-3 ./x $x",
        "ionice -c 2 ./x $x",
        "wc -c $x",
        "bash script.sh -c $x",
        "bash -e script.sh $x",
        "sh $x",
        "sh -- $x -c $x",
        "bash -s $x",
        "./bash.sh -c $x",
        "./rush -c $x",
        "push -c $x",
        "tar -cf $x script",
        "sh -c",
        "",
    ],
)
def test_all_other_words_may_have_data(command: str) -> None:
    words = command.split()
    assert not {place for place in texts(words) if place < len(words)}


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("ssh host ./x $x", "ssh"),
        ("/usr/bin/ssh $host uptime", "ssh"),
        ("timeout 10 ssh -p 22 host $x", "ssh"),
        ("env A=1 timeout -k 5 10 ssh host $x", "ssh"),
        ("srun -p debug ssh host $x", "ssh"),
        ("sudo -u me ssh host $x", "ssh"),
        ("flock lock ssh host $x", "ssh"),
        ("taskset 0xff ssh host $x", "ssh"),
        ("parallel echo ::: $x", "parallel"),
        ("pdsh -w hosts ./x $x", "pdsh"),
        ("env -S $x", "env -S"),
        ("env -vS $x", "env -S"),
        ("env -i --split-string=$x", "env -S"),
        ("rsync -e ssh $x host:", None),
        ("timeout 10 rsync -e ssh $x host:", None),
        ("./x ssh $x", None),
        ("env ./x -S $x", None),
        ("scp $x host:", None),
        ("", None),
    ],
)
def test_programs_that_make_a_line_of_their_words_are_known(
    command: str, program: str | None
) -> None:
    words = command.split()
    found = handed_on(words)
    if program is None:
        assert found is None
    else:
        assert found is not None and found[0] == program
        assert {place for place, word in enumerate(words) if "$" in word} <= set(found[1])
