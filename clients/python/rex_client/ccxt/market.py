"""A market: a REX instrument as ccxt describes one, and its amounts and prices."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from rex_client.ccxt.errors import BadRequest, InvalidOrder

Json = dict[str, Any]
Number = Decimal | int | str
"""What amounts and prices may be given as. Never a float: 0.1 + 0.2 is none of the prices that a float can hold."""

CURRENCY = "CNY"
FEN = Decimal("0.01")


def exact(value: Number, name: str) -> Decimal:
    """The value as a Decimal. Raises BadRequest for a float and for what is no number."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except ArithmeticError:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise BadRequest(f"{name}: {value!r} is no exact number; pass a Decimal, an int or a str")


def plain(value: Number, name: str) -> str:
    """The value as the venue takes it, without an exponent: 463000 for Decimal("4.63E+5"). Raises as `exact`."""
    return f"{exact(value, name):f}"


class Market(NamedTuple):
    """An instrument. Amounts are in its unit (kg or t), as prices are yuan per unit; the venue counts lots of `lot_size`."""

    id: str
    lot_size: int
    tick: Decimal
    structure: Json

    @property
    def symbol(self) -> str:
        """The unified symbol, PRND-OX/CNY."""
        return symbol_of(self.id)

    def amount(self, quantity_lots: int) -> Decimal:
        """Lots as an amount of the unit."""
        return Decimal(quantity_lots * self.lot_size)

    def lots(self, amount: Number, name: str = "amount") -> int:
        """An amount as lots. Raises InvalidOrder unless it is a positive multiple of the lot."""
        lots = exact(amount, name) / self.lot_size
        if lots != lots.to_integral_value() or lots <= 0:
            raise InvalidOrder(f"{name}: {amount} is not a positive multiple of the lot, {self.lot_size}")
        return int(lots)

    def cost(self, average: str | None, quantity_lots: int) -> Decimal:
        """The money of the filled lots at their average price.

        The venue tells the average with four more decimals than prices have, so the money is the nearest multiple of
        tick × lot: exact for fewer lots than a million times the tick.
        """
        if average is None:
            return Decimal(0)
        step = self.tick * self.lot_size
        steps = Decimal(average) * self.amount(quantity_lots) / step
        return (steps.quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(FEN)


def symbol_of(instrument_id: str) -> str:
    """The unified symbol of a REX symbol."""
    return f"{instrument_id}/{CURRENCY}"


def market_of(instrument: Json, fees: Json) -> Market:
    """The market of an instrument of `GET /v1/instruments`, with the fees of `GET /v1/fees`."""
    symbol, lot_size = instrument["symbol"], int(instrument["lot_size"])
    tick = Decimal(instrument["tick_size"])
    nothing = {"min": None, "max": None}
    structure = {
        "id": symbol,
        "symbol": symbol_of(symbol),
        "base": symbol,
        "quote": CURRENCY,
        "settle": None,
        "baseId": symbol,
        "quoteId": CURRENCY,
        "settleId": None,
        "type": "spot",
        "spot": True,
        "margin": False,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "active": instrument["phase"] not in ("halted", "delisted"),
        **dict.fromkeys(
            ("linear", "inverse", "contractSize", "expiry", "expiryDatetime", "strike", "optionType", "created")
        ),
        "taker": Decimal(fees["taker_rate"]),
        "maker": Decimal(fees["maker_rate"]),
        "percentage": True,
        "tierBased": False,
        "feeSide": "quote",
        "precision": {"amount": Decimal(lot_size), "price": tick},
        "limits": {
            "amount": {"min": Decimal(lot_size), "max": Decimal(instrument["max_quantity"] * lot_size)},
            "price": {"min": Decimal(instrument["lower_limit"]), "max": Decimal(instrument["upper_limit"])},
            "cost": nothing,
            "leverage": nothing,
        },
        "info": instrument,
    }
    return Market(symbol, lot_size, tick, structure)


def rounded_down(value: float | Number, step: Decimal) -> str:
    """The next multiple of the step towards zero, as text."""
    steps = (Decimal(str(value)) / step).quantize(Decimal(1), ROUND_DOWN)
    return f"{steps * step:f}"


def rounded(value: float | Number, step: Decimal) -> str:
    """The nearest multiple of the step, as text."""
    steps = (Decimal(str(value)) / step).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{steps * step:f}"
