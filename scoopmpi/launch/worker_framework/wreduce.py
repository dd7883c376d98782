"""`wreduce … -reductor ./add.sh -output all`: files of items, joined by a program."""

from __future__ import annotations

from ...sweep.outputs.joining import reduced
from .command_line import CommandLine
from .files_of_items import AFTERWARDS, TABLES, joined
from .words import Given, Option, Refused

COMMAND = CommandLine(
    "wreduce",
    "-data FILE[,FILE] -pattern PATTERN -reductor PROGRAM -output FILE [OPTIONS]",
    "Have a program join the files of the items of a table, in the order of its rows: it is run "
    "as PROGRAM OUTPUT FILE for each, and adds FILE to OUTPUT. The exit status is 1 where some of "
    "them are not there.",
    (
        *TABLES,
        Option("reductor", "The program that joins two files.", "PROGRAM", ("reduce",)),
        *AFTERWARDS,
    ),
    ("wreduce -data data.csv -pattern 'out-[%a%].txt' -reductor ./add.sh -output all.dat",),
)


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Have the reductor join files; return the exit status."""
    reductor = given.last("reductor")
    if reductor is None:
        raise Refused("which program joins the files? -reductor PROGRAM; wcat concatenates them")
    return joined(
        COMMAND, given,
        lambda names, target, remove: reduced(names, target, reductor, remove),
    )  # fmt: skip


if __name__ == "__main__":
    main()
