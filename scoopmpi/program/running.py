"""Run the user's program on rank 0, and import it on workers.

On rank 0 it is `__main__`, and finds of itself what it finds under `python`. On a worker it is
imported once under the name `SCOOP_WORKER`, so that its guard keeps the main part out, and stands
in for `__main__` too, so that what rank 0 sends by name is found. Which file that is, is in
`finding`; what its functions are called, in `naming`. Knows no MPI.
"""

from __future__ import annotations

import builtins
import importlib.util
import linecache
import os
import sys
import traceback
import types
from collections.abc import Sequence
from functools import partial
from importlib.machinery import (
    BuiltinImporter,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import Any

from . import naming
from .finding import CODE, SHELL, Program, container_spec, module_spec, safe_path
from .naming import WORKER_NAME


class Defined(BaseException):
    """Raised by a program inside its import on a worker: what is defined so far is enough."""


def run(program: Program, arguments: list[str]) -> None:
    """Run the program as `__main__` in this process; whatever it raises comes out.

    arguments: what it finds behind its name in sys.argv.
    """
    _execute(program, arguments, "__main__")


def load(program: Program, arguments: list[str]) -> types.ModuleType:
    """Import the program on a worker, all but what its guard keeps out, and return its module.

    Of what is typed, or given by -c, a worker gets what it needs by value.
    """
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawned"))
    if program.module == SHELL:
        code_of(arguments)
        return new_main(WORKER_NAME)
    try:
        module = _execute(program, arguments, WORKER_NAME)
    except Defined:
        module = sys.modules[WORKER_NAME]
    naming.as_main(module, WORKER_NAME)
    return module


def code_of(arguments: Sequence[str]) -> str:
    """Return the code behind -c, else nothing, with sys.argv and sys.path as without a file.

    arguments: those of our shell: -, or -c and the code, and what is the program's own.
    """
    option, *own = arguments or [""]
    code = own.pop(0) if option == CODE else ""
    sys.argv[:] = [option, *own]
    if sys.path[:1] == [os.getcwd()]:
        sys.path[0] = ""
    return code


def new_main(name: str, **more: Any) -> types.ModuleType:
    """Put an empty module in the place of `__main__`, as it is for code without a file.

    more: further attributes of the module.
    """
    module = types.ModuleType(name)
    vars(module).update(
        {"__loader__": BuiltinImporter, "__annotations__": {}, "__builtins__": builtins, **more}
    )
    sys.modules["__main__"] = sys.modules[WORKER_NAME] = module
    return module


def import_failure(error: BaseException) -> str:
    """Return why a worker cannot import the program, from the user's own code on."""
    if isinstance(error, SystemExit):
        return (
            f"it has called sys.exit({error.code!r}) while it was imported. Put what the program "
            'does below `if __name__ == "__main__":`'
        )
    trace, here = error.__traceback__, os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(here):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _execute(program: Program, arguments: list[str], name: str) -> types.ModuleType:
    sys.argv[:] = [program.container or program.shown, *arguments]
    spec = _prepared(program)
    loader: Any
    if spec is not None and spec.origin:
        file, loader, package, own = spec.origin, spec.loader, spec.parent, spec.name
    else:
        file, package, own = os.path.join(os.getcwd(), program.shown), None, "__main__"
        compiled = _is_compiled(program.path)
        loader = (SourcelessFileLoader if compiled else SourceFileLoader)(own, file)
    module = new_main(
        name, __file__=file, __spec__=spec, __package__=package, __loader__=loader,
        __cached__=spec.cached if spec else None,
    )  # fmt: skip
    if isinstance(loader, SourceFileLoader):  # without its cache, which a script has not either
        code = compile(loader.get_data(file), file, "exec", dont_inherit=True)
    else:
        code = loader.get_code(own)
        # Tracebacks would ask for it by the name that it has here.
        linecache.cache.setdefault(code.co_filename, (partial(loader.get_source, own),))
    exec(code, vars(module))
    return module


def _prepared(program: Program) -> ModuleSpec | None:
    """Set up sys.path and the program's package, and return its spec where it has one."""
    if program.container is not None:
        _put_first(os.path.join(os.getcwd(), program.container), always=True)
        return container_spec(program.container)
    if program.module is None:
        _put_first(os.path.dirname(os.path.realpath(program.path)))
        return None
    if package := program.module.rpartition(".")[0]:
        importlib.import_module(package)
    return module_spec(program.module)


def _is_compiled(path: str) -> bool:
    """True for a file with bytecode, as `python` decides it: by its name, or how it begins."""
    if path.endswith(".pyc"):
        return True
    with open(path, "rb") as file:
        return file.read(4) == importlib.util.MAGIC_NUMBER


def _put_first(directory: str, always: bool = False) -> None:
    """Put a script's own directory in the place of the one that `python -m` put first."""
    here = os.getcwd()
    if safe_path():
        if always:
            sys.path.insert(0, directory)
    elif sys.path and sys.path[0] in ("", here):
        sys.path[0] = directory
    else:
        sys.path.insert(0, directory)
