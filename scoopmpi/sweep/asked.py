"""What is asked for of a sweep: its options, read."""

from __future__ import annotations

from dataclasses import dataclass

from .items.opening import Asked


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """What is asked for, by the names of the options.

    words: the command; empty with `batch`. submitted: the command line of `wsub`, where it has
    submitted the job of this sweep: nobody reads it but `wresume`, in the log's header.
    """

    words: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    lines: str | None = None
    null: bool = False
    array: str | None = None
    beside: bool = False
    delimiter: str | None = None
    comment: str | None = None
    escape: str | None = None
    loose_quotes: bool = False
    batch: str | None = None
    substitute: bool = False
    chdir: str | None = None
    prolog: str | None = None
    epilog: str | None = None
    enable_prolog: bool = False
    log: str | None = None
    retry: bool = False
    joblog: str | None = None
    output_dir: str | None = None
    results: str | None = None
    reduce: tuple[str, str] | None = None
    reductor: str | None = None
    retries: int = 0
    item_timeout: float | None = None
    halt: str | None = None
    dry_run: bool = False
    submitted: str | None = None

    @property
    def asked(self) -> Asked:
        """Return which items are asked for."""
        return Asked(
            self.data, self.lines, self.array, self.beside,
            self.delimiter, self.comment, self.escape, self.loose_quotes, self.null,
        )  # fmt: skip
