"""The changes of a run of batches, computed with arrays where a batch is large: a fourth of the time of `WriteBatch`.

Most orders of a large batch are entered in it, perhaps ended in it, and never trade: quotes. Their rows, reserves and price
levels are computed with numpy. All other events go through the handlers of `WriteBatch`, one by one, in their order. The two
sets share no order, and what they share otherwise are sums, so the outcome is the same
(tests/unit/read_model/test_vectorized_write_batch.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from matching_engine.records import COMMAND, EVENT, EventKind, Side, unpack_commands, unpack_events
from services.commands.texts import client_order_id_text
from services.journal.batch import Applied, JournalBatch
from services.read_model.tables import END_STATES
from services.read_model.write_batch import WriteBatch

FEWEST_COMMANDS = 128
"""A smaller batch is handled event by event, which is then faster."""

_LARGEST_SUM = 2.0**62
"""Sums of a batch beyond this might not fit 64 bits; such a batch is handled event by event."""

_TOUCHING = (EventKind.TRADE, EventKind.SELF_TRADE_PREVENTED, EventKind.REPLACED, EventKind.TRIGGERED)
"""Events after which an order is no longer a quiet one."""
_ENDING = (EventKind.CANCELED, EventKind.EXPIRED)
_UNHANDLED = (EventKind.INDICATIVE, EventKind.MASS_CANCELED, EventKind.TIME_PASSED)


class VectorizedWriteBatch(WriteBatch):
    """`WriteBatch`, faster for large batches."""

    def add(self, batch: JournalBatch) -> None:
        """Adds a whole batch; it must be the batch that follows `position`."""
        events = np.frombuffer(batch.events, EVENT)
        if batch.command_count < FEWEST_COMMANDS or _too_large(events):
            super().add(batch)
            return
        commands = np.frombuffer(batch.commands, COMMAND)
        kind = events["kind"]
        quiet = _quiet(events, kind, batch.first_seq, len(commands))
        place = _place(events["order_id"], batch.first_seq, len(commands))
        is_quiet = quiet[place] & np.isin(kind, (EventKind.ACCEPTED, *_ENDING))
        dates = self._dates(events, kind, batch.first_seq, len(commands))
        self._enter(commands, events[is_quiet], batch.first_seq, dates)
        self._set_levels(events[kind == EventKind.LEVEL])
        handled = ~is_quiet & (kind != EventKind.LEVEL) & ~np.isin(kind, _UNHANDLED)
        for applied in _applied(batch, commands, events[handled]):
            handler = self._HANDLERS.get(applied.event.kind)
            if handler is not None:
                handler(self, applied)
        self._passed(batch)

    def _dates(self, events: Any, kind: Any, first_seq: int, count: int) -> Any:
        """The trading date of each command."""
        dates = np.full(count, self._trading_date, dtype=np.int64)
        for event in events[kind == EventKind.DAY_ROLLED]:
            dates[int(event["seq"]) - first_seq :] = event["date"]
        return dates

    def _enter(self, commands: Any, events: Any, first_seq: int, dates: Any) -> None:
        """Adds the rows of quiet orders, ended ones with their end."""
        entered = events[events["kind"] == EventKind.ACCEPTED]
        ended = events[events["kind"] != EventKind.ACCEPTED]
        own = commands[entered["seq"] - first_seq]
        row_of = np.zeros(len(commands), dtype=np.int64)
        row_of[entered["seq"] - first_seq] = np.arange(len(entered))
        at = row_of[ended["order_id"] - first_seq]
        leaves, reserved = entered["leaves_lots"].copy(), entered["reserve_fen"].copy()
        leaves[at] -= ended["quantity_lots"]
        reserved[at] += ended["reserve_fen"]
        state, reason = np.zeros(len(entered), dtype=np.uint8), entered["reason"].copy()
        state[at], reason[at] = ended["kind"], ended["reason"]
        updated = entered["seq"].copy()
        updated[at] = ended["seq"]
        zeros = [0] * len(entered)
        columns = [
            own["seq"].tolist(), own["account"].tolist(), _texts(own["client_order_id"]), own["instrument"].tolist(),
            own["side"].tolist(), own["order_type"].tolist(), own["time_in_force"].tolist(), own["self_trade"].tolist(),
            own["flags"].tolist(), entered["price_ticks"].tolist(), own["trigger_ticks"].tolist(),
            own["display_lots"].tolist(), own["time_s"].tolist(), zeros, own["quantity_lots"].tolist(), leaves.tolist(),
            zeros, zeros, zeros, reserved.tolist(), [END_STATES.get(kind, "new") for kind in state.tolist()],
            reason.tolist(), own["actor"].tolist(), dates[entered["seq"] - first_seq].tolist(), own["time_ns"].tolist(),
            commands["time_ns"][updated - first_seq].tolist(), updated.tolist(),
            np.where(entered["side"] == Side.BUY, entered["reserve_fen"], entered["leaves_lots"]).tolist(),
        ]  # fmt: skip
        self.orders.new.update(zip(columns[0], map(list, zip(*columns, strict=True)), strict=True))
        self._reserve_all(events)
        self._give_back(ended, commands["time_ns"][ended["seq"] - first_seq])

    def _reserve_all(self, events: Any) -> None:
        """Adds to the reserves of the accounts what these events, ACCEPTED, CANCELED and EXPIRED, reserve and release."""
        buys, sells = events[events["side"] == Side.BUY], events[events["side"] != Side.BUY]
        for account, amount_fen in _sums(buys["account"], buys["reserve_fen"]):
            self._move_cash(account, 0, amount_fen)
        signed = np.where(sells["kind"] == EventKind.ACCEPTED, sells["quantity_lots"], -sells["quantity_lots"])
        keys = sells["account"].astype(np.int64) << 16 | sells["instrument"]
        for key, lots in _sums(keys, signed):
            self._move_lots(key >> 16, key & 0xFFFF, 0, lots)

    def _give_back(self, ended: Any, times_ns: Any) -> None:
        """Adds what these orders gave back as they ended."""
        is_buy = ended["side"] == Side.BUY
        fen = np.where(is_buy, ended["reserve_fen"], 0)
        lots = np.where(is_buy, 0, -ended["quantity_lots"])
        some = (fen != 0) | (lots != 0)
        keys = (ended[name][some].tolist() for name in ("account", "seq", "order_id", "kind"))
        values = (column[some].tolist() for column in (times_ns, ended["instrument"], fen, lots))
        self.reserves.update(zip(zip(*keys, strict=True), map(list, zip(*values, strict=True)), strict=True))

    def _set_levels(self, levels: Any) -> None:
        """Sets the last value of each price level."""
        names = ("instrument", "side", "price_ticks", "quantity_lots", "number")
        rows = zip(*(levels[name].tolist() for name in names), strict=True)
        self.levels.update(
            ((instrument, side, ticks), (lots, orders)) for instrument, side, ticks, lots, orders in rows
        )


def _too_large(events: Any) -> bool:
    amounts = (events["amount_fen"], events["reserve_fen"], events["quantity_lots"])
    return any(float(np.abs(amount.astype(float)).sum()) > _LARGEST_SUM for amount in amounts)


def _place(order_ids: Any, first_seq: int, count: int) -> Any:
    """For each order id: the index of the command that entered it; `count` for an order that is not of these commands."""
    inside = (order_ids >= first_seq) & (order_ids < first_seq + count)
    return np.where(inside, order_ids - np.uint64(first_seq), np.uint64(count)).astype(np.int64)


def _quiet(events: Any, kind: Any, first_seq: int, count: int) -> Any:
    """By index of a command: whether it entered an order that only ended, or nothing, in these events. One more entry, False,
    stands for all other orders."""
    quiet = np.zeros(count + 1, dtype=bool)
    quiet[events["seq"][kind == EventKind.ACCEPTED].astype(np.int64) - first_seq] = True
    touching = events[np.isin(kind, _TOUCHING)]
    for name in ("order_id", "maker_order_id"):
        quiet[_place(touching[name], first_seq, count)] = False
    quiet[count] = False
    return quiet


def _applied(batch: JournalBatch, commands: Any, events: Any) -> Iterator[Applied]:
    """The events with their commands and attachments."""
    own = commands[events["seq"] - batch.first_seq]
    texts = (b"", *batch.attachments)
    pairs = zip(unpack_events(events.tobytes()), unpack_commands(own.tobytes()), strict=True)
    return (Applied(event, command, texts[command.attachment]) for event, command in pairs)


def _sums(keys: Any, amounts: Any) -> Iterator[tuple[int, int]]:
    """The sum of the amounts of each key."""
    found, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(found), dtype=np.int64)
    np.add.at(sums, place, amounts)
    return zip(found.tolist(), sums.tolist(), strict=True)


def _texts(client_order_ids: Any) -> list[str]:
    return [client_order_id_text(text) if text else "" for text in client_order_ids.tolist()]
