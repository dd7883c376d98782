"""What columns may be called: they become variables of each item. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from .item import ItemsProblem

LINE = "ITEM"
"""The column of items that are lines (--lines): `$ITEM`."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable of a shell may be called."""

_KEPT = frozenset(
    (
        # where programs, files and people are found
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP",
        "LANG", "LANGUAGE", "TZ", "TERM", "HOSTNAME", "DISPLAY", "MAIL", "CDPATH", "MANPATH",
        # shells read these as their own, or do not let a value from outside stand
        "IFS", "ENV", "_", "UID", "EUID", "GID", "PPID", "SHELLOPTS", "BASHOPTS", "SHLVL",
        "RANDOM", "SRANDOM", "SECONDS", "LINENO", "GROUPS", "DIRSTACK", "FUNCNAME", "OPTIND",
        "OPTARG", "OPTERR", "PIPESTATUS", "EPOCHSECONDS", "EPOCHREALTIME", "HISTCMD", "GLOBIGNORE",
        "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "REPLY", "POSIXLY_CORRECT", "POSIX_PEDANTIC",
        # interpreters load code that these name
        "PERL5LIB", "PERL5OPT", "PERL5DB", "PERLLIB", "RUBYOPT", "RUBYLIB", "NODE_OPTIONS",
        "NODE_PATH", "CLASSPATH", "JAVA_TOOL_OPTIONS", "GCONV_PATH", "LOCPATH", "NLSPATH",
        "GLIBC_TUNABLES", "ZDOTDIR",
        # the worker's own GPUs
        "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
        LINE,
    )
)  # fmt: skip
_KEPT_BEGINNINGS = (
    "LD_", "DYLD_", "LC_", "BASH_", "PYTHON", "SCOOP_", "WORKER_",
    "OMPI_", "OPAL_", "ORTE_", "PRTE_", "PMIX_", "PMI_", "MPICH_", "MPIEXEC_", "HYDRA_", "HYDI_",
    "I_MPI_", "UCX_", "FI_", "PSM2_",
    "SLURM_", "SLURMD_", "PBS_", "SGE_", "LSB_", "LSF_", "LS_JOB", "OAR_", "COBALT_", "MOAB_",
)  # fmt: skip
"""Of the loader, Python, MPI libraries, batch systems and ourselves."""


def checked(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the names of columns without blanks around; ItemsProblem says what one cannot be.

    where: the file and the line of the names, for that.
    """
    found: dict[str, int] = {}
    for place, name in enumerate((name.strip() for name in names), 1):
        _check(name, place, where, alone=len(names) == 1)
        if name in found:
            raise ItemsProblem(
                f"{where}: the columns {found[name]} and {place} are both called {name}: "
                "as variables they need names of their own"
            )
        found[name] = place
    return tuple(found)


def _check(name: str, place: int, where: str, alone: bool) -> None:
    if not name:
        raise ItemsProblem(
            f"{where}: column {place} has no name: give it one, or leave it out "
            "(pandas: to_csv(…, index=False); R: row.names = FALSE)"
        )
    if not NAME.fullmatch(name):
        raise ItemsProblem(f"{where}: {_no_name(name, place, alone)}")
    if is_kept(name):
        raise ItemsProblem(
            f"{where}: column {place} is called {name}, and so would replace that variable, which "
            f"programs, shells, MPI or the batch system rely on: call it my_{name}"
        )


def is_kept(name: str) -> bool:
    """Return True where no column may be called so, as others rely on the variable."""
    return name in _KEPT or name.startswith(_KEPT_BEGINNINGS)


def _no_name(name: str, place: int, alone: bool) -> str:
    import unicodedata  # nobody needs it whose names are right

    shown = os.fsencode(name[:60]).decode(errors="backslashreplace")
    said = f"'{shown}' cannot be the name of column {place}"
    letters = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    better = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:40]
    if re.fullmatch(r"[-+.\d\s]*", name):
        return (
            f"{said}: the first line of a table has the names of its columns; a list without "
            "names is read by --lines"
        )
    if alone and all(map(NAME.fullmatch, re.split(r"[ \t]+", name))):
        return (
            f"{said}: names have letters, digits and _; where blanks part the columns, "
            "say --delimiter ' '"
        )
    if name.startswith("#"):
        said += " (where lines that begin with # are comments, say --comment '#')"
    if not better or better[0].isdigit():
        better = f"column_{better or place}"
    return f"{said}: variables have letters, digits and _; call it {better}"
