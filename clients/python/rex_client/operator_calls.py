"""The routes of operators as methods, except reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date as Date
from typing import Literal
from urllib.parse import quote

from rex_client.calls import Amount, Calls, Fields, Json, Time


class OperatorCalls(Calls):
    """Market control, decisions and measures, over REST. `seq` of a reply is the command that was carried out.

    An act that needs a second person at this venue raises Proposed: nothing was carried out.
    """

    # ------------------------------------------------------------------ the market

    async def halt(self, symbol: str | None = None, *, reason: str = "", name: str = "") -> Json:
        """Halts one instrument, or all: they accept only cancels. `name` is the person, where a key halts."""
        said = {"reason": reason, "name": name} if reason or name else None
        return await self._change("POST", _switch("halt", symbol), said)

    async def resume(self, symbol: str | None = None) -> Json:
        """Ends the halt of one instrument, or of all."""
        return await self._change("POST", _switch("resume", symbol))

    async def set_phase(self, symbol: str, phase: str) -> Json:
        """Sets an instrument's phase until the schedule's next change."""
        return await self._change("PUT", _of(symbol, "phase"), {"phase": phase})

    async def set_collar(self, symbol: str, rate: Amount) -> Json:
        """Sets how far beyond the last price an order may reach, as a fraction. "0": no collar."""
        return await self._change("PUT", _of(symbol, "collar"), {"rate": rate})

    async def set_volatility_band(self, symbol: str, rate: Amount, auction_seconds: int) -> Json:
        """Sets the volatility band: a trade further from the last price than `rate` begins an auction. "0" and 0: no band."""
        body = {"rate": rate, "auction_seconds": auction_seconds}
        return await self._change("PUT", _of(symbol, "volatility_band"), body)

    async def list_instrument(
        self, instrument: Fields, *, reason: str, name: str = "", idempotency_key: str | None = None
    ) -> Json:
        """Lists an instrument: the fields of `POST /v1/admin/instruments`. `name` is the person, where a key acts."""
        body = {**instrument, "reason": reason, "name": name}
        return await self._change("POST", "/v1/admin/instruments", body, idempotency_key)

    async def change_instrument(
        self, symbol: str, changes: Fields, *, reason: str, name: str = "", idempotency_key: str | None = None
    ) -> Json:
        """Changes terms and texts of an instrument: the fields of `PATCH /v1/admin/instruments/{symbol}`."""
        body = {**changes, "reason": reason, "name": name}
        return await self._change("PATCH", f"/v1/admin/instruments/{quote(symbol, safe='')}", body, idempotency_key)

    async def delist_instrument(self, symbol: str, *, reason: str, name: str = "") -> Json:
        """Delists an instrument for good: its open orders end."""
        return await self._change("POST", _of(symbol, "delist"), {"reason": reason, "name": name})

    async def kill_switch(self, *, on: bool, account: int | None = None) -> Json:
        """Turns the kill switch of an account, or of the venue, on or off. On: orders and amends are refused."""
        path = "/v1/admin" if account is None else f"/v1/admin/accounts/{account}"
        return await self._change("POST", f"{path}/kill_switch/{'on' if on else 'off'}")

    async def set_limits(
        self,
        account: int,
        *,
        max_order_quantity: int | None = None,
        max_order_value: Amount | None = None,
        max_open_orders: int | None = None,
        max_day_turnover: Amount | None = None,
    ) -> Json:
        """Sets all limits of an account. None: no limit."""
        body = {
            "max_order_quantity": max_order_quantity,
            "max_order_value": max_order_value,
            "max_open_orders": max_open_orders,
            "max_day_turnover": max_day_turnover,
        }
        return await self._change("PUT", f"/v1/admin/accounts/{account}/limits", body)

    async def bust_trade(self, trade_id: str, reason: str) -> Json:
        """Busts (takes back) a trade of the current trading day."""
        return await self._change("POST", f"/v1/admin/trades/{quote(trade_id, safe='')}/bust", {"reason": reason})

    # ------------------------------------------------------------------ the year's figure

    async def set_target(self, target: Fields) -> Json:
        """Sets a target: the fields of `POST /v1/admin/targets`."""
        return await self._change("POST", "/v1/admin/targets", target)

    async def decide(
        self,
        decision: Literal["exclude", "include"],
        trade_ids: Iterable[str],
        *,
        reason: str,
        name: str,
        finding: str | None = None,
    ) -> Json:
        """Decides whether 1 to 10,000 trades count for the year's turnover; `name` is the person who decides."""
        body = {"decision": decision, "trade_ids": list(trade_ids), "reason": reason, "name": name}
        return await self._change(
            "POST", "/v1/admin/decisions", body if finding is None else body | {"finding": finding}
        )

    async def add_context(self, year: int, figure: str, value: Amount, unit: str, *, source: str, name: str) -> Json:
        """Enters a figure about the world outside, with its source."""
        body = {"year": year, "figure": figure, "value": value, "unit": unit, "source": source, "name": name}
        return await self._change("POST", "/v1/admin/context", body)

    # ------------------------------------------------------------------ surveillance

    async def declare_control(self, accounts: Iterable[int], *, reason: str, name: str) -> Json:
        """Declares that 2 to 100 accounts are under one control."""
        body = {"accounts": list(accounts), "reason": reason, "name": name}
        return await self._change("POST", "/v1/admin/control_groups", body)

    async def end_control(self, seq: int, *, reason: str, name: str) -> Json:
        """Ends the control group that the command `seq` declared."""
        return await self._change("POST", f"/v1/admin/control_groups/{seq}/end", {"reason": reason, "name": name})

    async def impose_measure(
        self,
        accounts: Iterable[int],
        measure: Literal["warning", "watch_list", "opening_ban"],
        trading_date: Date,
        *,
        reason: str,
        name: str,
    ) -> Json:
        """Imposes a measure on accounts for what they did on a trading day."""
        body = {
            "accounts": list(accounts),
            "measure": measure,
            "trading_date": trading_date,
            "reason": reason,
            "name": name,
        }
        return await self._change("POST", "/v1/admin/measures", body)

    async def lift_measure(self, seq: int, *, reason: str, name: str) -> Json:
        """Lifts the measure that the command `seq` imposed."""
        return await self._change("POST", f"/v1/admin/measures/{seq}/lift", {"reason": reason, "name": name})

    async def admin_log(
        self,
        *,
        who: str | None = None,
        kind: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        order: Literal["newest", "oldest"] | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Json:
        """One page of what operators and administrators did: `actions` and `next_cursor`. `who` is the id or name of a key or
        user; times are whole seconds."""
        query = {"who": who, "kind": kind, "start": start, "end": end, "order": order, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/admin/log", query=query)

    # ------------------------------------------------------------------ acts of two persons

    async def proposals(
        self,
        state: Literal["waiting", "confirmed", "rejected", "withdrawn", "expired", "all"] = "waiting",
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Json:
        """One page of the acts that need a second person, newest first: `proposals` and `next_cursor`; and `acts`, which they
        are at this venue."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/admin/proposals", query=query)

    async def confirm_proposal(self, proposal: int) -> Json:
        """Confirms what another has proposed: the act is carried out now. Only a person who is logged in may: a key is refused
        with 403 `wrong_person`. `seq` of the reply is its command."""
        return await self._change("POST", f"/v1/admin/proposals/{proposal}/confirm")

    async def reject_proposal(self, proposal: int, reason: str) -> Json:
        """Rejects what another has proposed. Only a person who is logged in may: a key is refused with 403 `wrong_person`."""
        return await self._change("POST", f"/v1/admin/proposals/{proposal}/reject", {"reason": reason})

    async def withdraw_proposal(self, proposal: int, reason: str) -> Json:
        """Withdraws what this key has proposed."""
        return await self._change("POST", f"/v1/admin/proposals/{proposal}/withdraw", {"reason": reason})

    # ------------------------------------------------------------------ alerts

    async def alerts(
        self, state: Literal["open", "all"] = "open", *, limit: int = 50, cursor: str | None = None
    ) -> Json:
        """One page of alerts, newest first: `alerts` and `next_cursor`. The channel `alerts` pushes each change."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._object("GET", "/v1/alerts", query=query)

    async def acknowledge_alert(self, alert_id: str, name: str, note: str = "") -> Json:
        """Records that the person `name` has seen the alert. RexError `already_acknowledged`: somebody had before."""
        path = f"/v1/alerts/{quote(alert_id, safe='')}/acknowledge"
        return await self._change("POST", path, {"name": name, "note": note})


def _switch(action: str, symbol: str | None) -> str:
    return f"/v1/admin/{action}" if symbol is None else _of(symbol, action)


def _of(symbol: str, what: str) -> str:
    return f"/v1/admin/instruments/{quote(symbol, safe='')}/{what}"
