"""The control page at /ui/control: the phase of every instrument, and an operator's buttons."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, ui

from services.client import RexClient, RexError
from services.dashboard.confirmation import confirmed, reason_for
from services.dashboard.control_panels import accounts, board, switches, trades_to_bust
from services.dashboard.fragment import Fragment
from services.dashboard.frame import Frame, panel
from services.dashboard.live import LiveFeed
from services.dashboard.market_panels import LEGEND
from services.dashboard.operations import Operations
from services.dashboard.outcome import problem_line

Json = dict[str, Any]

READ_ONLY = (
    "This page only shows: the venue was started without an operator's key for it (<b>rex serve</b>). Halts, kill switches and "
    "busts are commands of the API, for a key with the scope <b>operate</b>; under <b>rex demo</b> their buttons stand here."
)

_REFRESH_SECONDS = 1.0

_ON_CLICK = "(e) => { const b = e.target.closest('[data-act]'); if (b) emit(b.dataset.act, b.dataset.of); }"
"""Sends the clicked button's action (`data-act`) and its object (`data-of`) to the server."""


class ControlPage:
    """The page for one browser."""

    def __init__(self, live: LiveFeed, operations: Operations | None) -> None:
        self._live, self._operations = live, operations
        self._frame = Frame(live, "control")
        with ui.element("main").classes("control"):
            with panel("Phases", "品种状态", "a halted instrument takes cancels only"):
                self._board = self._part(Fragment().classes("scroll"))
            with ui.element("div").classes("right"):
                with panel("Venue", "交易所"):
                    self._said = Fragment().classes("notice-line").props("data-testid=control-outcome")
                    self._switches = self._part(Fragment())
                    if operations is None:
                        Fragment(f"<div class=notice data-testid=read-only>{READ_ONLY}</div>")
                if operations is not None:
                    with panel("Accounts", "账户", "a kill switch refuses orders and amends; cancels work"):
                        self._accounts = self._part(Fragment().classes("scroll"), "account")
                with panel("Last trades", "成交", LEGEND):
                    self._trades = self._part(Fragment().classes("scroll"))
        self.refresh()
        ui.timer(_REFRESH_SECONDS, self.refresh)

    def refresh(self) -> None:
        """Shows the current data."""
        live, may_act = self._live, self._operations is not None
        self._frame.refresh()
        self._board.show(board(live.instruments.values(), live.tickers, time.time_ns(), may_act))
        self._trades.show(trades_to_bust(live.busts, live.tape, may_act))
        if live.venue is not None:
            self._switches.show(switches(live.venue, live.phases(), may_act))
        if self._operations is not None:
            self._operations.watch()
            self._accounts.show(accounts(self._operations.accounts))

    def _part(self, fragment: Fragment, kind: str = "") -> Fragment:
        async def clicked(event: events.GenericEventArguments) -> None:
            act, of = event.args
            await self._act(act, of or None, kind)

        return fragment.on("click", clicked, js_handler=_ON_CLICK)

    async def _act(self, act: str, of: str | None, kind: str) -> None:
        account = int(of) if of and kind == "account" else None
        who = f"account {account}" if account else "the whole venue"
        where = of or "all instruments"
        match act:
            case "kill-on":
                question = f"Turn on the kill switch of {who}? New orders and amends are refused until it is off again."
                await self._ask(question, "Turn it on", lambda venue: venue.kill_switch(on=True, account=account))
            case "kill-off":
                await self._ask(
                    f"Turn off the kill switch of {who}?",
                    "Turn it off",
                    lambda venue: venue.kill_switch(on=False, account=account),
                )
            case "mass-cancel":
                question = f"Cancel every open order of {who}, in all instruments?"
                await self._ask(question, "Cancel them", lambda venue: venue.mass_cancel("*", account=account))
            case "halt":
                await self._ask(f"Halt {where}? Orders can only be canceled.", "Halt", lambda venue: venue.halt(of))
            case "resume":
                await self._ask(f"Resume {where}?", "Resume", lambda venue: venue.resume(of))
            case "bust" if of:
                await self._bust(of)

    async def _bust(self, trade_id: str) -> None:
        trade = next((trade for trade in self._live.tape if trade["trade_id"] == trade_id), None)
        what = f": {trade['quantity']} lots of {trade['symbol']} at ¥ {trade['price']}" if trade else ""
        reason = await reason_for(f"Bust trade {trade_id}{what}? Money, goods and fees are given back.", "Bust it")
        if reason:
            await self._carry_out(lambda venue: venue.bust_trade(trade_id, reason))

    async def _ask(self, question: str, action: str, command: Callable[[RexClient], Awaitable[Json]]) -> None:
        if await confirmed(question, action):
            await self._carry_out(command)

    async def _carry_out(self, command: Callable[[RexClient], Awaitable[Json]]) -> None:
        assert self._operations is not None  # without an operator's key the page has no buttons
        try:
            answer = await self._operations.ask(command)
        except RexError as error:
            self._said.show(problem_line(error.code, error.detail))
        except ConnectionError as error:
            self._said.show(problem_line("no_reply", str(error)))
        else:
            self._said.show(f"<span class=good>done, as command {answer['seq']}</span>")
        self.refresh()
