"""The words of `myscoop kernel install`, by click: checked here, as nobody sees a start's errors.

A front end shows little of what a kernel says that does not start. So the options are read as
`myscoop` reads them, and those that make no sense for a notebook are refused, with what does.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import click
from click.core import ParameterSource

from ..cli.request import requested
from . import spec

NAME = "scoopmpi"
_CHECKPOINT = "cells run in any order: in a cell, MPIExecutor(checkpoint='run.ckpt') keeps"
_RUNS = "it does not run a kernel"
REFUSED: Mapping[str, str] = {
    "checkpoint": f"{_CHECKPOINT} what is done",
    "keep_failures": _CHECKPOINT,
    "restarts": "a front end starts its kernel again, and its variables are gone then",
    "stop_before": "a kernel ends with its front end; --walltime and task.seconds_left() tell",
    "interactive": "the notebook is the prompt",
    "debug_task": "a notebook has no terminal; %debug shows what a task has raised",
    "scoop_module": _RUNS,
    "dry_run": _RUNS,
    "explain": f"{_RUNS}; myscoop --explain kernel says what one would find",
    "job": _RUNS,
    "show_managers": _RUNS,
    "show_flavours": _RUNS,
    "output": "what is printed belongs into the cells",
}
"""Options of `myscoop` that a kernel cannot have, by their names in click, and why."""


def takes(words: Sequence[str]) -> bool:
    """True where the words are this command's, whatever program has its name."""
    return words[:1] in (["install"], ("install",))


@click.group()
def commands() -> None:
    """Jupyter kernels whose cells run on the farm."""


@commands.command(context_settings={"ignore_unknown_options": True})
@click.option("--name", default=NAME, metavar="NAME", help=f"Of the kernel ({NAME}).")
@click.option("--display-name", "title", metavar="TEXT", help="What menus of front ends show.")
@click.option("--user", is_flag=True, help="Among your own kernels, whatever this environment is.")
@click.option("--sys-prefix", "environment", is_flag=True, help="In this Python's environment.")
@click.option("--prefix", metavar="DIR", help="Below DIR/share/jupyter/kernels.")
@click.option("--replace", is_flag=True, help="Also where another kernel has the name.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF MYSCOOP]...")
@click.pass_context
def install(
    ctx: click.Context, name: str, title: str | None, user: bool, environment: bool,
    prefix: str | None, replace: bool, options: tuple[str, ...],
) -> None:  # fmt: skip
    """Write a Jupyter kernel down, which starts ranks as myscoop OPTIONS does.

    Without --user, --sys-prefix or --prefix: in this environment, where it is a virtual one or
    Conda's, else among your own kernels. `jupyter kernelspec remove NAME` takes it away.

    \b
    myscoop kernel install
    myscoop kernel install --name many --display-name "16 workers" -n 16 --multi 8
    myscoop kernel install --user --hybrid 2
    """
    chosen = [prefix is not None, user, environment]
    if sum(chosen) > 1:
        raise click.UsageError("one of --user, --sys-prefix and --prefix: where is it to lie?", ctx)
    if find_spec("ipykernel") is None:
        raise click.ClickException(
            f"{sys.executable} has no ipykernel, which a kernel needs: "
            "pip install 'scoopmpi[notebook]'"
        )
    _check(ctx, options)
    try:
        name = spec.name_of(name)
        place = spec.directory(name, sys.prefix if environment else prefix, user)
        _written(place, spec.content(options, title or _title(name, options)), replace)
    except spec.SpecError as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        text = f"{problem.filename or place}: {problem.strerror}; --user needs no rights of others"
        raise click.ClickException(text) from None
    click.echo(place)
    if not spec.found_by_jupyter(place):
        click.echo(
            f"Jupyter of this environment does not look there; with JUPYTER_PATH="
            f"{shlex.quote(str(place.parent.parent))} it does", err=True,
        )  # fmt: skip


def _title(name: str, options: Sequence[str]) -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    more = shlex.join((*((name,) if name != NAME else ()), *options))
    return f"Python {version} on scoopmpi" + (f" ({more})" if more else "")


def _written(place: Path, said: dict[str, object], replace: bool) -> None:
    other = spec.owner(place)
    if other and not replace:
        raise spec.SpecError(
            f"the name is taken: {other}, in {place}. Choose another --name, or --replace it"
        )
    spec.write(place, said)


def _check(ctx: click.Context, options: Sequence[str]) -> None:
    """Read the options as `myscoop` does. Raises click.UsageError."""
    outer = ctx.find_object(click.Context)
    if outer is None:
        return
    if any(_given(outer, name) for name in outer.params if name != "words"):
        raise click.UsageError(
            "options of the kernel stand behind install: myscoop kernel install -n 4", ctx
        )
    read = outer.command.make_context("myscoop", [*options, spec.PROGRAM], parent=None)
    words = requested(read).words
    if words != (spec.PROGRAM,):
        raise click.UsageError(f"{words[0]} is no option of myscoop: the program is the notebook")
    for name, why in REFUSED.items():
        if _given(read, name):
            shown = next(param.opts[-1] for param in outer.command.params if param.name == name)
            raise click.UsageError(f"a kernel cannot have {shown}: {why}", ctx)
    if _given(read, "report") and find_spec("plotly") is None:
        raise click.ClickException("--report needs plotly: pip install 'scoopmpi[report]'")


def _given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
