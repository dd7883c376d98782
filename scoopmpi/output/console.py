"""stdout and stderr of rank 0 as the program sees them, and what tasks print among its lines.

The program's text lies in C buffers, as in any Python, and is moved on before anything of tasks
is written: one order. Each other thread keeps its text to itself until its line ends. Nothing else
of a stream differs from Python's own. Who writes a file, and who waits, is said in `outlet`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TextIO

from .ends import Buffer, Others, Own, OwnErrors
from .outlet import Outlet

NAMES = {1: "stdout", 2: "stderr"}
Tell = Callable[[int, dict[str, Any]], None]
_consoles: dict[int, Console] = {}
"""Those of this process; none where the streams are the user's."""
_cells: Callable[[int, bytes, int | None], bool] | None = None
"""Shows what tasks print in the cells of a notebook, where there is one."""


class _Mine(threading.local):
    """Holds what a console's `write` is in each thread."""

    def __init__(self, text: Callable[[], io.TextIOWrapper]) -> None:
        self.text = text()
        self.write = self.text.write


class Console(io.TextIOWrapper):
    """Stands in the place of stdout or stderr of rank 0.

    number: 1 or 2. like: the stream in whose place it stands.
    tell: told the settings that make bytes of text, now and when the program changes them.
    """

    mode = "w"
    # Found without a line of Python: a million prints take 1.1 times what they take without us;
    # with a method of ours it would be 1.7.
    # It can be set too, for the calling thread: IPython keeps what a cell prints that way.
    write = property(attrgetter("_mine.write"), lambda self, to: setattr(self._mine, "write", to))

    def __init__(self, number: int, like: TextIO, outlet: Outlet, tell: Tell) -> None:
        self.shown = f"<{NAMES[number]}>"
        self.number, self.fd, self.outlet = number, like.fileno(), outlet
        outlet.takes(self.fd)
        self.owner = threading.get_ident()
        self.through: bool = getattr(like, "write_through", False)
        self._like = like  # kept, as its end would close the descriptor
        self._tell = tell
        self._coding: dict[str, Any] = {
            "encoding": like.encoding,
            "errors": like.errors,
            "newline": "\n",
        }
        self.own = Own(self) if number == 1 else OwnErrors(self)
        self._others = Others(self)
        line_buffering = getattr(like, "line_buffering", False)
        self.at_once = self.through or line_buffering
        own: Any = self.own
        super().__init__(own, **self._coding, line_buffering=line_buffering)
        self._text = io.TextIOWrapper(
            own, **self._coding, line_buffering=line_buffering, write_through=self.through
        )
        self._texts: weakref.WeakSet[io.TextIOWrapper] = weakref.WeakSet([self._text])
        self._mine = _Mine(self._text_of_thread)
        self._buffer = Buffer(self)
        tell(number, dict(self._coding))

    def _text_of_thread(self) -> io.TextIOWrapper:
        if threading.get_ident() == self.owner:
            return self._text
        others: Any = self._others
        text = io.TextIOWrapper(others, **self._coding, write_through=True)
        self._texts.add(text)
        return text

    @property
    def buffer(self) -> Any:
        """The binary end, where bytes go."""
        return self._buffer

    @property
    def write_through(self) -> bool:
        """True where what is written is shown at once, without a newline."""
        return self.through

    def put(self, data: bytes, who: int | None) -> None:
        """Write bytes of another thread, or of tasks, behind what the program has written."""
        with self.outlet.lock:
            inside = self.outlet.turn()  # first: what is taken out of a buffer must not wait
            if who is None or not inside:
                self.own.move_for_others(self._text)
            self.outlet.put(self.fd, data, who)

    def write_bytes(self, data: bytes) -> None:
        """Take bytes of the program, behind its text."""
        if threading.get_ident() == self.owner:
            self._text.flush()
            self.own.add(data)
        else:
            self._others.write(data)

    def writelines(self, lines: Any) -> None:
        """Write each of these lines."""
        write = self.write
        for line in lines:
            write(line)

    def flush(self) -> None:
        """Show what the calling thread has written, the beginning of a line too."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        me = threading.get_ident()
        with self.outlet.lock:
            inside = self.outlet.turn()
            if me == self.owner:
                self._text.flush()
                self.own.move(everything=True)
                rest = self._others.of_the_dead()
            else:
                if not inside:
                    self.own.move_for_others(self._text)
                rest = self._others.lines.rest(me)
            if rest:
                self.outlet.put(self.fd, rest, me)
            self.outlet.again(self.fd)

    def reconfigure(self, **settings: Any) -> None:
        """Change settings as any text stream does; tasks follow."""
        self.flush()
        super().reconfigure(**settings)
        through = settings.pop("write_through", None)
        if through is not None:
            self.through = bool(through)
            self._text.reconfigure(write_through=self.through)
        self._text.reconfigure(line_buffering=settings.pop("line_buffering", None))
        self.at_once = self.through or self._text.line_buffering
        coding = {name: what for name, what in settings.items() if what is not None}
        if "encoding" in coding:
            coding.setdefault("errors", self.errors)
        self._coding.update(coding)
        for text in list(self._texts) if coding else ():
            text.reconfigure(**coding)
        if coding:
            self._tell(self.number, coding)

    def detach(self) -> Any:
        """Give the binary end, after all that was written."""
        self.flush()
        return self._buffer

    def close(self) -> None:
        """No more can be written; what tasks print is dropped. The descriptor stays open."""
        if not self.closed:
            try:
                self.flush()
            finally:
                self.own.closed = self._others.closed = True

    def __repr__(self) -> str:
        return f"<_io.TextIOWrapper name={self.name!r} mode='w' encoding={self.encoding!r}>"

    def __del__(self) -> None:
        """Nothing is left to write: the interpreter has flushed it."""

    def forked(self) -> None:
        """Begin anew in a child of the program."""
        self.outlet.reset()


def install(tell: Tell) -> None:
    """Put consoles in the place of stdout and stderr; one that is closed stays so."""
    outlets: dict[tuple[int, int], Outlet] = {}
    for number, name in NAMES.items():
        like = getattr(sys, name)
        if not isinstance(like, io.TextIOWrapper):
            continue
        like.flush()
        file = os.fstat(like.fileno())
        outlet = outlets.setdefault((file.st_dev, file.st_ino), Outlet())
        console = _consoles[number] = Console(number, like, outlet, tell)
        setattr(sys, name, console)
        setattr(sys, f"__{name}__", console)
        for handler in logging.getLogger("scoopmpi").handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is like:
                handler.setStream(console)
    os.register_at_fork(after_in_child=_forked)


def _forked() -> None:
    for console in _consoles.values():
        console.forked()


def held(number: int) -> bool:
    """True where lines of tasks shall wait a moment, as the program's own has not ended."""
    console = _consoles.get(number)
    return console is not None and console.outlet.held()


def outlet(number: int) -> Outlet | None:
    """Return who writes for stdout (1) or stderr (2); None where that is the user's own stream."""
    console = _consoles.get(number)
    return None if console is None else console.outlet


def has_said(text: str) -> bool:
    """True where all lines of a text stand among the first that the program wrote to stderr."""
    own = _consoles[2].own if 2 in _consoles else None
    if not isinstance(own, OwnErrors):
        return False
    first = own.first.decode(errors="backslashreplace").splitlines()
    return set(text.splitlines()) <= set(first)


def show_by(cells: Callable[[int, bytes, int | None], bool] | None) -> None:
    """Have what tasks print be shown elsewhere, in cells of a notebook; returns False for here."""
    global _cells
    _cells = cells


def show(number: int, data: bytes, group: int | None = None) -> None:
    """Print what tasks of a group have printed to stdout (1) or stderr (2).

    Raises OSError where stdout is gone, as it would for the program itself.
    """
    file, console = getattr(sys, NAMES[number]), _consoles.get(number)
    try:
        if _cells is not None and _cells(number, data, group):
            return
        if console is None or (file is not console and _end(file) is not console.buffer):
            _show_in(file, data)
            return
        if file is not console:
            file.flush()
        if not console.closed:
            console.put(data, None)
    except ValueError:
        pass  # the program has closed it
    except OSError as problem:
        from ..concurrency.signal_scopes import came_of_signal  # late: a file for each worker

        if (console is not None and number == 1) or came_of_signal(problem):
            raise


def _end(file: Any) -> Any:
    return getattr(file, "buffer", None)


def _show_in(file: Any, data: bytes) -> None:
    """Print in what the program has put in the place of its stream."""
    end, flush = _end(file), getattr(file, "flush", None)
    if end is not None:
        file.flush()
        end.write(data)
    elif file is not None:
        encoding = getattr(file, "encoding", None) or "utf-8"
        file.write(data.decode(encoding, "backslashreplace"))
    if flush is not None:
        flush()
