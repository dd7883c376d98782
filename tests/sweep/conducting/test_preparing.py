"""The parts of a sweep: all are closed, whatever becomes of one of them."""

from __future__ import annotations

from typing import Any

import pytest

from scoopmpi.sweep.asked import SweepOptions
from scoopmpi.sweep.conducting.preparing import Parts


class Part:
    """In the place of a log or an output. ends: what closing it raises or returns."""

    def __init__(self, name: str, closed: list[str], ends: BaseException | int = 0) -> None:
        self.name, self.closed, self.ends = name, closed, ends

    def close(self, hurry: bool = False) -> int:
        self.closed.append(self.name)
        if isinstance(self.ends, BaseException):
            raise self.ends
        return self.ends


def parts(sink: Part, joblog: Part, log: Part) -> Parts:
    none: Any = None
    given: Any = (log, joblog, sink)
    return Parts(SweepOptions(), none, none, none, none, None, *given, none)


@pytest.mark.parametrize("error", [SystemExit(143), KeyboardInterrupt()])
def test_a_signal_while_nobody_reads_the_output_keeps_no_log_open(error: BaseException) -> None:
    closed: list[str] = []
    made = parts(Part("sink", closed, error), Part("joblog", closed), Part("log", closed))
    with pytest.raises(type(error)):
        made.close()
    assert closed == ["sink", "joblog", "log"], "an output that is kept goes to the log"


def test_what_could_not_be_kept_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[str] = []
    full = OSError(28, "No space left on device")
    made = parts(Part("sink", closed, 3), Part("joblog", closed, full), Part("log", closed, 2))
    assert made.close() == 6
    assert "No space left" in capsys.readouterr().err
    assert parts(Part("sink", [], BrokenPipeError()), Part("", []), Part("", [])).close() == 0
