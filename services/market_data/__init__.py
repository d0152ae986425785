"""Reader 3 of the journal: depth, trades and the day's ticker, in memory. Only `load_market` does I/O."""

from services.market_data.checksum import CHECKSUM_LEVELS, depth_checksum
from services.market_data.loading import load_market
from services.market_data.market import Market, MarketChanges
from services.market_data.quotation import Indicative, Level, MarketTrade, Quotation, TickerView

__all__ = [
    "CHECKSUM_LEVELS",
    "Indicative",
    "Level",
    "Market",
    "MarketChanges",
    "MarketTrade",
    "Quotation",
    "TickerView",
    "depth_checksum",
    "load_market",
]
