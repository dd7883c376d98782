"""The page of a report: whole in itself, small, and nothing of the user's in it but text."""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest

from scoopmpi.myscoop import main as myscoop
from scoopmpi.process.named_files import NameProblem
from scoopmpi.program.scoop_options import Options
from scoopmpi.ranks.readers import Readers
from scoopmpi.watching.report import making
from scoopmpi.watching.report.facts import facts
from scoopmpi.watching.report.markup import data, visible
from scoopmpi.watching.report.page import LARGEST, page
from scoopmpi.watching.report.run import TracedRun, run_of
from scoopmpi.watching.trace.reading import Trace
from tests.support.traces import Event, Farm, large, lognormal, small

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;\0\ud800\u202e`${1}"
)


def read(trace: Event) -> TracedRun:
    return run_of(trace["otherData"], trace["traceEvents"])


def made(trace: Event) -> str:
    return page(facts(read(trace)), "/* the library */")


def hostile() -> Event:
    """A run whose names and messages are what nobody should write."""
    farm = Farm(workers=4, hosts=2, command=f"prog {HOSTILE}")
    farm.map(f"f{HOSTILE}", lognormal(200, 0.2), failed={3: f"ValueError: {HOSTILE}"})
    farm._name(1, 0, "process_name", f"node{HOSTILE}")
    farm.lose(2)
    trace = farm.trace(status=1)
    trace["otherData"]["versions"]["mpi"] = HOSTILE
    return trace


class Parts(HTMLParser):
    """What a browser makes of a page: elements, their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.heads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"


def test_hostile_names_are_text() -> None:
    parts, harmless = Parts(made(hostile())), Parts(made(Farm(4, 2).map("f", [0.1] * 200).trace()))
    kinds = {tag for tag, _ in parts.tags}
    assert kinds <= {tag for tag, _ in harmless.tags} | {"ul", "li", "h3"}
    assert sum(tag == "script" for tag, _ in parts.tags) == 7
    assert not any(name.startswith("on") for _, attributes in parts.tags for name in attributes)
    assert "<img src=x onerror=alert(2)>'\"&amp;\\x00\\ud800\\u202e" in parts.text


def test_values_for_scripts_end_no_element() -> None:
    text = data({"name": HOSTILE, "sep": "\u2028"})
    assert "<" not in text and ">" not in text
    assert json.loads(text) == {"name": HOSTILE, "sep": "\u2028"}


def test_what_cannot_be_shown_is_said() -> None:
    assert visible("a\0b\x1b[31m\ud800\u202ec") == "a\\x00b\\x1b[31m\\ud800\\u202ec"
    assert visible("größer\n") == "größer\n" and len(visible("x" * 9000)) == 2000


@pytest.mark.parametrize("trace", [small().trace(), large(2000, 40, 4).trace(ended=False)])
def test_a_page_loads_nothing_and_is_whole_for_readers(trace: Event) -> None:
    text = made(trace)
    parts = Parts(text)
    assert not re.findall(r"https?://|@import|url\(", text)
    assert not any({"src", "href", "srcset"} & attributes.keys() for _, attributes in parts.tags)
    policy = next(a for tag, a in parts.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] is not None and "default-src 'none'" in policy["content"]
    assert ("html", {"lang": "en"}) in parts.tags and "Report: squares 100" in parts.text
    tables = [attributes for tag, attributes in parts.tags if tag == "table"]
    assert len(tables) >= 6 and all(attributes["aria-label"] for attributes in tables)
    assert all("scope" in attributes for tag, attributes in parts.tags if tag == "th")


def test_the_tables_have_the_numbers_without_scripts() -> None:
    text = Parts(re.sub(r"<script.*?</script>", "", made(small().trace()), flags=re.S)).text
    for wanted in (
        "Efficiency", "460", "simulate", "fit", "ValueError: no convergence", "node001", "slurm",
        "Open MPI 5.0.8", "map 1 of simulate", "The slowest tasks", "Waiting for rank 0", "squares",
    ):  # fmt: skip
        assert wanted in text, wanted


def luminance(colour: str) -> float:
    """How bright a colour is, as WCAG has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_stands_out_from_what_is_behind_it() -> None:
    style = (Path(making.__file__).parent / "report.css").read_text()
    themes = re.findall(r"color-scheme: (?:light|dark);(.*?)\}", style, flags=re.S)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6});", theme))
        for text in ("text", "muted", "wrong"):
            for behind in ("bg", "panel"):
                bright = sorted(luminance(colours[name]) for name in (text, behind))
                assert (bright[1] + 0.05) / (bright[0] + 0.05) >= 4.5, (text, behind)
        kinds = {colours[f"kind-{number}"] for number in range(9)}
        assert len(kinds) == 9 and not kinds & {colours["idle"], colours["wrong"]}


def test_a_killed_run_says_so() -> None:
    text = Parts(made(large(2000, 40, 4).trace(ended=False))).text
    assert "This run was killed, or is not over" in text and "its end is not known" in text


@pytest.mark.parametrize("farm", [Farm(workers=0, hosts=0), Farm(workers=3).serial(1.0)])
def test_a_run_without_tasks_has_a_page(farm: Farm) -> None:
    text = Parts(made(farm.trace(status=2))).text
    assert "No task has run to its end." in text and "ended with exit status 2" in text


def million(rows: int = 500, each: int = 2000) -> TracedRun:
    """A run of a million spans that do not deflate well."""
    farm = Farm(workers=rows, hosts=20)
    run = read(farm.map("f", [1.0] * rows).map("g", [1.0] * rows).trace())
    chance = np.random.default_rng(1)
    many = np.repeat(np.arange(len(run.spans)), each // 2)
    spans = run.spans.chosen(many)
    spans.row = np.sort(spans.row)
    gaps = chance.exponential(1.0, len(spans)).reshape(rows, each)
    spans.began = np.cumsum(gaps + 0.1, axis=1).ravel()
    spans.ended = spans.began + (chance.random(len(spans)) * gaps.ravel()).clip(1e-5)
    spans.busy = spans.ended - spans.began
    spans.start = chance.integers(0, 1_000_000, len(spans))
    run.spans, run.seconds = spans, float(spans.ended.max()) + 1
    return run


def test_a_million_batches_fit_in_the_bound() -> None:
    plotly = np.random.default_rng(2).bytes(1_470_000).hex()[:2_940_000]  # deflates to 1.47 MB
    text = page(facts(million()), plotly)
    assert 3_000_000 < len(text.encode()) <= LARGEST
    assert "are drawn as one" in text


def test_a_page_is_made_smaller_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from scoopmpi.watching.report import page as module

    found = facts(read(large(20_000, 40, 4).trace()))
    monkeypatch.setattr(module, "LARGEST", 150_000)
    assert len(page(found, "x").encode()) <= 150_000


# Made of a file, by rank 0 and by the command.


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(small().trace()))
    return path


def test_rank_0_makes_it_at_the_end_and_its_own_trace_goes(tmp_path: Path, trace: Path) -> None:
    reporter = making.begun("--report", str(tmp_path / "a{{1}}.html"), None)
    assert reporter.trace_name == str(tmp_path / "a{{1}}.html.trace.json")
    own = tmp_path / "a{1}.html.trace.json"
    trace.rename(own)
    reporter.farm_closed(1)
    assert "simulate" in (tmp_path / "a{1}.html").read_text()
    assert not own.exists() and len(list(tmp_path.iterdir())) == 1


def test_a_trace_that_was_asked_for_stays(
    tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, text = tmp_path / "r.html", ""
    for _ in range(2):
        making.begun("--report", str(target), str(trace)).farm_closed(0)
        assert trace.exists() and "simulate" in target.read_text()
        assert not text or (tmp_path / "r.html.1").read_text() == text
        text = target.read_text()
    assert capsys.readouterr().err.count("of a former run is now") == 1


def test_what_is_no_report_stays_as_it_is(tmp_path: Path, trace: Path) -> None:
    (tmp_path / "model.py").write_text("print(1)")
    with pytest.raises(NameProblem, match="it holds something else"):
        making.begun("--report", str(tmp_path / "model.py"), str(trace))
    assert (tmp_path / "model.py").read_text() == "print(1)"


def test_a_signal_leaves_no_time_for_it(
    tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "r.html"
    making.begun("--report", str(target), str(trace)).farm_closed(143)
    assert trace.exists() and not target.exists()
    said = capsys.readouterr().err
    assert f"; myscoop report {trace} -o {target} makes it" in said and said.count("\n") == 1


@pytest.mark.parametrize("problem", [ValueError("damaged"), MemoryError(), KeyboardInterrupt()])
def test_what_cannot_be_made_is_said_and_the_trace_stays(
    tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, problem: BaseException,
) -> None:  # fmt: skip
    def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(making, "make", fail)
    own = tmp_path / "r.html.trace.json"
    trace.rename(own)
    making.begun("--report", str(tmp_path / "r.html"), None).farm_closed(0)
    said = capsys.readouterr().err
    assert own.exists() and f"myscoop report {own} -o {tmp_path / 'r.html'} makes it" in said


def test_a_trace_that_has_been_removed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "t.json")
    making.begun("--report", str(tmp_path / "r.html"), gone).farm_closed(0)
    said = capsys.readouterr().err
    assert said.endswith(f"r.html: cannot be made: {gone}: No such file or directory\n"), said


def test_without_the_library_it_is_said_what_to_install(
    tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_LIBRARY", "no_such_library")
    with pytest.raises(NameProblem, match=re.escape("pip install 'scoopmpi[report]'")):
        making.begun("--report", str(tmp_path / "r.html"), None)
    done = click.testing.CliRunner().invoke(myscoop, ["report", str(trace)])
    assert done.exit_code == 1 and "pip install 'scoopmpi[report]'" in done.output


def test_a_job_is_told_so_before_its_program_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_LIBRARY", "no_such_library")
    readers = Readers(Options(report=str(tmp_path / "r.html")))
    with pytest.raises(NameProblem, match=r"pip install 'scoopmpi\[report\]'"):
        readers.check()
    assert not list(tmp_path.iterdir())


def test_a_report_that_could_not_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(NameProblem, match="cannot be written: there is no directory"):
        making.begun("--report", str(tmp_path / "no" / "r.html"), None)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NameProblem, match="no plain file"):
        making.begun("--report", str(tmp_path / "pipe"), None)


def test_the_command_makes_it_beside_the_trace_or_where_it_is_told(
    tmp_path: Path, trace: Path
) -> None:
    run = click.testing.CliRunner().invoke
    done = run(myscoop, ["report", str(trace)])
    assert (done.exit_code, done.output) == (0, f"report written to {tmp_path / 'run.html'}\n")
    done = run(myscoop, ["report", str(trace), "-o", str(tmp_path / "other.html")])
    assert (
        done.exit_code == 0
        and (tmp_path / "other.html").read_bytes() == (tmp_path / "run.html").read_bytes()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other.html", "run.html", "run.json"
    ]  # fmt: skip


def test_what_is_no_trace_is_told_in_a_line(tmp_path: Path, trace: Path) -> None:
    run = click.testing.CliRunner().invoke
    (tmp_path / "x.json").write_text('{"traceEvents": []}')
    damaged = small().trace()
    damaged["traceEvents"].append({"ph": "X", "cat": "batch", "ts": "soon"})
    (tmp_path / "y.json").write_text(json.dumps(damaged))
    for name, said in (
        ("x.json", "is no trace of scoopmpi"), ("no.json", "No such file"), ("y.json", "is damaged")
    ):  # fmt: skip
        done = run(myscoop, ["report", str(tmp_path / name)])
        assert done.exit_code == 1 and said in done.output and done.output.count("\n") == 1
    done = run(myscoop, ["report", str(trace), "-o", str(tmp_path / "no" / "r.html")])
    assert done.exit_code == 1 and "No such file" in done.output


def test_a_trace_cut_off_anywhere_has_a_report(tmp_path: Path) -> None:
    whole = small().trace()
    head, events = whole.copy(), whole.pop("traceEvents")
    head["traceEvents"] = []
    first = json.dumps(head, separators=(",", ":")).removesuffix("]}")
    text = first + "\n" + "\n,".join(map(json.dumps, events)) + "\n"
    for part in (1.0, 0.5, 0.2):
        (tmp_path / "t.json").write_text(text[: max(len(first) + 1, int(len(text) * part) - 9)])
        making.make(str(tmp_path / "t.json"), str(tmp_path / "t.html"))
        assert "was killed, or is not over" in (tmp_path / "t.html").read_text()
    assert Trace(str(tmp_path / "t.json")).other["command"] == "squares 100"


def test_thousands_of_maps_are_drawn_to_the_end_of_the_run() -> None:
    farm = Farm(workers=2)
    for _ in range(2500):
        farm.map("step", [0.001, 0.001])
    text = re.search(r'id="data">(.*?)</script>', made(farm.trace()), re.DOTALL)
    assert text is not None
    jobs = json.loads(text[1])["jobs"]
    assert 100 < len(jobs) <= 201 and jobs[1]["name"].endswith(" maps of step")
    assert jobs[-1]["ended"] == pytest.approx(farm.now, abs=0.01)
    assert {job["lane"] for job in jobs} == {0}


def test_where_no_task_ran_nothing_is_said_to_be_well() -> None:
    text = made(Farm(workers=2).trace())
    assert "No task has run to its end" in text and "Nothing stands out" not in text
    assert "Nothing stands out" in made(Farm(workers=2).map("f", [0.1] * 400).trace())
