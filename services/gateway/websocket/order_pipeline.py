"""The orders of one WebSocket client, pipelined.

The connection hands an order over and reads on, and the reader of the journal calls back with the outcome. Replies leave in the
order of the requests, so an outcome that needs a look into the past holds back those behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from matching_engine.records import Event
from services.gateway.ids import order_id_of
from services.gateway.order_entry.order_body import decode_order
from services.gateway.order_entry.order_entry import OnOutcome, OrderEntry, Outcome
from services.gateway.problems import ProblemError, field_problem, outcome_unknown, problem_of
from services.gateway.replies.execution_report import mass_canceled_json, order_json
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.messages import (
    AmendParams,
    CancelParams,
    MassCancelParams,
    Message,
    RequestId,
    decode_params,
)
from services.gateway.websocket.push_messages import json_text
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

_CANCELS = frozenset({"cancel_order", "mass_cancel"})


class Slot:
    """The place of one order's reply in the order of requests; `text` is None until the reply is there."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text: str | None = None


class OrderPipeline:
    """Takes the methods about orders, and puts their replies into the client's queue."""

    def __init__(
        self, state: VenueState, order_entry: OrderEntry, queue: ClientQueue, valid_key: Callable[[], ApiKey]
    ) -> None:
        self._state = state
        self._order_entry = order_entry
        self._queue = queue
        self._valid_key = valid_key
        self._slots: deque[Slot] = deque()
        self.methods: dict[str, Callable[[Message, Slot], Awaitable[None]]] = {
            "place_order": self._place,
            "amend_order": self._amend,
            "cancel_order": self._cancel,
            "mass_cancel": self._mass_cancel,
        }

    def __len__(self) -> int:
        """How many requests have no reply yet."""
        return len(self._slots)

    async def take(self, message: Message) -> None:
        """Returns when the order is handed over; whatever is wrong with it becomes its reply.

        Waits while the key has too many requests under way or had its turn: the venue reads no more of this connection.
        """
        slot = Slot()
        self._slots.append(slot)
        try:
            key_id, only_cancels = self._valid_key().key_id, message.method in _CANCELS
            if not self._order_entry.under_way.may_begin(key_id, only_cancels):
                await self._order_entry.under_way.turn(key_id, only_cancels)
            await self.methods[message.method](message, slot)
        except Exception as error:
            slot.text = error_text(message.req_id, problem_of(error))
            self._send_replies()

    def _on_outcome(self, message: Message, slot: Slot) -> OnOutcome:
        def on_outcome(outcome: Outcome) -> None:
            slot.text = self._outcome_text(message.req_id, outcome)
            self._send_replies()

        return on_outcome

    async def _place(self, message: Message, slot: Slot) -> None:
        body = decode_order(message.params)
        await self._order_entry.submit_order(self._valid_key(), body, self._on_outcome(message, slot))

    async def _amend(self, message: Message, slot: Slot) -> None:
        params = decode_params(message.params, AmendParams)
        order_id, client_order_id = _named_order(params)
        await self._order_entry.submit_amend(
            self._valid_key(),
            params,
            self._on_outcome(message, slot),
            order_id=order_id,
            client_order_id=client_order_id,
        )

    async def _cancel(self, message: Message, slot: Slot) -> None:
        order_id, client_order_id = _named_order(decode_params(message.params, CancelParams))
        await self._order_entry.submit_cancel(
            self._valid_key(), self._on_outcome(message, slot), order_id=order_id, client_order_id=client_order_id
        )

    async def _mass_cancel(self, message: Message, slot: Slot) -> None:
        params = decode_params(message.params, MassCancelParams)

        def on_reply(reply: Event | ProblemError) -> None:
            if isinstance(reply, ProblemError):
                slot.text = error_text(message.req_id, reply)
            else:
                result = mass_canceled_json(reply, self._state.instruments)
                slot.text = json_text({"req_id": message.req_id, "result": result})
            self._send_replies()

        await self._order_entry.submit_mass_cancel(
            self._valid_key(), params.symbol, params.side, params.account, on_reply
        )

    def _outcome_text(self, request_id: RequestId, outcome: Outcome) -> str:
        if outcome.order is None:
            return error_text(request_id, outcome.problem or outcome_unknown())
        return json_text({"req_id": request_id, "result": order_json(outcome.order, self._state.instruments)})

    def _send_replies(self) -> None:
        slots = self._slots
        while slots and slots[0].text is not None:
            self._queue.put(slots[0].text)
            slots.popleft()


def _named_order(params: AmendParams | CancelParams) -> tuple[int, str]:
    """The order_id or the client_order_id; a 422 problem for none or both."""
    if (params.order_id is None) == (params.client_order_id is None):
        raise field_problem("validation_failed", "order_id", "give either order_id or client_order_id")
    return 0 if params.order_id is None else order_id_of(params.order_id), params.client_order_id or ""


def error_text(request_id: RequestId, problem: ProblemError) -> str:
    """The reply to what went wrong."""
    return json_text({"req_id": request_id, "error": problem.document()})
