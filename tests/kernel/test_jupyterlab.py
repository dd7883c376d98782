"""JupyterLab in a browser: a cell that runs on the farm, one that is interrupted, and a restart.

Skipped without JupyterLab, Playwright (both from PyPI, and too large for the extra `test`), and a
Chromium of the system.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import browser
from tests.support.libraries import Library
from tests.support.notebook import installed, processes

playwright = pytest.importorskip("playwright.sync_api", reason="a browser is led by Playwright")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("jupyterlab", reason="the front end is JupyterLab")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(browser.found() is None, reason="a Chromium of the system is needed"),
]
CELLS = (
    "import time\nfrom scoopmpi import futures\n"
    "def said(x):\n    print('task', x)\n    return x * x\nsum(futures.map(said, range(4)))",
    "def sleeps(x):\n    print('began')\n    time.sleep(60)\nlist(futures.map(sleeps, range(4)))",
    "sum(futures.map(abs, range(100)))",
    "def works(x):\n    time.sleep(0.1)\nlist(futures.map(works, range(60)))[0]",
)
RUNS_SECONDS = 60_000.0
"""Milliseconds, as Playwright has them."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lab(first_library: Library, tmp_path: Path) -> Iterator[str]:
    """The address of a notebook in a JupyterLab, whose kernel is ours."""
    installed(tmp_path, "--sched=local", "-n", "2", name="scoopmpi")
    made = nbformat.v4.new_notebook()
    kernel = {"name": "scoopmpi", "display_name": "scoopmpi", "language": "python"}
    made.metadata["kernelspec"] = kernel
    made.cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    nbformat.write(made, tmp_path / "run.ipynb")
    port = free_port()
    words = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    words += [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    words += [f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}"]
    env = {**first_library.env, "JUPYTER_PATH": str(tmp_path / "share" / "jupyter")}
    env |= {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        words, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            until = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    asked = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/kernelspecs")
                    assert "scoopmpi" in json.load(asked)["kernelspecs"]
                    break
                assert time.monotonic() < until and server.poll() is None
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/lab/tree/run.ipynb?reset"
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert not processes(str(tmp_path))


def test_a_cell_runs_is_interrupted_and_the_kernel_restarted(lab: str, tmp_path: Path) -> None:
    with playwright.sync_playwright() as led:
        shown = led.chromium.launch(executable_path=browser.found(), args=["--no-sandbox"])
        page = shown.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(RUNS_SECONDS)
        page.goto(lab)
        cells = page.locator(".jp-Notebook .jp-CodeCell")
        cells.nth(3).wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()

        def run(number: int) -> Any:
            for _ in range(20):  # what arrives above moves the cells
                cells.nth(number).locator(".jp-InputPrompt").click()
                page.wait_for_timeout(200)
                if "jp-mod-active" in (cells.nth(number).get_attribute("class") or ""):
                    break
            page.keyboard.press("Control+Enter")
            return cells.nth(number).locator(".jp-OutputArea-output")

        output = run(0)
        playwright.expect(output.last).to_contain_text("14", timeout=RUNS_SECONDS)
        said = "\n".join(output.all_inner_texts())
        assert all(f"task {number}" in said for number in range(4))
        output = run(1)
        playwright.expect(output.first).to_contain_text("began\nbegan", timeout=RUNS_SECONDS)
        page.keyboard.press("Escape")
        page.keyboard.press("i")
        page.keyboard.press("i")
        playwright.expect(output.last).to_contain_text("KeyboardInterrupt", timeout=RUNS_SECONDS)
        output = run(2)
        playwright.expect(output.last).to_contain_text("4950", timeout=RUNS_SECONDS)
        output = run(3)
        bar = cells.nth(3).locator("progress")
        playwright.expect(bar.first).to_be_visible(timeout=RUNS_SECONDS)
        page.screenshot(path=tmp_path / "lab.png")
        playwright.expect(output.first).to_contain_text("60 of 60 done", timeout=RUNS_SECONDS)
        page.keyboard.press("Escape")
        page.keyboard.press("0")
        page.keyboard.press("0")
        page.locator("dialog, .jp-Dialog").get_by_text("Restart", exact=True).click()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        output = run(2)
        playwright.expect(output.last).to_contain_text("NameError", timeout=RUNS_SECONDS)
        shown.close()
