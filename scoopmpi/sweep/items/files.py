"""The files that items are in, as text: stdin and pipes once, files as often as is asked for.

What is packed with gzip
is unpacked. Bytes that are no text of the locale come through as they are (surrogateescape): the
operating system gets the same bytes again. Knows nothing of what stands in the text.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, cast

from .item import ItemsProblem

if TYPE_CHECKING:
    from typing_extensions import Buffer

STDIN = "-"
_KEPT = 4 << 20
"""Bytes of a file that is read once: some 100,000 rows, which users may edit meanwhile."""
_LONGEST = 16 << 20
"""Bytes of a line. A program gets 6 MB at most, and 128 KiB in one argument (Linux)."""
_SWAPPED = bytes.maketrans(b"\0\n", b"\n\0")
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_NO_TEXT = (
    (b"\xff\xfe", "is UTF-16: iconv -f UTF-16 -t UTF-8 makes it readable"),
    (b"\xfe\xff", "is UTF-16: iconv -f UTF-16 -t UTF-8 makes it readable"),
    (b"PK\x03\x04", "is a spreadsheet or an archive: save it as CSV"),
    (b"BZh", "is packed with bzip2: unpack it, or use gzip"),
    (b"\xfd7zXZ", "is packed with xz: unpack it, or use gzip"),
)


class Input:
    """A file with items, or stdin. A small file is read here, and what happens to it later is no
    matter; a large one has to stay as it is.

    again: True where it can be read more than once, as pipes cannot.
    """

    def __init__(self, path: str) -> None:
        self.name = "stdin" if path == STDIN else path
        self._path = path
        self._content: bytes | None = None
        with _Told(self.name):
            file = io.FileIO(0, closefd=False) if path == STDIN else io.FileIO(path)
            self._mark = _mark(file)
            self.again = path != STDIN and stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            if self.again and self._mark.size <= _KEPT:
                self._content = file.readall()
        self._stream = None if self.again else file
        if self.again:
            file.close()

    def text(
        self,
        newline: str = "",
        look: Callable[[bytes], None] | None = None,
        swapped: bool = False,
    ) -> io.TextIOWrapper:
        """Return its text from the beginning.

        newline: as `open` has it. look: gets all blocks of bytes before they are text. swapped:
        NUL and LF change places, for lists in which NUL ends a line.
        Raises ItemsProblem, here or while it is read, for all that is no text.
        """
        watched = _Watched(self.name, self._bytes(), look, swapped)
        return io.TextIOWrapper(
            cast(BinaryIO, watched), encoding=sys.getfilesystemencoding(),
            errors="surrogateescape", newline=newline,
        )  # fmt: skip

    def _bytes(self) -> io.FileIO | io.BytesIO:
        if self._content is not None:
            return io.BytesIO(self._content)
        if self.again:
            with _Told(self.name):
                return _Unchanged(self._path, self._mark)
        stream, self._stream = self._stream, None
        if stream is None:
            raise ItemsProblem(f"{self.name} can be read only once")
        return stream


class _Mark(NamedTuple):
    """What a file that has not been changed keeps."""

    device: int
    inode: int
    size: int
    changed: int


def _mark(file: io.FileIO) -> _Mark:
    status = os.fstat(file.fileno())
    return _Mark(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class _Unchanged(io.FileIO):
    """A file whose bytes are what they were when it was first opened."""

    def __init__(self, path: str, mark: _Mark) -> None:
        super().__init__(path)
        self._path, self._mark = path, mark

    def readinto(self, buffer: Buffer, /) -> int | None:
        """Read as a file does; raises ItemsProblem where it is another one now."""
        count = super().readinto(buffer)
        all_was_read = not count and self.tell() == self._mark.size
        if not all_was_read and _mark(self) != self._mark:
            raise ItemsProblem(
                f"{self._path} was changed while it was read: start again when it is complete"
            )
        return count


class _Blocks(Protocol):
    """Bytes that come as they are there, as `io.BufferedReader` has them."""

    def peek(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...
    def read1(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Watched(io.BufferedIOBase):
    """The bytes of a file, block by block, of which each was looked at."""

    def __init__(
        self,
        name: str,
        file: io.FileIO | io.BytesIO,
        look: Callable[[bytes], None] | None,
        swapped: bool,
    ) -> None:
        packed = io.BufferedReader(file)
        self._name, self._raw, self._look, self._swapped = name, file, look, swapped
        self._line_ends = 0
        self._last = b""
        self._since = 0
        self._file: _Blocks = packed
        with _Told(name):
            if packed.peek(len(_GZIP)).startswith(_GZIP):
                self._file = gzip.GzipFile(fileobj=packed)
            head = self._file.peek(len(_BOM))
            for magic, said in _NO_TEXT:
                if head.startswith(magic):
                    raise ItemsProblem(f"{name} {said}")
            if head.startswith(_BOM):
                self._file.read(len(_BOM))

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        with _Told(self._name):
            block = self._file.read1(size)
        if self._swapped:
            block = block.translate(_SWAPPED)
        elif b"\0" in block:
            self._find_nul(block)
        self._count(block)
        if self._look is not None:
            self._look(block)
        return block

    def close(self) -> None:
        self._file.close()
        self._raw.close()
        super().close()

    def _count(self, block: bytes) -> None:
        """Count line ends, as `open` with newline="" has them."""
        ends = block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
        if self._last == b"\r" and block[:1] == b"\n":
            ends -= 1
        self._line_ends += ends
        self._last = block[-1:]
        self._since = 0 if ends else self._since + len(block)
        if self._since > _LONGEST:
            raise ItemsProblem(
                f"{self._name}, line {self._line_ends + 1}: longer than {_LONGEST >> 20} MiB, "
                "which no program can be given"
            )

    def _find_nul(self, block: bytes) -> None:
        self._count(block[: block.index(b"\0")])
        raise ItemsProblem(
            f"{self._name}, line {self._line_ends + 1}: a NUL byte, which no program can be given; "
            "is it UTF-16 (iconv), a binary file, or made with -print0 (--lines FILE --null)?"
        )


class _Told:
    """What goes wrong with reading within it is an ItemsProblem."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
            raise ItemsProblem(f"{self._name} is packed with gzip, and damaged: {error}") from None
        if isinstance(error, OSError | ValueError):  # of a name with a NUL
            said = getattr(error, "strerror", None) or str(error)
            if self._name.startswith("/dev/fd/"):  # <(…), which the shell opens for the launcher
                said += ": the shell has opened it for myscoop alone; pipe it in (-)"
            raise ItemsProblem(f"{self._name} cannot be read: {said}") from None
