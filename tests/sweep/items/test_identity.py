"""Digests: another for each other item, and the same where nothing has changed."""

from __future__ import annotations

from scoopmpi.sweep.items.identity import SIZE, Identity


def test_a_digest_is_of_columns_values_and_command() -> None:
    columns = [("a", "b"), ("a", "c"), ("ab", "")]
    rows = [("1", "2"), ("12", ""), ("", "12"), ("2", "1"), ("1", "\udcff"), ("1", "é")]
    digests = {
        Identity(names, command).of(row)
        for names in columns for command in (b"", b"x", b"xa") for row in rows
    }  # fmt: skip
    assert len(digests) == 3 * 3 * len(rows)
    assert {len(digest) for digest in digests} == {SIZE}


def test_a_digest_is_the_same_in_each_run() -> None:
    """Logs of former versions are gone on from: the digest of an item never changes."""
    assert Identity(("a", "b"), b"command").of(("1", "é")).hex() == "999d07055a2ef475"
