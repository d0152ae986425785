"""Reader 3 of the journal: depth, trades, ticker and candles of the day, in memory. Only loading.py and reading.py do I/O."""

from services.market_data.candles import Candle, CorrectedMinute
from services.market_data.checksum import CHECKSUM_LEVELS, depth_checksum
from services.market_data.instrument_market import Indicative, InstrumentMarket, Level, TickerView
from services.market_data.loading import load_market
from services.market_data.market import Market, MarketChanges
from services.market_data.trade import MarketTrade

__all__ = [
    "CHECKSUM_LEVELS",
    "Candle",
    "CorrectedMinute",
    "Indicative",
    "InstrumentMarket",
    "Level",
    "Market",
    "MarketChanges",
    "MarketTrade",
    "TickerView",
    "depth_checksum",
    "load_market",
]
