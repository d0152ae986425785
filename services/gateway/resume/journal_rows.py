"""What rows of the journal say of orders and phases, found without making Python values of rows that say nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from matching_engine.records import ALL_INSTRUMENTS, EVENT, EventKind, Phase
from services.journal.batch import Applied, JournalBatch
from services.market_data.instrument_market import auction_end_ns
from services.venue_state.state import EVERY_ACCOUNT

_OF_ORDERS = np.isin(
    np.arange(256),
    [
        EventKind.ACCEPTED,
        EventKind.REJECTED,
        EventKind.TRADE,
        EventKind.CANCELED,
        EventKind.SELF_TRADE_PREVENTED,
        EventKind.EXPIRED,
        EventKind.REPLACED,
        EventKind.TRIGGERED,
    ],
)
"""By kind: whether `order_id` is the id of an order that the event changed, or refused."""


def touched_orders(batches: Sequence[JournalBatch], account: int) -> list[int]:
    """The ids of the account's orders (EVERY_ACCOUNT: of all) that the events name, ascending."""
    events = np.frombuffer(b"".join([batch.events for batch in batches]), EVENT)
    events = events[_OF_ORDERS[events["kind"]]]
    makers = events[events["kind"] == EventKind.TRADE]
    if account != EVERY_ACCOUNT:
        events = events[events["account"] == account]
        makers = makers[makers["maker_account"] == account]
    refused = events["seq"][events["kind"] == EventKind.REJECTED]  # A refused order has the number of its command.
    order_ids: list[int] = np.unique(np.concatenate((events["order_id"], makers["maker_order_id"], refused))).tolist()
    return order_ids


_KINDS = (EventKind.PHASE_CHANGED, EventKind.INSTRUMENT_LISTED)


class PhaseChange(NamedTuple):
    """The phase of an instrument after a command that changed it."""

    seq: int
    instrument: int
    phase: int
    auction_ends_ns: int
    """When its volatility auction ends; 0 where there is none."""


class PhaseReader:
    """Reads rows that follow each other, and notes what changed of instruments 0 to `instruments` - 1."""

    def __init__(self, instruments: int) -> None:
        self._every = range(instruments)
        self._known: dict[int, tuple[int, int]] = {}
        """Phase and end of the auction, by instrument; of those that have changed."""
        self._found: dict[tuple[int, int], PhaseChange] = {}
        """By seq and instrument: what one command changed twice is there once."""
        self._listed_seq: dict[int, int] = {}

    def read(self, batches: Sequence[JournalBatch], upto_seq: int) -> None:
        """Reads the commands up to upto_seq."""
        for batch in batches:
            if np.isin(np.frombuffer(batch.events, EVENT)["kind"], _KINDS).any():
                for applied in batch.applied():
                    if applied.event.kind in _KINDS and applied.event.seq <= upto_seq:
                        self._apply(applied)

    def changes(self, after_seq: int) -> list[PhaseChange]:
        """The changes after after_seq, in order. A change of all instruments is none of one that was listed later."""
        return [
            change
            for change in self._found.values()
            if change.seq > after_seq and change.seq >= self._listed_seq.get(change.instrument, 0)
        ]

    def _apply(self, applied: Applied) -> None:
        event, command, _ = applied
        if event.kind == EventKind.INSTRUMENT_LISTED:
            self._listed_seq[event.instrument] = event.seq
            self._note(event.seq, event.instrument, (Phase.CLOSED, 0))
            return
        for number in self._every if event.instrument == ALL_INSTRUMENTS else (event.instrument,):
            before = self._known.get(number)
            now = event.phase, auction_end_ns(event, command, before[1] if before else 0)
            if now != before:
                self._note(event.seq, number, now)

    def _note(self, seq: int, instrument: int, now: tuple[int, int]) -> None:
        self._known[instrument] = now
        self._found[seq, instrument] = PhaseChange(seq, instrument, *now)
