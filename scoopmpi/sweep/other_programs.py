"""Options and words of GNU parallel, xargs, HyperQueue and `wsub`, and what does their work here.

Whoever types them out of habit is told. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_OPTIONS: Mapping[tuple[str, ...], str] = {
    ("-j", "--jobs", "-P", "--max-procs"): "-n N says how many run at once, else all cores do",
    ("-a", "--arg-file", "--each-line"): "--lines FILE",
    ("-I", "-i", "--replace"): "$ITEM is the line, anywhere in the command",
    ("-C", "--colsep", "--header", "--csv"): "--data FILE, whose first line names the columns",
    ("-k", "--keep-order"): "what items print always comes in their order",
    ("--link", "--xapply"): "--beside",
    ("--resume",): "--log FILE, and the same command again goes on",
    ("--resume-failed", "--retry-failed"): "--log FILE --retry",
    ("--timeout", "--time-limit"): "--item-timeout SECONDS",
    ("--wd", "--workdir", "--cwd"): "--chdir DIR",
    ("--eta", "--bar"): "--progress",
    ("--sshlogin", "--sshloginfile", "--slf"): "the hosts of the batch job are found",
    ("--from-json",): "jq -c '.[]' FILE | myscoop sweep --lines - COMMAND",
    ("--max-fails",): "--halt soon,fail=N",
    ("--stream",): "--results FILE",
    ("--cpus", "-threaded", "--threaded"): "--threads N",
}  # fmt: skip
_INSTEAD = {name: text for names, text in _OPTIONS.items() for name in names}
_ARGUMENTS = {":::", "::::", ":::+", "::::+"}
_LINE = {"{}", "{.}", "{/}", "{//}", "{/.}", "{1}"}


def instead(option: str) -> str | None:
    """Return what does the work of an option that we do not have; None where nobody has it."""
    found = _INSTEAD.get(option)
    return None if found is None else f"{option} is no option here: {found}"


def items_in(words: Sequence[str]) -> bool:
    """True where items stand among the words of a command, as GNU parallel reads them."""
    return not _ARGUMENTS.isdisjoint(words)


def place_of_line(words: Sequence[str]) -> str | None:
    """Return the word that stands for the line, as GNU parallel and xargs have it; else None."""
    if any("$ITEM" in word or "${ITEM}" in word for word in words):
        return None
    return next((word for word in words if word in _LINE), None)
