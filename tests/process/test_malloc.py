"""What a worker's C library keeps of the memory that tasks have freed, and what it leaves alone."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from scoopmpi.process import malloc


class Library:
    """Takes calls of the C library."""

    def __init__(self) -> None:
        self.called: list[tuple[str, tuple[int, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *words: self.called.append((name, words))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: found)
    for name in ("GLIBC_TUNABLES", "LD_PRELOAD", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_freed_memory_is_kept_up_to_what_glibc_allows(library: Library) -> None:
    malloc.keep_freed()
    assert library.called == [("mallopt", (-3, 32 << 20)), ("mallopt", (-1, 64 << 20))]


def test_it_goes_back(library: Library) -> None:
    malloc.give_back()
    assert library.called == [("malloc_trim", (0,))]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MALLOC_MMAP_THRESHOLD_", "1000000"),
        ("MALLOC_TRIM_THRESHOLD_", "1000000"),
        ("GLIBC_TUNABLES", "glibc.rtld.nns=4:glibc.malloc.trim_threshold=131072"),
        ("LD_PRELOAD", "/usr/lib/libjemalloc.so.2"),
        ("LD_PRELOAD", "/opt/lib/libtcmalloc_minimal.so.4"),
    ],
)
def test_what_the_user_has_set_stays(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    malloc.keep_freed()
    malloc.give_back()
    assert not library.called


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLIBC_TUNABLES", "glibc.malloc.arena_max=2"),
        ("MALLOC_ARENA_MAX", "2"),
        ("LD_PRELOAD", "/usr/lib/libdarshan.so"),
    ],
)
def test_settings_of_other_things_change_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    malloc.keep_freed()
    assert len(library.called) == 2


def test_a_library_without_such_settings_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    malloc.keep_freed()
    malloc.give_back()
