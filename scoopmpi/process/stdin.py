"""A stdin whose end comes as a mark, as its launcher does not say that it has ended.

For a rank 0 on another host than its command, see `launch.beside.feeding`. What comes before the
mark goes into a pipe that takes the place of stdin, so that the program, and what it starts, see
its end.
"""

from __future__ import annotations

import os
import threading

END = b"\x04scoopmpi: stdin ends here 5d1f9c07e2\x04\n"
"""Behind the last byte; what Ctrl-D is as a character, and a text that no input contains."""
_AT_ONCE = 1 << 16


def let_end() -> None:
    """Have stdin end where the mark is, or by itself."""
    marked = os.dup(0)
    read, write = os.pipe()
    os.dup2(read, 0)
    os.close(read)
    os.set_inheritable(0, True)
    threading.Thread(target=_pass, args=(marked, write), name="scoopmpi stdin", daemon=True).start()


def unmarked(data: bytes) -> tuple[bytes, bytes, bool]:
    """Part bytes: what may pass, what may be the beginning of the mark, whether it was there."""
    before, mark, _ = data.partition(END)
    if mark:
        return before, b"", True
    held = next((n for n in range(min(len(END), len(data)), 0, -1) if END.startswith(data[-n:])), 0)
    return data[: len(data) - held], data[len(data) - held :], False


def _pass(marked: int, target: int) -> None:
    kept, ended = b"", False
    try:
        while not ended and (data := os.read(marked, _AT_ONCE)):
            whole, kept, ended = unmarked(kept + data)
            write(target, whole)
        write(target, kept)  # it has ended by itself
    except OSError:
        pass  # nobody reads it any more
    finally:
        os.close(target)


def write(target: int, data: bytes) -> None:
    """Write all of it, as fast as it is taken."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]
