"""Which words of a command a shell reads as a program: nothing of the data may stand in them. Pure.

A value such as `$(rm -rf .)` is text to a program, and a command to a shell. So the text behind the
`-c` of a shell stays as the user has written it; the shell finds the columns among its variables,
where they are values again. In doubt a word counts as such a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from os.path import basename

_SHELLS = frozenset(
    (
        "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "lksh", "pdksh", "oksh", "yash",
        "posh", "osh", "ysh", "rbash", "rksh", "rzsh", "csh", "tcsh", "fish", "pwsh", "nu",
        "elvish", "xonsh",
    )
)  # fmt: skip
_VERSION = re.compile(r"[-.\d]*\Z")
_TEXT_OPTIONS = {
    "su": ("-c", "--command", "--session-command"), "runuser": ("-c", "--command"),
    "script": ("-c", "--command"), "flock": ("-c", "--command"), "sg": ("-c",),
    "sbatch": ("--wrap",),
}  # fmt: skip
"""Programs that give one of their words to a shell, and what stands before it."""
_HAND_ON = frozenset(
    (
        "ssh", "autossh", "mosh", "slogin", "plink", "rsh", "remsh", "pdsh", "dsh", "clush",
        "pssh", "parallel-ssh", "parallel", "sem", "tmux", "watch",
    )
)  # fmt: skip
"""Programs that make one line for a shell of all their words."""
_STARTERS = frozenset(
    (
        "env", "nice", "nohup", "time", "timeout", "timedrun", "setsid", "stdbuf", "ionice",
        "chrt", "taskset", "numactl", "prlimit", "flock", "exec", "command", "sudo", "doas",
        "chroot", "unshare", "nsenter", "strace", "ltrace", "perf", "valgrind", "catchsegv",
        "srun", "mpirun", "mpiexec", "mympirun", "jsrun", "aprun", "ibrun", "hwloc-bind",
        "likwid-pin", "likwid-perfctr", "busybox", "toybox", "xvfb-run", "fakeroot", "setarch",
        "systemd-run", "unbuffer",
    )
)  # fmt: skip
"""Programs that run the program in their words."""
_BEHIND_ONE = frozenset(("flock", "chroot", "taskset"))
"""Of these, those that want a word before it: a file, a directory, a mask."""
_LONG_WITH_VALUE = frozenset(
    ("--rcfile", "--init-file", "--emulate", "--command", "--init-command")
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_NUMBER = re.compile(r"\d[\d.:,+-]*[a-zA-Z%]?|0x[0-9a-fA-F]+")


def texts(words: Sequence[str]) -> frozenset[int]:
    """Return the places of words that a shell on this host reads as its program."""
    found: set[int] = set()
    for place, word in enumerate(words):
        name = _VERSION.sub("", basename(word).lstrip("-"))
        if name in _SHELLS:
            found.update(_behind_shell(words, place, several=name in ("fish", "pwsh")))
    for place in programs(words):
        options = _TEXT_OPTIONS.get(basename(words[place]))
        if options is not None:
            found.update(_behind_options(words, place, options))
    return frozenset(found)


def handed_on(words: Sequence[str]) -> tuple[str, range] | None:
    """Return a program that makes a shell's line of its words, and the places of these."""
    for place in programs(words):
        name = basename(words[place])
        if name in _HAND_ON:
            return name, range(place + 1, len(words))
        if name == "env":
            for at in range(place + 1, len(words)):
                if not words[at].startswith("-"):
                    break
                if re.match(r"-[A-Za-z0]*S|--split-string", words[at]):
                    return "env -S", range(at, len(words))
    return None


def programs(words: Sequence[str]) -> Iterator[int]:
    """Return the places where a program may stand: the first, and those behind what starts one."""
    starts, behind_option, spare = True, False, False
    for place, word in enumerate(words):
        if place and (_ASSIGNMENT.match(word) or _NUMBER.fullmatch(word)):
            behind_option = False
        elif place and word.startswith("-"):
            behind_option = "=" not in word
        elif starts:
            yield place
            # a word behind an option may be its value: the program is still to come then
            starts = basename(word) in _STARTERS or behind_option or spare
            behind_option, spare = False, basename(word) in _BEHIND_ONE


def _behind_shell(words: Sequence[str], place: int, several: bool) -> Iterator[int]:
    """Return the places of the text of a shell that stands at a place.

    several: the shell takes a text behind each `-c` and `-C`; others take the first word that is
    no option, wherever among these the `-c` stands.
    """
    at, commanded = place + 1, False
    while at < len(words) and words[at][:1] in ("-", "+") and words[at] not in ("-", "--"):
        word, letters = words[at], words[at][1:]
        if word.startswith("--"):
            name, joined, _ = word.partition("=")
            if name in ("--command", "--init-command"):
                yield at if joined else at + 1
            if not joined and name in _LONG_WITH_VALUE:
                at += 1
        elif several and letters.lower().endswith(("c", "command")):
            yield at + 1
            at += 1
        else:
            if not letters.isalpha():
                yield at  # an option with its text behind it, as in -c'echo'
            commanded = commanded or "c" in letters
            at += _values(words, at, letters.lower().count("o"))
        at += 1
    at += words[at : at + 1] in (["-"], ["--"])
    if commanded and at < len(words):
        yield at


def _values(words: Sequence[str], at: int, most: int) -> int:
    """Return how many words behind a place are values of `-o` there: as many as there are o's."""
    behind = words[at + 1 : at + 1 + most]
    return next((n for n, word in enumerate(behind) if word[:1] in ("-", "+")), len(behind))


def _behind_options(words: Sequence[str], place: int, options: Sequence[str]) -> Iterator[int]:
    """Return the places of what stands behind some options, or is joined to them."""
    for at in range(place + 1, len(words)):
        for option in options:
            # a letter may stand at the end of others, as in -qc
            pattern = f"{option}(=)?" if option.startswith("--") else f"-[A-Za-z]*{option[1]}"
            found = re.match(pattern, words[at])
            if found:
                yield at + 1 if found[0] == words[at] and "=" not in found[0] else at
