"""Pictures of a terminal: what a command shows there, at one moment, as a page for a browser.

Here is a terminal without a person: bytes are recorded with their times, and an emulator (pyte)
says what stands on the screen after some of them. Which commands, and which moments, is in `make`.
"""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pyte

# What a terminal has for names of colours, on a dark ground.
COLOURS = {
    "black": "#1c1f26", "red": "#e06c75", "green": "#98c379", "brown": "#d8b26a", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#c8ccd4", "brightblack": "#7f848e",
    "brightred": "#ff8b94", "brightgreen": "#b5e890", "brightbrown": "#ffd68a",
    "brightblue": "#8cc8ff", "brightmagenta": "#e0a0f0", "brightcyan": "#84dfe8",
    "brightwhite": "#ffffff",
}  # fmt: skip
GROUND, INK = "#1c1f26", "#c8ccd4"
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: {ground}; }}
pre {{ margin: 0; padding: 14px 18px; color: {ink}; font: 14px/1.3 "DejaVu Sans Mono", monospace;
       width: max-content; }}
</style><pre>{text}</pre>"""


def recorded(words, columns, rows, cwd, env=None, seconds=120):
    """Run a command at a terminal; return what it shows, as pairs of seconds and bytes."""
    terminal, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    size = {"COLUMNS": "", "LINES": "", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        words, cwd=cwd, env={**os.environ, **size, **(env or {})}, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    begun, found = time.monotonic(), []
    try:
        while time.monotonic() - begun < seconds:
            if select.select([terminal], [], [], 0.2)[0]:
                found.append((time.monotonic() - begun, os.read(terminal, 65536)))
            elif process.poll() is not None:
                break
    except OSError:  # all who could write there have ended
        pass
    os.close(terminal)
    process.wait(30)
    return found


def screen_at(record, columns, rows, typed="", moment=float("inf")):
    """Return the screen when so many seconds have passed. typed: what a person has typed before."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    stream.feed(typed.encode())
    for seconds, data in record:
        if seconds <= moment:
            stream.feed(data)
    return screen


def when(record, columns, rows, says, typed=""):
    """Return the first screen on which a line has something; the last one where none has.

    says: a regular expression.
    """
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    stream.feed(typed.encode())
    for _, data in record:
        stream.feed(data)
        if any(re.search(says, line) for line in screen.display):
            break
    return screen


def page(screen):
    """Return a page that shows a screen, down to its last line with anything on it."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].strip():
        lines.pop()
    return PAGE.format(ground=GROUND, ink=INK, text="\n".join(lines))


def _line(screen, row):
    """Return one line, its neighbours of one look in one span."""
    out, look, run = [], None, ""
    for column in range(screen.columns):
        cell = screen.buffer[row][column]
        mine = (cell.fg, cell.bg, cell.bold, cell.reverse)
        if mine != look:
            out.append(_span(run, look))
            look, run = mine, ""
        run += cell.data
    out.append(_span(run, look))
    return "".join(out).rstrip() if not screen.buffer[row][0].reverse else "".join(out)


def _span(text, look):
    if look is None or not text:
        return ""
    ink, ground, bold, turned = look
    ink, ground = _colour(ink, INK), _colour(ground, "")
    if turned:
        ink, ground = ground or GROUND, ink
    style = "" if ink == INK else f"color:{ink};"
    style += f"background:{ground};" if ground else ""
    style += "font-weight:bold;" if bold else ""
    text = html.escape(text)
    return f'<span style="{style}">{text}</span>' if style else text


def _colour(name, usual):
    if name == "default":
        return usual
    return COLOURS.get(name, f"#{name}")
