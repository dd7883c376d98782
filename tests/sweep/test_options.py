"""The options behind the word `sweep`: what they ask for, and what is said of wrong ones."""

from __future__ import annotations

import click
import pytest

from scoopmpi.program.scoop_options import UNABLE
from scoopmpi.sweep import options
from scoopmpi.sweep.asked import SweepOptions

ECHO = ["echo", "$a"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("-t 1-100", {"array": "1-100"}),
        ("-t1-100", {"array": "1-100"}),
        ("--array=1-100", {"array": "1-100"}),
        ("--data a.csv --data b.csv", {"data": ("a.csv", "b.csv")}),
        ("-data a.csv --beside -data b.csv", {"data": ("a.csv", "b.csv"), "beside": True}),
        ("--lines -", {"lines": "-"}),
        ("-t 1 --log l --retry", {"array": "1", "log": "l", "retry": True}),
        ("-t 1 -log l", {"array": "1", "log": "l"}),
        ("-t 1 --reduce a b", {"array": "1", "reduce": ("a", "b")}),
        ("-t 1 --item-timeout 0:20:00", {"array": "1", "item_timeout": 1200.0}),
        ("-t 1 --stop-on-failure", {"array": "1", "halt": "soon,fail=1"}),
        ("-t 1 --retries 2 --chdir x", {"array": "1", "retries": 2, "chdir": "x"}),
        ("-t 1 -dryrun", {"array": "1", "dry_run": True}),
    ],
)
def test_what_is_asked_for(words: str, asked: dict[str, object]) -> None:
    expected = SweepOptions(words=tuple(ECHO), **asked)  # type: ignore[arg-type]
    assert options.parsed([*words.split(), *ECHO]) == expected


def test_all_behind_the_commands_name_is_the_commands() -> None:
    words = ["-t", "1", "cmd", "-t", "2", "--help", "--data", "--", "-n", "3"]
    assert options.parsed(words).words == tuple(words[2:])
    assert options.parsed(["-t", "1", "--", "-odd", "--"]).words == ("-odd", "--")


def test_a_script_needs_no_words() -> None:
    assert options.parsed(["--data", "d.csv", "--batch", "w.pbs"]).batch == "w.pbs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "which items? --data FILE for a table, --lines FILE, or -t 1-100"),
        ("./run", "which items?"),
        ("-t 1-3", "which command? For example: ./simulate -t '$temperature', or --batch SCRIPT"),
        ("-t 1 --batch x ./run", "--batch x or ./run: which is to be run for each item?"),
        ("--lines l --data d ./run", "--data or --lines"),
        ("--lines l -t 1 ./run", "--lines or -t"),
        ("--data - --data - ./run", "stdin can be read once"),
        ("-t 1 --delimiter ; ./run", "--delimiter needs --data FILE"),
        ("-t 1 --null ./run", "--null needs --lines FILE"),
        ("-t 1 --retry ./run", "--retry needs --log FILE"),
        ("-t 1 --enable-prolog ./run", "--enable-prolog needs --prolog FILE"),
        ("-t 1 --reductor r ./run", "--reductor needs --reduce PATTERN FILE"),
        ("-t 1 --results r --output-dir o ./run", "--output-dir or --results"),
        ("-t 1 --substitute ./run", "--substitute needs --batch FILE"),
        ("-t 1 --stop-on-failure --halt now,fail=1 ./run", "--stop-on-failure is --halt"),
        ("-t 1 --item-timeout soon ./run", "'soon': a time is 90 (seconds), 45:00"),
        ("-t 1 --item-timeout 0 ./run", "'0': a time must be above 0"),
        ("-t 1 --retries -1 ./run", "--retries"),
        ("--daat d ./run", "No such option '--daat'. (Did you mean one of: '--data'"),
        ("--status f -t 1 ./run", "--status is no option of the sweep: put it before"),
        ("-j 8 --lines f gzip", "-j is no option here: -n N"),
        ("-j8 --lines f gzip", "-j is no option here: -n N"),
        ("--lines f --resume-failed gzip", "--resume-failed is no option here: --log FILE --retry"),
        ("--lines f --sumbitted gzip", "No such option '--sumbitted'.\n"),
        ("--data d.csv --reduce o-$a ./d.csv ./run", "--reduce ./d.csv: that is the file of"),
        ("-t 1 --log l --joblog ./l ./run", "--joblog ./l: that is the file of --log already"),
        ("-t 1 --batch w --results w", "--results w: that is the file of --batch already"),
        ("gzip ::: a b", "which items? ::: is not read: printf '%s\\n' … | myscoop sweep --lines"),
        ("--lines f gzip {}", "{} in the command: the line is '$ITEM' here"),
    ],
)  # fmt: skip
def test_wrong_words_are_answered_before_anything_runs(words: str, said: str) -> None:
    answer = options.answer(words.split())
    assert answer is not None and answer.status == UNABLE
    assert answer.text.startswith("sweep: ") and said in answer.text
    assert answer.text.endswith("Usage: myscoop sweep [OPTIONS] COMMAND... (--help tells more)\n")
    with pytest.raises(click.UsageError):
        options.parsed(words.split())


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_help_has_every_option(word: str) -> None:
    answer = options.answer([word])
    assert answer is not None and answer.status == 0
    assert max(map(len, answer.text.splitlines())) <= 100
    for param in options.PARAMETERS:
        assert param.hidden or param.opts[-1] in answer.text


def test_right_words_have_no_answer() -> None:
    assert options.answer(["-t", "1-3", "echo"]) is None
    twice = ["--data", "d", "--data", "d", "--log", "/dev/null", "--joblog", "/dev/null"]
    assert options.answer([*twice, "echo"]) is None
    assert options.answer(["--lines", "f", "find", "$ITEM", "-exec", "ls", "{}", ";"]) is None
    assert options.answer(["-t", "1-3", "find", ".", "-exec", "ls", "{}", ";"]) is None


def test_options_become_words_that_ask_for_the_same() -> None:
    words = (
        "--data a.csv --data b.csv -t 1-3 --beside --chdir $a --log l --retry --retries 2"
        " --reduce out-$a all --reductor sum --item-timeout 1:30 --stop-on-failure"
        " --submitted -q --dry-run ./x -t $a --log"
    )
    asked = options.parsed(words.split())
    again = options.as_words(asked)
    assert options.parsed(again) == asked
    assert again[-4:] == ["./x", "-t", "$a", "--log"] and "--array" in again
    odd = options.parsed(["-t", "1", "--", "-x", "y"])
    assert options.parsed(options.as_words(odd)) == odd
    batch = options.parsed(["-t", "1", "-batch", "x y", "--substitute", "--enable-prolog",
                            "--prolog", "p", "--results", "r"])  # fmt: skip
    assert options.parsed(options.as_words(batch)) == batch
