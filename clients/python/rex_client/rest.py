"""Every REST route as a method. It returns the JSON of the reply; a problem is raised as RexError."""

from __future__ import annotations

from rex_client.account_calls import AccountCalls
from rex_client.admin_calls import AdminCalls
from rex_client.market_calls import MarketCalls
from rex_client.operator_calls import OperatorCalls
from rex_client.order_calls import OrderCalls
from rex_client.report_calls import ReportCalls


class RestCalls(MarketCalls, OrderCalls, AccountCalls, ReportCalls, OperatorCalls, AdminCalls):
    """The REST half of `RexClient`."""
