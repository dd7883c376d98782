"""The words of `myscoop kernel install`, by click."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

_OWN = {"install"}


def takes(words: Sequence[str]) -> bool:
    """True where the words are this command's, not the connection file of a front end."""
    return bool(words) and words[0] in _OWN


@click.group()
def commands() -> None:
    """Jupyter kernels whose cells run on the farm."""


@commands.command(context_settings={"ignore_unknown_options": True})
@click.option("--name", default="scoopmpi", help="Of the kernel.")
@click.option("--prefix", default=sys.prefix, help="Below which share/jupyter/kernels lies.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def install(name: str, prefix: str, options: tuple[str, ...]) -> None:
    """Write the kernel NAME, which starts ranks as `myscoop OPTIONS` does."""
    directory = Path(prefix, "share", "jupyter", "kernels", name)
    directory.mkdir(parents=True, exist_ok=True)
    words = [
        sys.executable,
        "-m",
        "scoopmpi.myscoop",
        *options,
        "kernel",
        "-f",
        "{connection_file}",
    ]
    spec = {
        "argv": words, "display_name": f"Python on scoopmpi ({name})", "language": "python",
        "interrupt_mode": "message", "metadata": {"debugger": False},
    }  # fmt: skip
    (directory / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n")
    click.echo(str(directory))
