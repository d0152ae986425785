"""The venue's income from fees, and without value-added tax.

Both sides of a trade pay. A bust gives the fees back; a decision that a trade does not count gives no money back, so excluded
trades stay in the income.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from services.reporting.breakdown.documents import Sealed
from services.reporting.breakdown.reading import AccountYear, MemberYear
from services.reporting.documents import Document, Yuan, seal, summed
from services.reporting.shares import shares_of
from services.reporting.sheet import Shown
from services.values.decimals import half_up

FEE_VAT_PERCENT = 6
"""An assumption: fee rates include the value-added tax on services, 6 % (Value-Added Tax Law of the People's Republic of China,
in force since 1 January 2026, article 10; before, the Provisional Regulations on Value-Added Tax). On goods it is 13 %."""

FEE_ASSUMPTION = (
    f"Fee rates are taken to include {FEE_VAT_PERCENT} % value-added tax, the rate of services in China. It is an assumption: "
    "no rule of this venue says so. It is not the 13 % on goods that quotes include."
)


class FeeLine(Document):
    """Fees of a part of the trades, as paid."""

    part: Annotated[str, Shown("text", "Part", "部分")]
    fees_fen: Annotated[Yuan, Shown("decimal", "Fees (yuan)", "手续费（元）")]
    share: Annotated[str, Shown("decimal", "Share", "占比")]


class FeesReport(Sealed):
    """The venue's fee income of the year: what both sides paid for trades that are not busted."""

    fees_fen: Yuan = Field(description="As paid, in yuan. Excluded trades are in it: an exclusion gives no money back.")
    without_vat_fen: Yuan = Field(description="fees / 1.06, rounded half up to the fen.")
    vat_fen: Yuan = Field(description="fees − without_vat.")
    vat_percent: int
    products: tuple[FeeLine, ...]
    classes: tuple[FeeLine, ...] = Field(description="By account class.")
    assumptions: tuple[str, ...]


def fees_of(found: MemberYear) -> FeesReport:
    """The fee income of the year."""
    fees_fen = sum(line.fees_fen for line in found.traded)
    without_vat_fen = half_up(fees_fen * 100, 100 + FEE_VAT_PERCENT)
    return FeesReport(
        year=found.year,
        **seal(found.position),
        fees_fen=fees_fen,
        without_vat_fen=without_vat_fen,
        vat_fen=fees_fen - without_vat_fen,
        vat_percent=FEE_VAT_PERCENT,
        products=_lines(found.traded, lambda line: line.instrument, lambda number: found.instruments[number].symbol),
        classes=_lines(found.traded, lambda line: found.accounts[line.account].account_class, str),
        assumptions=(FEE_ASSUMPTION,),
    )


def _lines(
    traded: Sequence[AccountYear], key: Callable[[AccountYear], int], text: Callable[[int], str]
) -> tuple[FeeLine, ...]:
    by_key = dict(sorted(summed((key(line), line.fees_fen) for line in traded).items()))
    shares = shares_of(list(by_key.values()))
    return tuple(
        FeeLine(part=text(number), fees_fen=by_key[number], share=share)
        for number, share in zip(by_key, shares, strict=True)
    )
