"""A Chromium without a window, for tests that look at pages: opens, asks, zooms, takes pictures.

It is spoken to over two pipes (`--remote-debugging-pipe`): messages in JSON, each ended by a NUL.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def found() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a Chromium of its own, which has no network.

    profile: a directory for what it writes. patience: seconds for each answer.
    """

    def __init__(self, profile: Path, patience: float = 30.0) -> None:
        self.requests: list[str] = []
        """Addresses that the page wanted to load."""
        self.said: list[str] = []
        """What the page has written to the console, and its errors."""
        self._patience = patience
        self._left, self._number, self._session = b"", 0, ""
        from_us, to_it = os.pipe()
        from_it, to_us = os.pipe()
        words = (
            f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}',
            found() or "chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--remote-debugging-pipe", "--hide-scrollbars", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking",
            f"--user-data-dir={profile}", "about:blank",
        )  # fmt: skip
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", *words], pass_fds=(from_us, to_us), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(from_us)
        os.close(to_us)
        self._to, self._from = to_it, from_it

    def __enter__(self) -> Browser:
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for room in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{room}.enable")
        self._ask(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1,
            uploadThroughput=-1,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        os.close(self._to)  # it ends when nobody speaks to it any more
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait(5)
        os.close(self._from)

    def open(
        self, path: Path, width: int = 1200, height: int = 900, dark: bool = False,
        ready: str = "document.body && document.body.dataset.ready === 'yes'", query: str = "",
    ) -> None:  # fmt: skip
        """Open a file and wait until its scripts have drawn it.

        ready: true of the page when they have. query: what stands behind the address.
        """
        self.size(width, height)
        self.look(dark)
        self._ask("Page.navigate", url=path.as_uri() + query)
        deadline = time.monotonic() + self._patience
        while not self.value(ready):
            assert time.monotonic() < deadline, f"the page is not ready: {self.said}"
            time.sleep(0.05)

    def size(self, width: int, height: int = 900) -> None:
        """Make the window so large."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip

    def look(self, dark: bool, paper: bool = False) -> None:
        """Prefer dark or light colours, or print."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", media="print" if paper else "", features=[scheme])

    def value(self, code: str) -> Any:
        """Return the value of an expression of the page; of a promise, what it comes to."""
        answer = self._ask(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """Write the whole page as PNG."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self._ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Move or press the mouse, or turn its wheel, at a place of the window."""
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def key(self, name: str) -> None:
        """Press and release a key."""
        text = {"text": name} if len(name) == 1 else {}
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=name, **text)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=name)

    def _ask(self, method: str, **given: Any) -> Any:
        self._number += 1
        question: dict[str, Any] = {"id": self._number, "method": method, "params": given}
        if self._session:
            question["sessionId"] = self._session
        os.write(self._to, json.dumps(question).encode() + b"\0")
        deadline = time.monotonic() + self._patience
        while True:
            heard = self._heard(deadline)
            if heard.get("id") == self._number:
                assert "error" not in heard, f"{method}: {heard['error']}"
                return heard["result"]
            self._note(heard)

    def _note(self, heard: dict[str, Any]) -> None:
        method, what = heard.get("method"), heard.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(str(what["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.said.append(what["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(str([each.get("value") for each in what["args"]]))

    def _heard(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._left:
            wait = deadline - time.monotonic()
            ready = wait > 0 and select.select([self._from], [], [], wait)[0]
            assert ready, "Chromium does not answer"
            data = os.read(self._from, 1 << 20)
            assert data, "Chromium has ended"
            self._left += data
        text, _, self._left = self._left.partition(b"\0")
        heard: dict[str, Any] = json.loads(text)
        return heard
