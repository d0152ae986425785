"""The checksum as its definition says, byte for byte."""

from __future__ import annotations

from zlib import crc32

from services.market_data import depth_checksum


def test_it_is_the_crc_of_the_documented_text() -> None:
    checksum = depth_checksum([("100.10", 3), ("100.00", 7)], [("100.20", 5)])
    assert checksum == crc32(b"100.10:3|100.00:7/100.20:5")


def test_an_empty_book_is_a_slash() -> None:
    assert depth_checksum([], []) == crc32(b"/")


def test_a_level_counts_on_its_own_side_only() -> None:
    assert depth_checksum([("1", 1)], []) != depth_checksum([], [("1", 1)])
