"""`wsummarize run.pbs.log445948`: how far a job is, in the framework's lines.

Of its own logs as well. More is in `myscoop summarize`.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator

from ...sweep.log.history import History
from ...sweep.log.summary import Standing, done, failed, summary
from . import asked_of_sweep, checking, logs
from .command_line import CommandLine
from .words import Given, Option, Refused

COMMAND = CommandLine(
    "wsummarize",
    "[OPTIONS] LOG...",
    "Say how many items of a job are done and have failed, also while it runs.",
    (
        Option("long", "Say which have failed, and which are left."),
        Option("retry", "Count those that have failed among those that are left."),
        Option("showtasks", "With -long: show the values of those that are left."),
        Option("verbose", "Nothing: all is said."),
    ),
    (
        "wsummarize run.pbs.log445948",
        "watch -n 60 wsummarize run.pbs.log445948",
    ),
)  # fmt: skip


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Print what the logs say; return the exit status."""
    if not given.rest:
        raise Refused("which log? For example: wsummarize run.pbs.log445948")
    for path in given.rest:
        told = logs.told_by(path)
        if len(given.rest) > 1:
            COMMAND.show([f"{path}:"])
        COMMAND.show(_lines(given, path, told))
    return 0


def _lines(given: Given, path: str, told: History) -> Iterator[str]:
    standing = summary(told).standing
    yield from _counts(standing)
    if not given.has("long"):
        return
    lost = failed(told).tolist()
    if lost:
        yield f"failed task IDs:\n{_listed(lost)}"
    settled = {*done(told).tolist(), *([] if given.has("retry") else lost)}
    try:
        yield from _left(given, path, told, settled)
    except Refused as problem:
        COMMAND.say(str(problem))


def _counts(standing: Standing) -> Iterator[str]:
    executed = standing.done + standing.failed
    yield f"{standing.done} of {executed} executed tasks successfully completed"
    yield f"{standing.failed} of {executed} executed tasks failed"
    if standing.total:
        yield f"{100 * executed / standing.total:.2f} % of the tasks executed"


def _left(given: Given, path: str, told: History, settled: Collection[int]) -> Iterator[str]:
    """Return which items are to be done, by the tables that the last run has had."""
    said = logs.last_run(path, told)
    words = [str(word) for word in said.get("words", ())]
    asked = asked_of_sweep.parsed(words, str(said.get("directory", "")))
    source = checking.items(asked)
    left = [item for item in source if item.number not in settled]
    yield f"task IDs to do:\n{_listed(item.number for item in left)}"
    if given.has("showtasks"):
        for item in left:
            pairs = zip(source.columns, item.values, strict=True)
            yield f"{item.number}: " + " ".join(f"{key}={shlex.quote(text)}" for key, text in pairs)


def _listed(numbers: object) -> str:
    return ", ".join(map(str, numbers))  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
