"""`mympirun PROGRAM ARGUMENTS…`: any MPI program on all cores of a batch job, a rank for each.

The command line; the rest is as for `myscoop`, in `wrapper`. No farm, so no rank besides.
"""

from __future__ import annotations

import click

from .launch.cli import options
from .launch.cli.completion import files
from .launch.cli.help import ProgramWords, WrapperCommand
from .launch.cli.request import requested
from .launch.commandline.launch import Launch, of_each_rank
from .process import streams

_OF_MPIRUN = (
    click.Option(["-np", "np"], hidden=True, metavar="N"),
    click.Option(["-machinefile", "machinefile"], hidden=True, metavar="FILE"),
)
"""What programs say who start `mpirun` themselves, where `mpirun` is a link to this command."""


@click.command(
    "mympirun",
    cls=WrapperCommand,
    sections=options.SECTIONS,
    params=[
        options.universe(), *options.SHARED, *_OF_MPIRUN, *options.forgotten("all-gpus"),
        ProgramWords("PROGRAM [ARGUMENTS]...", files),
    ],
)  # fmt: skip
@click.pass_context
def main(ctx: click.Context, /, **given: object) -> None:
    """Run PROGRAM, an MPI program, with a rank for each core of this batch job, or this machine.

    A Python file need not be executable. Everything after PROGRAM belongs to it.

    \b
    mympirun ./simulate --steps 1000
    mympirun --hybrid 4 ./with_threads
    mympirun --universe 8 hello.py
    """
    from .launch import wrapper  # late: at a TAB nothing is started

    streams.hold_closed()
    request = requested(ctx)
    voice = wrapper.Voice(ctx, request)
    if wrapper.shown_list(request, farm=False):
        return
    for name in ("np", "machinefile"):
        if ctx.params[name] is not None:
            voice.remark(f"-{name} is left out: ranks and hosts are the batch system's matter here")
    if not request.words and not request.instead.explain:
        raise click.UsageError("which program? For example: mympirun ./simulate", ctx)
    own = of_each_rank(request.output.output)
    launch = Launch(request.words, None, request.launcher, request.binding, output=own)
    wrapper.run(launch, request, voice, ctx)


if __name__ == "__main__":
    main()
