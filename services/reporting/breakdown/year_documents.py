"""Makes the documents of the effects and the fees from what was computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.reporting.breakdown.contracts import Account, AccountYear, Listed, Quantity, added
from services.reporting.breakdown.effects import Effect, Effects
from services.reporting.breakdown.fees import FEE_VAT_PERCENT, fee_income, fees_by
from services.reporting.breakdown.texts import named, tonnes_text
from services.reporting.breakdown.year_schemas import EffectParts, FeeLine, ProductEffect
from services.reporting.shares import shares_of
from services.values.decimals import decimal_text, yuan_text

FEE_ASSUMPTION = (
    f"Fee rates are taken to include {FEE_VAT_PERCENT} % value-added tax, the rate of services in China. It is an assumption: "
    "no rule of this venue says so. It is not the 13 % on goods that quotes include."
)


def effect_total(found: Effects) -> EffectParts:
    """The sums of all products."""
    now = added(effect.now for effect in found.products.values())
    before = added(effect.before for effect in found.products.values())
    return EffectParts(**_effect_fields(now, before, found))


def effect_lines(found: Effects, instruments: Mapping[int, Listed]) -> tuple[ProductEffect, ...]:
    """Each product that traded in one of the periods."""
    return tuple(
        ProductEffect(
            **named(instruments[number]),
            **_effect_fields(effect.now, effect.before, effect),
            kind=effect.kind,
            tonnes=tonnes_text(effect.now.kilograms),
            tonnes_before=tonnes_text(effect.before.kilograms),
            unit=instruments[number].unit,
            mean_price=_mean_price(effect.now, instruments[number]),
            mean_price_before=_mean_price(effect.before, instruments[number]),
        )
        for number, effect in found.products.items()
    )


def _effect_fields(now: Quantity, before: Quantity, parts: Effect | Effects) -> dict[str, str]:
    effects = {name: yuan_text(getattr(parts, f"{name}_fen")) for name in ("price", "tonnage", "new", "gone")}
    return {
        "net": yuan_text(now.amount_fen),
        "net_before": yuan_text(before.amount_fen),
        "difference": yuan_text(now.amount_fen - before.amount_fen),
        **effects,
    }


def _mean_price(traded: Quantity, listed: Listed) -> str | None:
    """Yuan per unit."""
    if not traded.kilograms:
        return None
    return decimal_text(traded.amount_fen * (1000 if listed.unit == "t" else 1), traded.kilograms * 100, 2)


def fee_fields(
    traded: Sequence[AccountYear], accounts: Mapping[int, Account], instruments: Mapping[int, Listed]
) -> dict[str, Any]:
    """The fields of `year_schemas.FeesReport` apart from the seal."""
    income = fee_income(traded)
    return {
        "fees": yuan_text(income.fees_fen),
        "without_vat": yuan_text(income.without_vat_fen),
        "vat": yuan_text(income.vat_fen),
        "vat_percent": FEE_VAT_PERCENT,
        "products": _fee_lines(traded, lambda line: line.instrument, lambda number: instruments[number].symbol),
        "classes": _fee_lines(traded, lambda line: accounts[line.account].account_class, str),
        "assumptions": (FEE_ASSUMPTION,),
    }


def _fee_lines(
    traded: Sequence[AccountYear], key: Callable[[AccountYear], int], text: Callable[[int], str]
) -> tuple[FeeLine, ...]:
    fees = dict(sorted(fees_by(traded, key).items()))
    return tuple(
        FeeLine(part=text(number), fees=yuan_text(fees[number]), share=share)
        for number, share in zip(fees, shares_of(list(fees.values())), strict=True)
    )
