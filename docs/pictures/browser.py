"""Pictures of pages: a browser without a window (Chromium) draws them, and does what it is told.

It is told by its own protocol, through two pipes. What pages there are is in `make`.
"""

import base64
import contextlib
import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time

BROWSERS = "chromium", "chromium-browser", "google-chrome"
SECONDS = 60  # for an answer; most take less than one


class Page:
    """A page in a browser of its own, from the beginning to the end of a `with` block.

    address: of the page. width, height: pixels of the window. scale: pixels of a picture for one
    of the window. dark: whether the user prefers dark colours.
    """

    def __init__(self, address, width, height, scale=1, dark=False):
        self._profile = tempfile.mkdtemp()
        (ours, self._out), (self._in, theirs) = os.pipe(), os.pipe()
        browser = next(filter(None, map(shutil.which, BROWSERS)))
        words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 f"--user-data-dir={self._profile}", "--remote-debugging-pipe"]  # fmt: skip
        self._process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{ours} 4>&{theirs}', "sh", *words, "about:blank"],
            pass_fds=(ours, theirs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(ours)
        os.close(theirs)
        self._said, self._number, self._session = b"", 0, {}
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self._do("Emulation.setDeviceMetricsOverride", **size)
        colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._do("Emulation.setEmulatedMedia", features=[colours])
        self._do("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, RuntimeError):
            self._do("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)

    def value(self, script):
        """Return what a script on the page gives."""
        return self._do("Runtime.evaluate", expression=script)["result"].get("value")

    def until(self, script):
        """Wait until a script on the page gives something true."""
        end = time.monotonic() + SECONDS
        while not self.value(script):
            if time.monotonic() > end:
                raise RuntimeError(f"still not: {script}")
            time.sleep(0.1)

    def picture(self, target, of=None):
        """Write what is shown to a PNG file. of: a selector of the only part that is wanted."""
        clip = {}
        if of is not None:
            box = self.value(
                f"JSON.stringify(document.querySelector({of!r}).getBoundingClientRect())"
            )
            box = json.loads(box)
            clip = {"clip": {key: box[key] for key in ("x", "y", "width", "height")} | {"scale": 1}}
        png = self._do("Page.captureScreenshot", format="png", **clip)["data"]
        with open(target, "wb") as file:
            file.write(base64.b64decode(png))

    def _do(self, method, **parameters):
        self._number += 1
        words = {"id": self._number, "method": method, "params": parameters, **self._session}
        data = json.dumps(words).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while (answer := self._heard()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _heard(self):
        while b"\0" not in self._said:
            if not select.select([self._in], [], [], SECONDS)[0]:
                raise RuntimeError("the browser says nothing")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise RuntimeError("the browser has ended")
            self._said += data
        word, self._said = self._said.split(b"\0", 1)
        return json.loads(word)


@contextlib.contextmanager
def served(directory, files):
    """Give the address of a directory on this machine while a block lasts.

    files: by name, further files that are to be found there.
    """

    class Files(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            name = path.partition("?")[0].lstrip("/")
            return str(files[name]) if name in files else super().translate_path(path)

        def log_message(self, *_):
            pass

    handler = functools.partial(Files, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
