"""`wcat -data data.csv -pattern PATTERN -output all`: files of items, one behind the other."""

from __future__ import annotations

from ...sweep.outputs.joining import Text
from ...sweep.outputs.joining import joined as concatenated
from .command_line import CommandLine
from .files_of_items import AFTERWARDS, TABLES, joined
from .words import Given, Option

COMMAND = CommandLine(
    "wcat",
    "-data FILE[,FILE] -pattern PATTERN -output FILE [OPTIONS]",
    "Concatenate the files of the items of a table, in the order of its rows. The exit status is 1 "
    "where some of them are not there.",
    (
        *TABLES,
        Option("skip_first", "Leave out so many lines at the beginning of each file.", "N"),
        Option("keep_blank", "Keep the last line of a file where it is blank."),
        *AFTERWARDS,
    ),
    ("wcat -data data.csv -pattern 'output-[%a%]-[%b%].txt' -output output.txt",),
)


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Concatenate files; return the exit status."""
    text = Text(given.number("skip_first", 0) or 0, given.has("keep_blank"))
    return joined(
        COMMAND, given,
        lambda names, target, remove: concatenated(names, target, text, remove),
    )  # fmt: skip


if __name__ == "__main__":
    main()
