"""The sums of each trading day and instrument, computed from the journal's batches another way than the projector does."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from matching_engine.records import Event, EventKind, unpack_events
from services.commands.attachments import TradesDecided, read_decision
from services.journal.batch import JournalBatch
from services.read_database.audit.comparison import Table
from services.read_database.audit.dealings import trade_ids
from services.read_database.audit.excluded import Excluded
from services.read_database.audit.exclusions import excluded_by_day
from services.read_database.changes import TURNOVER_COLUMNS, DayTurnover, turnover_values

Day = tuple[int, int]
"""Trading date and instrument."""

_COLUMNS = [*TURNOVER_COLUMNS, "settlement_ticks", "settlement_source"]
_RARE = np.array([EventKind.DAY_ROLLED, EventKind.SETTLED, EventKind.TRADE_BUSTED, EventKind.PREVENTED])
_LARGEST_THAT_COUNTS = """
SELECT amount_fen, trade_id FROM trades
WHERE trading_date = ? AND instrument = ? AND busted_seq IS NULL AND excluded_seq IS NULL
ORDER BY amount_fen DESC, trade_id LIMIT 1
"""


class Days:
    """Takes runs of the journal from the first one on (`add`); then `table`.

    Which trade of a day with busts or exclusions is the largest one that counts is read from the database: the audit compares
    every trade by itself.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turnover: defaultdict[Day, DayTurnover] = defaultdict(DayTurnover)
        self._settlements: dict[Day, tuple[int, int]] = {}
        self._busted: set[Day] = set()
        self._excluded = Excluded()
        self._trading_date = self._ended_date = 0

    def add(self, batches: Sequence[JournalBatch], events: Any) -> Any:
        """Takes the next run, with its EVENT records. Returns the trading date of each event."""
        rolled = events["kind"] == EventKind.DAY_ROLLED
        dates = np.array([self._trading_date, *events["date"][rolled].tolist()])[np.cumsum(rolled)]
        trades = events["kind"] == EventKind.TRADE
        self._trade(events[trades], dates[trades])
        self._take_rare(events[np.isin(events["kind"], _RARE)])
        for batch in batches:
            if batch.attachments:
                self._decide(batch)
        return dates

    def table(self) -> Table:
        """The true rows of `daily_turnover` at the end of the last run."""
        turnover, nothing = self._decided(), DayTurnover()
        true = [
            (*day, *turnover_values(turnover.get(day, nothing)), *self._settlements.get(day, (None, None)))
            for day in sorted(turnover.keys() | self._settlements.keys())
        ]
        query = f"SELECT trading_date, instrument, {', '.join(_COLUMNS)} FROM daily_turnover ORDER BY trading_date, instrument"
        return Table("day {}, instrument {}", _COLUMNS, query, true, "journal", key_columns=2)

    def _trade(self, trades: Any, dates: Any) -> None:
        """Adds trades. Those of a day and instrument stand together, the largest first: of equal ones the earliest."""
        if not len(trades):
            return
        keys = dates << 16 | trades["instrument"]
        order = np.lexsort((-trades["amount_fen"], keys))
        found, starts = np.unique(keys[order], return_index=True)
        for key, own in zip(found.tolist(), np.split(trades[order], starts[1:]), strict=True):
            day = self._turnover[key >> 16, key & 0xFFFF]
            day.trades += len(own)
            day.quantity_lots += sum(own["quantity_lots"].tolist())
            day.amount_fen += sum(own["amount_fen"].tolist())
            if own["amount_fen"][0] > day.largest_fen:
                day.largest_fen = int(own["amount_fen"][0])
                day.largest_trade_id = int(trade_ids(own[:1])[0])

    def _take_rare(self, events: Any) -> None:
        pair = None
        for event in unpack_events(events.tobytes()):
            day = self._trading_date, event.instrument
            match event.kind:
                case EventKind.DAY_ROLLED:
                    self._ended_date, self._trading_date = self._trading_date, event.date
                case EventKind.SETTLED if self._ended_date:  # 0 at the first day roll: no day has ended
                    self._settlements[self._ended_date, event.instrument] = event.price_ticks, event.number
                case EventKind.TRADE_BUSTED:
                    self._bust(event, self._turnover[day])
                    self._busted.add(day)
                case EventKind.PREVENTED:
                    self._turnover[day].prevented_lots += event.quantity_lots
                    # A self-trade that takes lots from both orders makes two events, the second with the ids exchanged.
                    is_second = pair == (event.seq, event.maker_order_id, event.order_id)
                    pair = None if is_second else (event.seq, event.order_id, event.maker_order_id)
                    self._turnover[day].prevented += not is_second

    def _bust(self, event: Event, day: DayTurnover) -> None:
        day.trades -= 1
        day.quantity_lots -= event.quantity_lots
        day.amount_fen -= event.amount_fen
        day.busted += 1
        day.busted_lots += event.quantity_lots
        day.busted_fen += event.amount_fen
        self._excluded.bust(event.order_id)

    def _decide(self, batch: JournalBatch) -> None:
        """Applies the batch's decisions. Busts of the same run may come before them: the outcome is the same."""
        for applied in batch.applied():
            if applied.event.kind == EventKind.RECORDED:
                decision = read_decision(applied.attachment)
                if isinstance(decision, TradesDecided):
                    self._excluded.decide(applied.event.seq, decision)

    def _decided(self) -> dict[Day, DayTurnover]:
        """The turnover of the days without what decisions exclude, and with the largest trades that count."""
        turnover = dict(self._turnover)
        excluded = excluded_by_day(self._connection, self._excluded.seqs)
        for day, (number, lots, fen) in excluded.items():
            traded = turnover.get(day, DayTurnover())
            turnover[day] = replace(
                traded,
                trades=traded.trades - number,
                quantity_lots=traded.quantity_lots - lots,
                amount_fen=traded.amount_fen - fen,
                excluded=number,
                excluded_lots=lots,
                excluded_fen=fen,
            )
        for day in excluded.keys() | self._busted:
            largest_fen, trade_id = self._connection.execute(_LARGEST_THAT_COUNTS, day).fetchone() or (0, None)
            turnover[day] = replace(turnover[day], largest_fen=largest_fen, largest_trade_id=trade_id)
        return turnover
