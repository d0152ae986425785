"""The independent decoder of the journal (`services/reporting/audit.py`) beside hash and CRC of the same rows alone."""

from __future__ import annotations

import zlib
from collections import deque
from hashlib import blake2b

from load_tests.benchmarks.measurement import Effort, Measurement, Work, median_seconds
from load_tests.benchmarks.projector_rates import journal_batches
from services.reporting.audit import Decoder

YEAR = 2023


def decoder_measurements(effort: Effort) -> list[Measurement]:
    """Commands a second of processor time, on the standard flow of 8 instruments in rows of 256 commands."""
    batches = list(journal_batches(bytes(16), 0, effort))
    rows, commands = [batch.encode() for batch in batches], batches[-1].last_seq
    decoders: list[Decoder] = []

    def decode() -> Work:
        decoders.append(Decoder(YEAR))
        return lambda: deque(map(decoders[-1].take, rows), maxlen=0)

    def hash_only() -> Work:
        return lambda: [(blake2b(row, digest_size=32).digest(), zlib.crc32(row)) for row in rows]

    seconds, limit_seconds = median_seconds(effort.runs, decode, hash_only)
    audit = decoders[-1].audit
    assert audit.agree, audit.disagreements
    assert audit.seq == commands
    note = f"{audit.trades / commands:.2f} trades a command; {400_000 * seconds / commands:.2f} s of processor time for 400,000"
    return [
        Measurement(
            "independent decoder of a journal", commands / seconds, "commands/s",
            "hash and CRC of the rows", commands / limit_seconds, "400,000 commands/s", note=note,
        )
    ]  # fmt: skip
