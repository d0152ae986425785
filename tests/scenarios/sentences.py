"""The sentences of a scenario's first column as commands: `#1 Ann buys 5 @ 100, GTC`.

Every sentence must match one pattern whole; an unknown word is an error. `, field=value` at the end sets any field of the
command to any number, for commands that no sentence covers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match
from typing import Any

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    Command,
    CommandKind,
    Flag,
    OrderType,
    Phase,
    SelfTrade,
    Side,
    TimeInForce,
)
from tests.scenarios.names import Names, fen, ppm, whole

Fields = dict[str, Any]
SENTENCES: list[tuple[re.Pattern[str], Callable[[Names, Match[str]], Fields]]] = []
OVERRIDE = re.compile(r",? (\w+)=(-?\d+)$")
OF = r"(?: of (?P<symbol>\w+))?"


class UnknownSentence(ValueError):
    """A sentence, or a word in it, that matches no pattern."""


def sentence(pattern: str) -> Callable[[Callable[[Names, Match[str]], Fields]], Callable[[Names, Match[str]], Fields]]:
    """Registers the function that reads the sentences of a pattern."""

    def register(read: Callable[[Names, Match[str]], Fields]) -> Callable[[Names, Match[str]], Fields]:
        SENTENCES.append((re.compile(pattern), read))
        return read

    return register


def command(text: str, names: Names, seq: int) -> Command:
    """The command of a sentence. Raises UnknownSentence."""
    overrides: Fields = {}
    rest = text
    while found := OVERRIDE.search(rest):
        overrides[found[1]] = int(found[2])
        rest = rest[: found.start()]
    if not overrides.keys() <= set(Command._fields):
        raise UnknownSentence(f"no command has such a field: {text}")
    for pattern, read in SENTENCES:
        if match := pattern.fullmatch(rest):
            try:
                said = read(names, match)
            except (KeyError, ValueError) as error:
                raise UnknownSentence(f"{text}: {error!r}") from error
            stamps: Fields = {"seq": seq, "time_ns": int(names.now.timestamp()) * 10**9}
            return Command(**stamps | said | overrides)
    raise UnknownSentence(text)


@sentence(
    r"(?:#(?P<label>\d+) )?(?P<who>\w+) (?P<side>buys|sells) (?P<lots>[\d,]+)(?: (?P<symbol>[A-Z]\w*))?"
    r"(?: @ (?P<price>[\d,]+)| at (?P<market>market))?(?: stop (?P<trigger>[\d,]+))?(?P<options>(?:, [^=]+)*)"
)
def new_order(names: Names, match: Match[str]) -> Fields:
    if match["market"]:
        order_type, time_in_force = OrderType.MARKET, TimeInForce.IOC
    else:
        kinds = {(True, False): OrderType.LIMIT, (False, True): OrderType.STOP, (True, True): OrderType.STOP_LIMIT}
        order_type = kinds[match["price"] is not None, match["trigger"] is not None]
        time_in_force = TimeInForce.DAY
    fields: Fields = {
        "kind": CommandKind.NEW_ORDER,
        "account": names.accounts[match["who"]],
        "instrument": names.symbols.index(match["symbol"] or "Nd"),
        "side": Side.BUY if match["side"] == "buys" else Side.SELL,
        "order_type": order_type,
        "time_in_force": time_in_force,
        "quantity_lots": whole(match["lots"]),
        "price_ticks": whole(match["price"] or "0"),
        "trigger_ticks": whole(match["trigger"] or "0"),
    }
    for option in filter(None, match["options"].split(", ")):
        fields |= order_option(names, option)
    return fields


def order_option(names: Names, option: str) -> Fields:
    """One of the words after an order's comma."""
    word, _, value = option.partition(" ")
    if option in ("DAY", "GTC", "IOC", "FOK"):
        return {"time_in_force": TimeInForce[option]}
    if word == "GTD":
        return {"time_in_force": TimeInForce.GTD, "time_s": int(names.moment(value).timestamp())}
    if word == "shows":
        return {"display_lots": whole(value)}
    if option == "post-only":
        return {"flags": Flag.POST_ONLY}
    if word == "id":
        return {"client_order_id": value.encode()}
    return {"self_trade": SelfTrade[option.replace(" ", "_").upper()]}


@sentence(r"(?P<who>\w+) cancels (?:#(?P<order>\d+)|id (?P<id>\w+))")
def cancel(names: Names, match: Match[str]) -> Fields:
    order_id = names.orders[match["order"]] if match["order"] else 0
    fields = {"kind": CommandKind.CANCEL, "account": names.accounts[match["who"]], "order_id": order_id}
    return fields | {"client_order_id": (match["id"] or "").encode()}


@sentence(r"(?P<who>\w+) amends (?:#(?P<order>\d+)|id (?P<id>\w+)): (?P<changes>[^=]+)")
def amend(names: Names, match: Match[str]) -> Fields:
    flags = 0
    fields: Fields = {}
    meanings = {
        "price": ("price_ticks", Flag.CHANGE_PRICE),
        "quantity": ("quantity_lots", Flag.CHANGE_QUANTITY),
        "shows": ("display_lots", Flag.CHANGE_DISPLAY),
        "stop": ("trigger_ticks", Flag.CHANGE_TRIGGER),
    }
    for change in match["changes"].split(", ") if match["changes"] != "nothing" else ():
        word, value = change.split(" ")
        name, flag = meanings[word]
        fields[name] = whole(value)
        flags |= flag
    order_id = names.orders[match["order"]] if match["order"] else 0
    who = {
        "account": names.accounts[match["who"]],
        "order_id": order_id,
        "client_order_id": (match["id"] or "").encode(),
    }
    return {"kind": CommandKind.AMEND, "flags": flags} | who | fields


@sentence(r"mass cancel(?: of (?P<who>\w+))?(?:, (?P<side>buys|sells))?(?:, (?P<symbol>[A-Z]\w*))?")
def mass_cancel(names: Names, match: Match[str]) -> Fields:
    return {
        "kind": CommandKind.MASS_CANCEL,
        "account": names.accounts[match["who"]] if match["who"] else 0,
        "side": {"buys": Side.BUY, "sells": Side.SELL, None: BOTH_SIDES}[match["side"]],
        "instrument": names.symbols.index(match["symbol"]) if match["symbol"] else ALL_INSTRUMENTS,
    }


def one_or_all(names: Names, symbol: str | None) -> int:
    return names.symbols.index(symbol) if symbol else ALL_INSTRUMENTS


@sentence(rf"phase (?P<phase>[A-Z_]+){OF}")
def set_phase(names: Names, match: Match[str]) -> Fields:
    where = {"instrument": one_or_all(names, match["symbol"])}
    return {"kind": CommandKind.SET_PHASE, "phase": Phase[match["phase"]]} | where


@sentence(rf"(?P<what>halt|resume){OF}")
def halt(names: Names, match: Match[str]) -> Fields:
    return {"kind": CommandKind[match["what"].upper()], "instrument": one_or_all(names, match["symbol"])}


@sentence(r"day roll to (?P<date>\d{4}-\d\d-\d\d)")
def day_roll(names: Names, match: Match[str]) -> Fields:
    date = int(match["date"].replace("-", ""))
    return {"kind": CommandKind.DAY_ROLL, "date": date}


@sentence(r"it is (?P<moment>(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d)")
def time(names: Names, match: Match[str]) -> Fields:
    names.now = names.moment(match["moment"])
    return {"kind": CommandKind.TIME}


@sentence(rf"collar (?P<rate>[\d.]+) %{OF}")
def collar(names: Names, match: Match[str]) -> Fields:
    where = {"instrument": names.symbols.index(match["symbol"] or "Nd")}
    return {"kind": CommandKind.SET_COLLAR, "rate_ppm": ppm(match["rate"])} | where


@sentence(rf"volatility band (?P<rate>[\d.]+) %, (?P<seconds>\d+) s{OF}")
def volatility_band(names: Names, match: Match[str]) -> Fields:
    terms = {"rate_ppm": ppm(match["rate"]), "time_s": int(match["seconds"])}
    return {"kind": CommandKind.SET_VOLATILITY_BAND, "instrument": names.symbols.index(match["symbol"] or "Nd")} | terms


@sentence(r"fees (?P<maker>[\d.]+) % maker, (?P<taker>[\d.]+) % taker(?:, class (?P<number>\d+))?")
def fees(names: Names, match: Match[str]) -> Fields:
    rates = {"rate_ppm": ppm(match["maker"]), "taker_rate_ppm": ppm(match["taker"])}
    return {"kind": CommandKind.SET_FEES, "account_class": int(match["number"] or 0)} | rates


@sentence(r"kill switch (?P<what>on|off) for (?P<who>\w+)")
def kill_switch(names: Names, match: Match[str]) -> Fields:
    account = 0 if match["who"] == "all" else names.accounts[match["who"]]
    return {"kind": CommandKind[f"KILL_SWITCH_{match['what'].upper()}"], "account": account}


@sentence(r"limits of (?P<who>\w+): (?P<lots>[\d,]+) lots, (?P<amount>[\d,.]+) yuan, (?P<number>[\d,]+) orders")
def order_limits(names: Names, match: Match[str]) -> Fields:
    terms = {
        "quantity_lots": whole(match["lots"]),
        "amount_fen": fen(match["amount"]),
        "number": whole(match["number"]),
    }
    return {"kind": CommandKind.SET_ORDER_LIMITS, "account": names.accounts[match["who"]]} | terms


@sentence(r"turnover limit of (?P<who>\w+): (?P<amount>[\d,.]+) yuan")
def turnover_limit(names: Names, match: Match[str]) -> Fields:
    amount = fen(match["amount"])
    return {"kind": CommandKind.SET_TURNOVER_LIMIT, "account": names.accounts[match["who"]], "amount_fen": amount}


@sentence(r"(?P<who>\w+) (?P<what>deposits|withdraws) (?P<amount>[\d,.]+) yuan")
def change_cash(names: Names, match: Match[str]) -> Fields:
    kind = CommandKind[match["what"].upper()[:-1]]
    return {"kind": kind, "account": names.accounts[match["who"]], "amount_fen": fen(match["amount"])}


@sentence(r"(?P<who>\w+) (?P<what>receives|releases) (?P<lots>[\d,]+) (?P<symbol>\w+)")
def change_lots(names: Names, match: Match[str]) -> Fields:
    where = {"account": names.accounts[match["who"]], "instrument": names.symbols.index(match["symbol"])}
    return {"kind": CommandKind[match["what"].upper()[:-1]], "quantity_lots": whole(match["lots"])} | where


@sentence(r"bust #(?P<taker>\d+) x #(?P<maker>\d+)")
def bust(names: Names, match: Match[str]) -> Fields:
    return {"kind": CommandKind.BUST_TRADE, "order_id": names.trades[f"#{match['taker']}", f"#{match['maker']}"]}


@sentence(r"open (?P<who>\w+)(?:, class (?P<number>\d+))?(?:, group of (?P<owner>\w+))?")
def open_account(names: Names, match: Match[str]) -> Fields:
    owner = names.accounts[match["owner"]] if match["owner"] else 0
    if match["who"] in names.accounts:
        raise ValueError("the name is taken")
    names.accounts[match["who"]] = max(names.accounts.values()) + 1
    return {"kind": CommandKind.OPEN_ACCOUNT, "owner": owner, "account_class": int(match["number"] or 0)}


@sentence(
    r"list (?P<symbol>\w+): reference (?P<price>\d+), a tick (?P<tick>[\d,.]+) yuan, band (?P<rate>[\d.]+) %, "
    r"at most (?P<lots>[\d,]+) lots"
)
def list_instrument(names: Names, match: Match[str]) -> Fields:
    if match["symbol"] not in names.symbols:
        names.symbols.append(match["symbol"])
    return {
        "kind": CommandKind.LIST_INSTRUMENT,
        "instrument": names.symbols.index(match["symbol"]),
        "price_ticks": int(match["price"]),
        "amount_fen": fen(match["tick"]),
        "rate_ppm": ppm(match["rate"]),
        "quantity_lots": whole(match["lots"]),
    }


@sentence(
    r"change (?P<symbol>\w+): (?:no terms|(?:band (?P<band>[\d.]+) %)?(?:, )?(?:collar (?P<collar>[\d.]+) %)?(?:, )?"
    r"(?:at most (?P<lots>[\d,]+) lots)?)"
)
def change_instrument(names: Names, match: Match[str]) -> Fields:
    flags = 0
    fields: Fields = {}
    for word, name, number, flag in (
        ("band", "rate_ppm", ppm, Flag.CHANGE_BAND),
        ("collar", "taker_rate_ppm", ppm, Flag.CHANGE_COLLAR),
        ("lots", "quantity_lots", whole, Flag.CHANGE_QUANTITY),
    ):
        if match[word]:
            fields[name] = number(match[word])
            flags |= flag
    instrument = names.symbols.index(match["symbol"])
    return {"kind": CommandKind.CHANGE_INSTRUMENT, "instrument": instrument, "flags": flags} | fields


@sentence(r"delist (?P<symbol>\w+)")
def delist_instrument(names: Names, match: Match[str]) -> Fields:
    return {"kind": CommandKind.DELIST_INSTRUMENT, "instrument": names.symbols.index(match["symbol"])}


@sentence(r"(?P<kind>[A-Z_]+)")
def bare(names: Names, match: Match[str]) -> Fields:
    return {"kind": CommandKind[match["kind"]]}
