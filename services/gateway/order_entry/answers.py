"""From the first event of a command to its answer: the order as it stands, or the problem.

Most answers are in memory when the reply comes (`in_memory`). The others are in the read database only, and asking it takes a
moment (`in_history`).
"""

from __future__ import annotations

from matching_engine.records import Command, CommandKind, Event, EventKind, Reason
from services.gateway.ids import ORDER_IDS
from services.gateway.order_entry.history import OrderHistory
from services.gateway.order_entry.order_command import OrderRef
from services.gateway.problems import ProblemError, declined, field_problem, outcome_unknown
from services.read_model.past_trades import ListPage
from services.venue_state.orders import VenueOrder
from services.venue_state.reasons import reason_text
from services.venue_state.state import VenueState

_DUPLICATE, _REJECTED = int(EventKind.DUPLICATE), int(EventKind.REJECTED)  # As ints: each order is compared with them.


class Answers:
    """Answers to new orders, amends and cancels."""

    def __init__(self, state: VenueState, history: OrderHistory) -> None:
        self._state = state
        self._history = history

    def in_memory(self, command: Command, event: Event) -> VenueOrder | None:
        """The order; None where only the history knows the answer. Raises the problem where the engine declined.

        A rejected new order is an order, except one that took the client_order_id of another order (422).
        """
        if event.kind == _DUPLICATE:
            return None
        if event.kind == _REJECTED:
            if command.kind == CommandKind.NEW_ORDER:
                if event.reason == Reason.CLIENT_ORDER_ID_REUSED:
                    message = "was used for another order; the same id may only repeat the same body"
                    raise field_problem("client_order_id_reused", "client_order_id", message)
            elif event.reason == Reason.UNKNOWN_ORDER:
                return None
            else:
                raise self.declined(event, self._state.orders.get(event.order_id))
        # None: after it, more orders ended in its batch than memory keeps.
        return self._state.orders.get(event.order_id)

    async def in_history(self, command: Command, event: Event) -> VenueOrder:
        """The order, where `in_memory` returned None; raises the problem of an amend or cancel of an order that is not open."""
        if event.kind == EventKind.REJECTED and command.kind != CommandKind.NEW_ORDER:
            raise await self.not_open(OrderRef(command.account, command.order_id, command.client_order_id))
        order = await self._history.order(event.order_id)
        if order is None:
            raise outcome_unknown()
        return order

    async def not_open(self, ref: OrderRef) -> ProblemError:
        """The problem of an amend or cancel of an order that is not open: 409 `order_not_open`, or 404 `unknown_order`."""
        order = await self._order_of(ref)
        if order is None or ref.account not in (0, order.account):
            return ORDER_IDS.unknown()
        detail = f"Order {order.order_id} is {order.state}: there is nothing left to cancel or amend."
        return ProblemError(409, "order_not_open", detail)

    async def _order_of(self, ref: OrderRef) -> VenueOrder | None:
        if ref.order_id:
            return await self._history.order(ref.order_id)
        client_order_id = ref.client_order_id.decode("ascii")
        order = self._state.orders.known_as(ref.account, client_order_id)
        if order is not None:
            return order
        found = await self._history.orders(ref.account, client_order_id=client_order_id, page=ListPage(1))
        return found[0] if found else None

    def declined(self, event: Event, order: VenueOrder | None = None) -> ProblemError:
        """The problem of a REJECTED event. `order` is the order of an amend: the event repeats the command, which names neither
        the order's instrument nor its side."""
        number, side = (event.instrument, event.side) if order is None else (order.instrument, order.side)
        instruments = self._state.instruments
        instrument = instruments[number] if number < len(instruments) else None
        account = self._state.accounts.get(event.account)
        return declined(event.reason, reason_text(event.reason, side, account, instrument))
