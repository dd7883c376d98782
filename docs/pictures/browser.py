"""Pictures of pages: a browser without a window (Chromium) draws them."""

import os
import re
import shutil
import subprocess
import tempfile

BROWSERS = "chromium", "chromium-browser", "google-chrome"


def drawn(page, picture, width, height, scale=1.5, more=()):
    """Have a page drawn to a PNG file.

    page: the path of a file. picture: what is written. width, height: pixels of the window.
    scale: pixels of the picture for one of the window. more: further options of the browser.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as profile:
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}", f"--force-device-scale-factor={scale}",
            f"--window-size={width},{height}", "--virtual-time-budget=5000",
            f"--screenshot={os.path.abspath(picture)}", *more, f"file://{os.path.abspath(page)}",
        ]  # fmt: skip
        subprocess.run(words, check=True, timeout=60, capture_output=True)


def size_of(page):
    """Return how wide and high the text of a terminal's page is, in pixels of a window."""
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    script = (
        "<script>document.title=[document.querySelector('pre').offsetWidth,"
        "document.querySelector('pre').offsetHeight].join('x')</script>"
    )
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "page.html")
        with open(page) as source, open(path, "w") as copy:
            copy.write(source.read() + script)
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu",
            f"--user-data-dir={directory}/profile", "--dump-dom", f"file://{path}",
        ]  # fmt: skip
        answer = subprocess.run(words, check=True, timeout=60, capture_output=True, text=True)
    width, height = re.search(r"<title>(\d+)x(\d+)</title>", answer.stdout).groups()
    return int(width), int(height)
