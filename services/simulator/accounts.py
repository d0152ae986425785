"""The accounts of a demo venue: invented names, their roles and their opening balances; and each symbol's share of turnover.

No name is a real company's. The shares of value follow one public statement (magnets and PrNd make about 91 % of Baotou's
new-material value); the shares within that are an assumption of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["maker", "taker", "patient", "desk"]
"""`maker` quotes both sides; `taker` trades at once; `patient` places orders away from the market; a person uses `desk`."""

VALUE_SHARE_BP: dict[str, int] = {
    # Magnets, their feedstock NdFeB flakes, and PrNd: 9,100 of 10,000.
    "PRND-OX": 2200,
    "PRND-MET": 1400,
    "NDFEB-N42": 1100,
    "NDFEB-N35": 900,
    "NDFEB-N52": 900,
    "NDFEB-42H": 600,
    "NDFEB-SC": 600,
    "NDFEB-42SH": 500,
    "NDFEB-38UH": 300,
    "NDFEB-35EH": 200,
    "NDFEB-BNP10": 150,
    "NDFEB-HP40": 100,
    "SMCO-217": 100,
    "SMCO-15": 50,
    # Everything else: 900.
    "ND-OX": 150,
    "DY-OX": 120,
    "DYFE-80": 100,
    "TB-OX": 80,
    "GDFE-75": 70,
    "HOFE-80": 60,
    "TB-MET": 50,
    "RE-POL": 40,
    "LA-OX": 30,
    "CE-OX": 30,
    "Y-OX": 30,
    "LA-MET": 30,
    "RE-AB5": 30,
    "RE-FCC": 30,
    "RE-CZO": 20,
    "RE-PHR": 15,
    "RE-STAB": 10,
    "Y-TGT": 5,
}
"""Each symbol's share of simulated turnover, in 1/10,000."""

_YUAN = 100


@dataclass(frozen=True)
class DemoAccount:
    """An account that a demo venue opens and funds at its first start."""

    name: str
    role: Role
    cash_fen: int
    lots: dict[str, int]
    """The opening lots of each symbol. The trader tends to return to them, or to what a history has left it."""

    def home_lots(self, held_at_end: Mapping[str, int]) -> dict[str, int]:
        """What the trader wants to hold: its opening lots, or what it held when the history ended, if that is more; otherwise
        takers would sell for days. It stays the same at every start, whatever the trader holds by then."""
        return {symbol: max(lots, held_at_end.get(symbol, 0)) for symbol, lots in self.lots.items()}


def demo_accounts() -> tuple[DemoAccount, ...]:
    """The accounts of a demo venue, in the order of their opening. The last one is the trader page's."""
    return (
        _account("Hetao Market Making", "maker", 6_000_000_000, 4_000),
        _account("Yinshan Liquidity Partners", "maker", 6_000_000_000, 4_000),
        _account("Deer City Metals Dealing", "maker", 6_000_000_000, 4_000),
        _account("Kundulun Magnet Makers", "taker", 2_000_000_000, 1_500),
        _account("Steppe Wind Drives", "taker", 2_000_000_000, 1_500),
        _account("Yellow River Motor Works", "taker", 2_000_000_000, 1_500),
        _account("East Harbour Magnet Assemblies", "taker", 2_000_000_000, 1_500),
        _account("Grassland Catalyst and Polishing", "taker", 2_000_000_000, 1_500),
        _account("Daqing Mountain Oxide Separators", "patient", 2_000_000_000, 2_000),
        _account("Southern Heavy-Earth Separators", "patient", 2_000_000_000, 2_000),
        _account("North Slope Alloy and Strip-Cast", "patient", 2_000_000_000, 2_000),
        _account("Saihan Strategic Stockholding", "patient", 2_000_000_000, 2_000),
        _account("Demo Trading Desk", "desk", 50_000_000, 200),
    )


def _account(name: str, role: Role, cash_yuan: int, lots: int) -> DemoAccount:
    return DemoAccount(name, role, cash_yuan * _YUAN, dict.fromkeys(VALUE_SHARE_BP, lots))
