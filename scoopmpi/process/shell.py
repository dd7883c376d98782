"""A ready program: Python at a prompt on rank 0, or from stdin, with the farm behind it.

`python -m scoop` without a program. What is typed lives in `__main__`, so functions travel by
value.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run all of stdin where the argument is -, else ask line by line until the end."""
    space = vars(sys.modules["__main__"])
    if sys.argv[1:2] == ["-"]:
        sys.argv[:] = sys.argv[1:]
        source = sys.stdin.read()
        exec(compile(source, "<stdin>", "exec", dont_inherit=True), space)
        return
    import code

    from .. import runtime

    sys.argv[:] = [""]
    workers = max(1, runtime.size - 1)
    banner = f"Python {sys.version.split()[0]}, scoopmpi with {workers} workers.\n"
    banner += "from scoopmpi import futures; exit() or Ctrl-D ends"
    code.interact(banner, local=space, exitmsg="")


if __name__ == "__main__":
    main()
