"""The market: every instrument's depth, tape and ticker, exact at `seq`."""

from __future__ import annotations

from collections.abc import Callable

from matching_engine.records import ALL_INSTRUMENTS, EventKind, Phase
from services.commands.administrative import changed_terms
from services.journal.batch import Applied, JournalBatch
from services.market_data.instrument_market import Indicative, InstrumentMarket, Level, TickerView
from services.market_data.trade import MarketTrade


class MarketChanges:
    """The changes of one batch by instrument, from which the subscribers' messages are made.

    `depth`, `trades` and `ticker` map an instrument to the stream's seq before this batch; the new seq is in the quotation.
    Values are read from the `Market`, so messages have absolute values.
    """

    __slots__ = ("busted", "depth", "levels", "listed", "ticker", "traded", "trades")

    def __init__(self) -> None:
        self.depth: dict[int, int] = {}
        self.trades: dict[int, int] = {}
        self.ticker: dict[int, int] = {}
        self.listed: list[int] = []
        """Instruments that are new."""
        self.levels: dict[int, dict[tuple[int, int], None]] = {}
        """Touched (side, price_ticks) by instrument, in the order first touched."""
        self.traded: dict[int, list[MarketTrade]] = {}
        """New trades by instrument, oldest first."""
        self.busted: dict[int, list[int]] = {}
        """Ids of busted trades, by instrument."""


class Market:
    """Market data of all instruments. `load_market` loads it at a position; `apply` takes every later batch."""

    def __init__(self) -> None:
        self.seq = 0
        self.time_ns = 0
        """The timestamp of the last command; 0 before the first batch since the load."""
        self.trading_date = 0
        self.of_instrument: list[InstrumentMarket] = []
        """By instrument number."""
        self._appliers: dict[int, Callable[[Applied, MarketChanges], None]] = {
            EventKind.LEVEL: self._level,
            EventKind.TRADE: self._trade,
            EventKind.TRADE_BUSTED: self._trade_busted,
            EventKind.INDICATIVE: self._indicative,
            EventKind.INSTRUMENT_LISTED: self._instrument_listed,
            EventKind.INSTRUMENT_CHANGED: self._instrument_changed,
            EventKind.SETTLED: self._settled,
            EventKind.PHASE_CHANGED: self._phase_changed,
            EventKind.DAY_ROLLED: self._day_rolled,
        }

    def apply(self, batch: JournalBatch) -> MarketChanges:
        """Applies a batch and returns its changes. Events up to `seq` are skipped, so that no event is applied twice."""
        changes, applier_of = MarketChanges(), self._appliers.get
        for applied in batch.applied(self.seq):
            applier = applier_of(applied.event.kind)
            if applier is not None:
                applier(applied, changes)
        if batch.last_seq > self.seq:
            self.seq, self.time_ns = batch.last_seq, batch.time_ns
        return changes

    def depth(self, instrument: int, levels: int | None = None) -> tuple[list[Level], list[Level]]:
        """Bids and asks, each best first, at most `levels` of each."""
        quotation = self.of_instrument[instrument]
        return quotation.bids.levels(levels), quotation.asks.levels(levels)

    def recent_trades(self, instrument: int, count: int) -> list[MarketTrade]:
        """The last trades of the trading day, newest first."""
        recent = self.of_instrument[instrument].recent
        return [recent[-n] for n in range(1, min(count, len(recent)) + 1)]

    def ticker(self, instrument: int) -> TickerView:
        """The ticker of the trading day."""
        return self.of_instrument[instrument].ticker(self.trading_date)

    def _level(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        instrument, price_ticks, seq = event.instrument, event.price_ticks, event.seq
        quotation = self.of_instrument[instrument]
        side = event.side
        is_other_best = quotation.side(side).set(price_ticks, event.quantity_lots, event.number)
        touched = changes.levels.get(instrument)
        if touched is None:
            touched = changes.levels[instrument] = {}
            changes.depth[instrument] = quotation.depth_seq
        touched[side, price_ticks] = None
        quotation.depth_seq = seq
        if is_other_best:
            self._ticker_changed(quotation, instrument, seq, changes)

    def _trade(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        instrument, seq = event.instrument, event.seq
        quotation = self.of_instrument[instrument]
        trade = MarketTrade(
            event.trade_id,
            event.price_ticks,
            event.quantity_lots,
            event.amount_fen,
            event.side,
            applied.command.time_ns,
            seq,
            event.phase == Phase.CALL_AUCTION,
        )
        changes.trades.setdefault(instrument, quotation.trades_seq)
        changes.traded.setdefault(instrument, []).append(trade)
        self._ticker_changed(quotation, instrument, seq, changes)
        quotation.add_trade(trade)
        quotation.candles.add(trade)

    def _trade_busted(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        instrument = event.instrument
        quotation = self.of_instrument[instrument]
        changes.trades.setdefault(instrument, quotation.trades_seq)
        changes.busted.setdefault(instrument, []).append(event.order_id)
        self._ticker_changed(quotation, instrument, event.seq, changes)
        quotation.bust(event)

    def _indicative(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        quotation = self.of_instrument[event.instrument]
        indicative = Indicative(event.price_ticks or None, event.quantity_lots, event.leaves_lots)
        if indicative != quotation.indicative:
            quotation.indicative = indicative
            self._ticker_changed(quotation, event.instrument, event.seq, changes)

    def _ticker_changed(self, quotation: InstrumentMarket, instrument: int, seq: int, changes: MarketChanges) -> None:
        changes.ticker.setdefault(instrument, quotation.ticker_seq)
        quotation.ticker_seq = seq

    def _instrument_listed(self, applied: Applied, changes: MarketChanges) -> None:
        event, command, _ = applied
        self.of_instrument.append(InstrumentMarket(command.rate_ppm, event.price_ticks, event.seq))
        changes.listed.append(event.instrument)

    def _instrument_changed(self, applied: Applied, changes: MarketChanges) -> None:
        event, command, _ = applied
        quotation = self.of_instrument[event.instrument]
        quotation.band_ppm = changed_terms(command).get("band_ppm", quotation.band_ppm)
        self._ticker_changed(quotation, event.instrument, event.seq, changes)

    def _settled(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        quotation = self.of_instrument[event.instrument]
        quotation.reference_ticks = event.price_ticks
        # It depends on the reference price; a new INDICATIVE follows where the day roll changes the book.
        quotation.indicative = None
        self._ticker_changed(quotation, event.instrument, event.seq, changes)

    def _phase_changed(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        every = event.instrument == ALL_INSTRUMENTS
        for instrument in range(len(self.of_instrument)) if every else (event.instrument,):
            quotation = self.of_instrument[instrument]
            quotation.change_phase(event, applied.command)
            changes.depth.setdefault(instrument, quotation.depth_seq)
            changes.levels.setdefault(instrument, {})
            quotation.depth_seq = event.seq  # The depth says the phase: in an auction its sides may cross.
            self._ticker_changed(quotation, instrument, event.seq, changes)

    def _day_rolled(self, applied: Applied, changes: MarketChanges) -> None:
        event = applied.event
        self.trading_date = event.date
        for instrument, quotation in enumerate(self.of_instrument):
            self._ticker_changed(quotation, instrument, event.seq, changes)
            quotation.begin_day(event.seq)
