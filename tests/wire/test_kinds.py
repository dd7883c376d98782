"""Large objects of each kind as frames: the same when they are opened, their memory beside."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from scoopmpi.wire import payload
from tests.support.kinds import KINDS, equal, expected

MOST_IN_PICKLE = 1 << 14
"""Bytes of what describes an object whose memory travels beside it."""


def wired(frame: payload.Frame) -> payload.Frame:
    """A frame as it arrives: in memory of its own that may be written to, as transports have it."""
    if type(frame) is not tuple:
        return bytes(frame)
    return (frame[0], *(np.frombuffer(bytearray(part.raw()), "u1").data for part in frame[1:]))


@pytest.mark.parametrize("name", KINDS)
def test_an_object_arrives_as_it_was(name: str) -> None:
    frame = payload.pack(KINDS[name].make())
    for each in (wired(frame), wired(payload.copied(frame))):
        assert equal(payload.unpack(each), expected(name))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.beside])
def test_memory_travels_beside_the_pickle(name: str) -> None:
    frame = payload.pack(KINDS[name].make())
    assert type(frame) is tuple and len(frame[0]) < (MOST_IN_PICKLE if len(frame) < 100 else 1e5)
    assert all(type(part) is pickle.PickleBuffer for part in frame[1:])


def test_frames_of_objects_that_travel_in_one_piece_are_not_copied_again() -> None:
    frame = payload.pack(b"x" * payload.OUT_OF_BAND)
    assert type(frame) is pickle.PickleBuffer


@pytest.mark.parametrize("name", KINDS)
def test_what_is_received_can_be_sent_on(name: str) -> None:
    received = wired(payload.pack(KINDS[name].make()))
    assert equal(payload.unpack(wired(payload.forwarded(received))), expected(name))
