"""ipykernel as the program that rank 0 runs."""

from __future__ import annotations

from collections.abc import Sequence


def serve(words: Sequence[str]) -> None:
    """Be the kernel of the front end that the words name (`-f connection.json`), until it ends."""
    from ipykernel.kernelapp import IPKernelApp  # late: only kernels need it

    app = IPKernelApp.instance()
    app.initialize([*words])
    app.start()
