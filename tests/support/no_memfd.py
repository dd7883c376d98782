"""Start a command as in a container whose seccomp profile lacks memfd_create: `no_memfd.py WORD…`.

By a filter of the kernel, which all processes of the command inherit.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {"x86_64": 319, "aarch64": 279}
"""Of memfd_create among the system's calls."""
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_ERROR, _ALLOW = 0x00050000, 0x7FFF0000


class Filter(ctypes.Structure):
    """As <linux/filter.h> has it."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def forbid() -> None:
    steps = (
        (_LOAD, 0, 0, 0),
        (_EQUALS, 0, 1, NUMBERS[platform.machine()]),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    made = Filter(len(steps), code)
    if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(_SECCOMP, _FILTER, ctypes.byref(made), 0, 0):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    forbid()
    os.execvp(sys.argv[1], sys.argv[1:])
