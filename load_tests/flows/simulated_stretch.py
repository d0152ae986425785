"""Some days of a simulated year as a flow: the orders and cancels of its members, at their times.

The year runs in an engine of its own, from its first day on, and is not written. A mass cancel of a member becomes a cancel of
each of its orders that may rest there. So does the end of a day for orders of that day: a venue that replays several days may
have one trading day only. Receipts, money, phases, the bust and the outage are no part of the flow, nor are orders that rest
from days before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from load_tests.flows.flow_message import Flow, FlowError, FlowInstrument, FlowMessage
from load_tests.flows.stretch import Stretch
from matching_engine.records import ALL_INSTRUMENTS, COMMAND, EVENT, CommandKind, EventKind, Side, TimeInForce
from services.data.calendar import TradingCalendar
from services.data.instruments import load_instruments
from services.journal.batch import JournalBatch
from services.simulator.year import day_shape
from services.simulator.year.members import members
from services.venue.simulated_year import FIRST_ACCOUNT, YearWish, run_year

_NIGHT_NS = 12 * 3600 * 10**9
"""A message so much later than the first of its day is of the next day."""
_BETWEEN_DAYS_MS = 60_000
"""From the last message of a day to the first of the next one: the flow leaves nights out."""

_PRICED = (EventKind.INSTRUMENT_LISTED, EventKind.SETTLED)
_SENT = (CommandKind.NEW_ORDER, CommandKind.MASS_CANCEL, CommandKind.DAY_ROLL)


async def stretch_flow(
    stretch: Stretch,
    instruments: Mapping[str, FlowInstrument],
    *,
    limit: int | None = None,
    on_day: Callable[[], None] = lambda: None,
) -> Flow:
    """The first `limit` messages of the stretch. Prices are moved so that the reference prices of its first day become those of
    the venue's instruments; an instrument that the venue lacks is left out. Calls `on_day` after each simulated day.

    Raises FlowError if no message is left."""
    found = _Messages(stretch, instruments)
    wish = YearWish(stretch.year, stretch.seed, commands=stretch.commands, days=stretch.last_day)
    await run_year(bytes(16), found.take, wish, TradingCalendar.load(), lambda *_: on_day())
    messages, name = found.messages[:limit], f"simulated, {stretch}"
    if not messages:
        raise FlowError(name, "holds no message for an instrument of this venue")
    return Flow(name, messages, dict(found.skipped), found.members)


class _Messages:
    """Collects the messages of the stretch from the batches of its year."""

    def __init__(self, stretch: Stretch, instruments: Mapping[str, FlowInstrument]) -> None:
        self.messages: list[FlowMessage] = []
        self.members: dict[str, str] = {}
        self.skipped: Counter[str] = Counter()
        self._listed = [instruments.get(facts.symbol) for facts in load_instruments()]
        self._names = [member.name for member in members()]
        self._begin_ns = day_shape.at(stretch.dates()[0], day_shape.BEFORE_TRADING)
        self._references = np.zeros(len(self._listed))
        """The reference prices of the first day, in ticks."""
        self._open: dict[tuple[int, int], list[FlowMessage]] = {}
        """What may rest, by account and instrument."""
        self._day_ns = 0
        self._shift_ms = 0
        self._last_ms = 0

    async def take(self, batch: JournalBatch) -> None:
        """The next batch of the year."""
        commands, events = np.frombuffer(batch.commands, COMMAND), np.frombuffer(batch.events, EVENT)
        if commands["time_ns"][0] < self._begin_ns:
            times = commands["time_ns"][np.searchsorted(commands["seq"], events["seq"])]
            priced = events[np.isin(events["kind"], _PRICED) & (times < self._begin_ns)]
            self._references[priced["instrument"]] = priced["price_ticks"]
        for row in commands[(commands["time_ns"] >= self._begin_ns) & np.isin(commands["kind"], _SENT)]:
            time_ms = self._time_ms(int(row["time_ns"]))
            for message in self._of_command(row):
                self.messages.append(message._replace(time_ms=time_ms))

    def _of_command(self, row: Any) -> list[FlowMessage]:
        account, instrument = int(row["account"]), int(row["instrument"])
        if row["kind"] == CommandKind.NEW_ORDER:
            return self._order(row, account, instrument)
        if row["kind"] == CommandKind.DAY_ROLL:
            return [message for key in self._open for message in self._canceled(key, only_day=True)]
        return [
            message
            for key in self._open
            if key[0] == account and instrument in (key[1], ALL_INSTRUMENTS)
            for message in self._canceled(key, only_day=False)
        ]

    def _order(self, row: Any, account: int, number: int) -> list[FlowMessage]:
        instrument = self._listed[number]
        if instrument is None:
            self.skipped["unknown_symbol"] += 1
            return []
        client_order_id = f"y{int(row['seq'])}"
        message = FlowMessage(
            time_ms=0,
            action="new",
            symbol=instrument.symbol,
            side=Side(row["side"]).name.lower(),
            order_type="limit",
            time_in_force=TimeInForce(row["time_in_force"]).name.lower(),
            price=self._price(instrument, number, int(row["price_ticks"])),
            quantity=min(int(row["quantity_lots"]), instrument.max_quantity),
            client_order_id=client_order_id,
        )
        self.members[client_order_id] = self._names[account - FIRST_ACCOUNT]
        if message.time_in_force in ("day", "gtc"):
            self._open.setdefault((account, number), []).append(message)
        return [message]

    def _canceled(self, key: tuple[int, int], *, only_day: bool) -> list[FlowMessage]:
        """Cancels of what may rest there, which then no longer does; `only_day`: of what ends with its day."""
        ended = [message for message in self._open[key] if not only_day or message.time_in_force == "day"]
        self._open[key] = [message for message in self._open[key] if only_day and message.time_in_force != "day"]
        return [message._replace(action="cancel") for message in ended]

    def _price(self, instrument: FlowInstrument, number: int, ticks: int) -> str:
        """The price, as far from the venue's reference price as it was from the year's."""
        reference_ticks = int(instrument.reference_price / instrument.tick_size)
        return str(max(1, round(ticks * reference_ticks / self._references[number])) * instrument.tick_size)

    def _time_ms(self, time_ns: int) -> int:
        """Milliseconds since the flow began, without the nights."""
        time_ms = time_ns // 10**6
        if time_ns - self._day_ns > _NIGHT_NS:
            self._shift_ms = self._last_ms + (_BETWEEN_DAYS_MS if self._day_ns else 0) - time_ms
            self._day_ns = time_ns
        self._last_ms = time_ms + self._shift_ms
        return self._last_ms
