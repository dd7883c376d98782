"""From the options of a sweep to what takes the outputs of its items."""

from __future__ import annotations

from collections.abc import Sequence

from ..outputs import directory
from ..outputs.in_order import InOrder
from ..outputs.sink import Kept, Sink


def sink(
    kept: Kept, columns: Sequence[str], command: str,
    output_dir: str | None = None, results: str | None = None,
) -> Sink:  # fmt: skip
    """Return what takes the outputs; raises OutputProblem where they cannot go where they shall.

    kept: told of items whose output is where it belongs. columns: of the items. command: its name.
    output_dir, results: as the user gives them; with neither outputs are printed.
    """
    if output_dir is not None:
        directory.prepared(output_dir)
        return directory.InFiles(kept)
    if results is not None:
        from ..outputs.results.writing import Results  # late: few sweeps need SQLite

        return Results(results, columns, command, kept)
    return InOrder(kept)
