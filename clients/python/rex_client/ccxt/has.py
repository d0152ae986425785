"""What the adapter has: ccxt's names of unified methods, each True or False."""

from __future__ import annotations

MARKET_TYPES = {"spot": True, "margin": False, "swap": False, "future": False, "option": False}
"""Entries of the table that are not methods."""

PUBLIC = (
    "fetchCurrencies", "fetchMarkets", "fetchOHLCV", "fetchOrderBook", "fetchStatus", "fetchTicker", "fetchTickers",
    "fetchTime", "fetchTrades",
)  # fmt: skip
ORDERS = (
    "cancelAllOrders", "cancelAllOrdersAfter", "cancelOrder", "cancelOrders", "createOrder", "createOrders", "editOrder",
)  # fmt: skip
ACCOUNT = (
    "fetchBalance", "fetchCanceledAndClosedOrders", "fetchCanceledOrders", "fetchClosedOrders", "fetchDeposits",
    "fetchDepositsWithdrawals", "fetchLedger", "fetchMyTrades", "fetchOpenOrders", "fetchOrder", "fetchOrderTrades",
    "fetchOrders", "fetchTradingFee", "fetchTradingFees", "fetchWithdrawals",
)  # fmt: skip
WATCHED = (
    "watchBalance", "watchMyTrades", "watchOHLCV", "watchOrderBook", "watchOrders", "watchTicker", "watchTrades",
)  # fmt: skip

MISSING = (
    # There is no credit and there are no positions: goods are bought with cash.
    "addMargin", "borrowCrossMargin", "borrowIsolatedMargin", "closeAllPositions", "closePosition", "fetchBorrowInterest",
    "fetchCrossBorrowRate", "fetchFundingHistory", "fetchFundingRate", "fetchFundingRateHistory", "fetchFundingRates",
    "fetchIndexOHLCV", "fetchIsolatedBorrowRate", "fetchLeverage", "fetchLeverageTiers", "fetchLiquidations", "fetchMarginMode",
    "fetchMarkOHLCV", "fetchMyLiquidations", "fetchOpenInterest", "fetchOpenInterestHistory", "fetchPosition",
    "fetchPositionHistory", "fetchPositionMode", "fetchPositions", "fetchPositionsHistory", "fetchPremiumIndexOHLCV",
    "fetchSettlementHistory", "reduceMargin", "repayCrossMargin", "repayIsolatedMargin", "setLeverage", "setMargin",
    "setMarginMode", "setPositionMode", "watchLiquidations", "watchMyLiquidations", "watchPositions",
    # Operators book money and goods in and out; members cannot.
    "cancelWithdraw", "createDepositAddress", "fetchDepositAddress", "fetchDepositAddresses", "fetchDepositWithdrawFee",
    "fetchDepositWithdrawFees", "fetchTransactionFees", "fetchTransfers", "transfer", "withdraw",
    # Orders by their cost, attached or trailing orders, options, conversions.
    "createConvertTrade", "createMarketBuyOrderWithCost", "createMarketOrderWithCost", "createMarketSellOrderWithCost",
    "createOrderWithTakeProfitAndStopLoss", "createReduceOnlyOrder", "createTrailingAmountOrder", "createTrailingPercentOrder",
    "fetchConvertQuote", "fetchConvertTrade", "fetchGreeks", "fetchOption", "fetchOptionChain", "fetchVolatilityHistory",
    # A key is bound to one account.
    "fetchAccounts",
)  # fmt: skip

HAS: dict[str, bool] = {
    **MARKET_TYPES,
    **dict.fromkeys((*PUBLIC, *ORDERS, *ACCOUNT, *WATCHED), True),
    **dict.fromkeys(MISSING, False),
}


def python_name(name: str) -> str:
    """ccxt's Python name of a method: fetchOHLCV is fetch_ohlcv."""
    words = "".join(" " + letter if letter.isupper() else letter for letter in name.replace("OHLCV", "Ohlcv"))
    return words.strip().replace(" ", "_").lower()


MISSING_METHODS = {python_name(name): name for name in MISSING}
