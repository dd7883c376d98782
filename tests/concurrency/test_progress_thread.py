"""A progress thread may be refused: by an interpreter that ends, which it lives with, or else."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest

from scoopmpi.concurrency.progress_thread import ProgressThread


def refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def start(thread: threading.Thread) -> NoReturn:
        raise RuntimeError(text)

    monkeypatch.setattr(threading.Thread, "start", start)


def test_an_interpreter_that_ends_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(monkeypatch, "can't create new thread at interpreter shutdown")  # Python 3.12's words
    progress_thread = ProgressThread("alone", lambda: None)
    progress_thread.wake()
    progress_thread.nudge()
    progress_thread.stop()


def test_a_thread_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(monkeypatch, "can't start new thread")
    with pytest.raises(RuntimeError, match="can't start new thread"):
        ProgressThread("too many", lambda: None)
