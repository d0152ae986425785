"""A test of an order: what the venue would answer, and what the order would cost. Nothing is placed, journaled or counted.

The answer holds for the state that the gateway has applied (`seq`). An order of another member may be carried out before the
real one arrives.
"""

from __future__ import annotations

from typing import NamedTuple

from matching_engine.limits import CLIENT_ID_TRADING_DAYS
from matching_engine.records import Command, Flag, Reason, Side, TimeInForce
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_body import OrderBody
from services.gateway.order_entry.order_checks import (
    Cost,
    PriceView,
    cost_of,
    declined,
    free_lots,
    is_fillable,
    unaffordable,
)
from services.gateway.order_entry.order_command import new_order
from services.gateway.order_schemas import OrderTested, Verdict
from services.gateway.problems import field_problem
from services.market_data import Market
from services.read_model.past_trades import ListPage
from services.values.decimals import yuan_text
from services.venue_state.keys import ApiKey
from services.venue_state.orders import UNPRICED, VenueOrder
from services.venue_state.reasons import reason_text
from services.venue_state.state import FeeRates, VenueState

_SECOND_NS = 1_000_000_000


class _Known(NamedTuple):
    """The verdict about an order, and the earlier order that it repeats."""

    verdict: Verdict
    reason: int = Reason.NONE
    repeated: VenueOrder | None = None


class OrderTests:
    """Tests orders against the gateway's memory."""

    def __init__(self, state: VenueState, market: Market, history: OrderHistory) -> None:
        self._state = state
        self._market = market
        self._history = history

    async def test(self, key: ApiKey, body: OrderBody, now_ns: int) -> OrderTested:
        """What placing this order would give. Raises the problems that placing it would raise without its reaching the engine,
        and 422 `client_order_id_reused`. `now_ns`: the time against which an `expire_time` is compared."""
        command = new_order(Command(), self._state, key.trading_account(), body)
        repeated = await self._earlier(command)
        view = PriceView.of(self._state.instruments[command.instrument], self._market)
        account_class = self._state.accounts[command.account].account_class
        cost = cost_of(command, view, self._state.fees.get(account_class, FeeRates()))
        known = self._judge(command, cost, view, now_ns) if repeated is None else _Known("repeated", repeated=repeated)
        return self._answer(command, cost, view, known)

    def _judge(self, command: Command, cost: Cost, view: PriceView, now_ns: int) -> _Known:
        account = self._state.accounts[command.account]
        if command.time_in_force == TimeInForce.GTD and command.time_s * _SECOND_NS <= now_ns:
            return _Known("rejected", Reason.INVALID_EXPIRY)
        reason = declined(command, self._state, account, view)
        reason = reason or unaffordable(command, cost, account, view, self._market)
        if reason != Reason.NONE:
            return _Known("rejected", reason)
        if command.time_in_force == TimeInForce.FOK and not is_fillable(command, cost, self._state, view):
            return _Known("canceled", Reason.FILL_OR_KILL)
        return _Known("accepted")

    def _answer(self, command: Command, cost: Cost, view: PriceView, known: _Known) -> OrderTested:
        account, instrument = self._state.accounts[command.account], view.instrument
        is_buy = command.side == Side.BUY
        lots = free_lots(account, instrument.number) - (0 if is_buy else command.quantity_lots)
        is_refused = known.reason != Reason.NONE
        return OrderTested(
            verdict=known.verdict,
            reason=Reason(known.reason).name.lower() if is_refused else None,
            reason_text=reason_text(known.reason, command.side, account, instrument) if is_refused else None,
            repeats=None if known.repeated is None else str(known.repeated.order_id),
            symbol=instrument.symbol,
            price=instrument.price_text(cost.price_ticks),
            notional=yuan_text(cost.notional_fen),
            reserve=yuan_text(cost.reserve_fen),
            reserve_quantity=0 if is_buy else command.quantity_lots,
            fee_as_maker=yuan_text(cost.maker_fee_fen),
            fee_as_taker=yuan_text(cost.taker_fee_fen),
            available_after=yuan_text(account.cash_fen - account.reserved_fen - cost.reserve_fen),
            available_quantity_after=lots,
            seq=self._state.last_seq,
        )

    async def _earlier(self, command: Command) -> VenueOrder | None:
        """The order that this one would repeat; raises 422 if its client_order_id belongs to another body."""
        if not command.client_order_id:
            return None
        client_order_id = command.client_order_id.decode("ascii")
        order = self._state.orders.known_as(command.account, client_order_id)
        if order is None:
            found = await self._history.orders(command.account, client_order_id=client_order_id, page=ListPage(1))
            order = found[0] if found else None
        if order is None or await self._is_forgotten(order):
            return None
        if not _has_body(order, command):
            message = "was used for another order; the same id may only repeat the same body"
            raise field_problem("client_order_id_reused", "client_order_id", message)
        return order

    async def _is_forgotten(self, order: VenueOrder) -> bool:
        """Whether the engine has forgotten the order's client_order_id."""
        if order.leaves_lots or order.trading_date == self._state.trading_date:
            return False
        return await self._history.day_rolls_since(order.updated_seq) > CLIENT_ID_TRADING_DAYS


def _has_body(order: VenueOrder, command: Command) -> bool:
    """Whether the order has the terms of the command. Those of an amended order are the new ones: a repeat of its first body
    is told from another body by the engine only."""
    price = 0 if order.order_type in UNPRICED else order.price_ticks
    return (
        order.instrument, order.side, order.order_type, order.time_in_force, order.self_trade, order.flags & Flag.POST_ONLY,
        order.expires_s, price, order.quantity_lots, order.display_lots, order.trigger_ticks,
    ) == (
        command.instrument, command.side, command.order_type, command.time_in_force, command.self_trade, command.flags,
        command.time_s, command.price_ticks, command.quantity_lots, command.display_lots, command.trigger_ticks,
    )  # fmt: skip
