"""Generated requests, valid and not, to every operation of the venue's own /openapi.json, by schemathesis.

Each answer must be documented for its operation, in status, media type, headers and schema; no answer may be a 5xx; what
breaks the schema must be refused, what fits it must not be a 400; a method that the document does not have is 405 with the
right `Allow`; a deleted resource is gone; no operation may answer without its key. Sequences of operations use ids of earlier
answers. Every answer is also held to the closed schemas of docs/ (tests/integration/documented.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.faults.rig import Advance
from tests.fuzz.breaking_off import FuzzReport
from tests.fuzz.sent import Sent
from tests.fuzz.stage import SYMBOL, Stage
from tests.integration.documented import Undocumented, operations
from tests.patience import HttpClient, http_get

SHORT = 20_000
"""In a run of fewer requests the coverage of every schema is left out: it alone takes ten thousand."""
TRADE_ROUTES = ("/v1/orders", "/v1/account", "/v1/fills")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "LOCK"}
HOT = {"POST /v1/orders", "POST /v1/orders/batch", "POST /v1/admin/accounts"}
FITTING = ["2xx", "401", "403", "404", "409", "422", "429"]
"""How a request that fits the schema may be answered. 422: the rules of the market are more than the schema can say."""
REFUSED = ["400", "401", "403", "404", "405", "409", "413", "414", "415", "422", "429", "431"]
"""How a request that breaks the schema may be answered."""
AWAITED = ("at_least_seq", "seq", "after_seq", "to_seq")
"""Query parameters of reports that name a sequence number."""
SLOW = (
    r"^/v1/(reports/turnover/{year}/(proof|certificate)|session(/link|/password)?|admin/users(/{user_id}/password)?)$"
)
"""Answers that need a process of their own, or the hash of a password."""
VALUES: dict[str, list[str | int]] = {
    "symbols": [SYMBOL, "NDFEB-N35", "ND-OX"],
    "accounts": [1, 2, 3],
    "years": [2023, 2024, 2026],
    "numbers": [1, 110, 120],
    "prices": ["473000.00", "473100.00", "472900", "160.00"],
    "quantities": [1, 2, 5],
}
"""Values that the schema does not know, so that generated requests are not only refused."""
NAMES = {
    "path.symbol": "symbols", "query.symbol": "symbols", "body.symbol": "symbols",
    "path.account": "accounts", "query.account": "accounts", "body.account": "accounts",
    "path.year": "years", "query.year": "years", "body.year": "years",
    "path.order_id": "orders", "path.trade_id": "trades", "path.seq": "numbers",
    "body.price": "prices", "body.stop_price": "prices", "body.quantity": "quantities",
}  # fmt: skip
BATCHES = "^/v1/orders/(batch|mixed_batch|cancel)$"
"""Each part of a batch is judged by itself: a wrong one is an error in an answer with status 200."""
IN_REPORTS = {"path.order_id": "order_numbers", "path.trade_id": "trade_numbers"}
"""There they are numbers, not texts."""

_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))
# The patterns beside these formats leave almost nothing of schemathesis' own times and dates, whose years are 1 to 9999.
schemathesis.openapi.format("date-time", _TIMES.map(lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}"))
schemathesis.openapi.format("date", _TIMES.map(lambda time: f"{time:%Y-%m-%d}"))


def run(stage: Stage, requests: int, seed: int, advance: Advance, report: FuzzReport) -> None:
    """Sends at least `requests` requests, pass after pass."""
    document = http_get(f"{stage.urls[0]}/openapi.json").json()
    report.counts |= {"requests": 0, "passes": 0}
    for url in stage.urls:
        report.broken += other_methods(document, url, stage.operator, report)
    sent = Sent(requests, report, advance)
    with sent.counting():
        for number in count():
            before = sent.count
            url = stage.urls[number % len(stage.urls)]
            schema = _schema(document, stage, url, seed + number, requests, first=not number)
            sent.watch(schema)
            _pass(stage, schema, sent, report)
            if sent.count == before and not report.ends:
                report.broken.append(f"pass {number + 1} sent nothing: the run would never end")
            if sent.is_enough:
                break
    sent.summary(document, HOT)


def _pass(stage: Stage, schema: schemathesis.BaseSchema, sent: Sent, report: FuzzReport) -> None:
    """Each operation with so many examples, then sequences of operations."""
    report.add("passes")
    stream = from_schema(schema).execute()
    sent.stop = report.break_off.wake = stream.stop
    if report.break_off.reason:
        stream.stop()
    for event in stream:
        if isinstance(event, events.PhaseStarted):
            sent.phase = event.phase.name.value
        elif isinstance(event, events.ScenarioFinished) and sent.has_acted:
            sent.has_acted = False
            stage.open_market()
        elif isinstance(event, events.NonFatalError | events.FatalError):
            report.broken.append(f"schemathesis: {event!r:.500}")


def other_methods(document: dict[str, Any], url: str, key: str, report: FuzzReport) -> Iterator[str]:
    """Sends each path every method that the document does not have for it: what is not a 405 with the right `Allow`."""
    with HttpClient(base_url=url, headers={"authorization": f"Bearer {key}"}) as client:
        for path, found in document["paths"].items():
            there = {method.upper() for method in found}
            for method in METHODS - there:
                if report.break_off.reason:
                    return
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                report.add("other_methods")
                if method == "HEAD" and "GET" in there and answer.status_code == 200:
                    continue  # health, metrics: a HEAD is a GET without a body
                allowed = set(answer.headers.get("allow", "").split(", "))
                if answer.status_code != 405 or allowed - {"HEAD"} != there:
                    yield f"{method} {path}: {answer.status_code}, Allow: {answer.headers.get('allow')}, there are {there}"


def _schema(
    document: dict[str, Any], stage: Stage, url: str, seed: int, requests: int, *, first: bool
) -> schemathesis.BaseSchema:
    operations_there = sum(len(found) for found in document["paths"].values())
    each = max(2, min(100, requests // operations_there // 2))
    numbers: dict[str, list[str | int]] = {
        "order_numbers": [*map(int, stage.order_ids)],
        "trade_numbers": [*map(int, stage.trade_ids)],
    }
    there = VALUES | numbers | {"orders": [*stage.order_ids], "trades": [*stage.trade_ids]}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "request-timeout": 60,
            "generation": {
                "max-examples": each,
                "no-shrink": True,
                "database": "none",
            },  # a run knows of no earlier one
            "dictionaries": {name: {"values": values} for name, values in there.items()},
            "parameters": _bound(NAMES),
            "checks": {
                "positive_data_acceptance": {"expected-statuses": FITTING},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
            "operations": [
                {"include-path-regex": BATCHES, "checks": {"negative_data_rejection": {"enabled": False}}},
                {"include-path-regex": "^/v1/reports/", "parameters": _bound(NAMES | IN_REPORTS)},
                {"include-path-regex": SLOW, "generation": {"max-examples": max(1, each // 20)}},
            ],
            "phases": {
                "examples": {"enabled": first},
                "coverage": {"enabled": first and requests >= SHORT},
                "stateful": {"generation": {"max-examples": each}},
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    scopes = {
        f"{method.upper()} {path}": found.get("x-scopes", ())
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    }

    @schema.auth(refresh_interval=None)  # else the first key is kept for all operations
    class Keys:
        def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
            """A member where the operation is a member's, else an operator and administrator."""
            path = case.operation.path
            is_members = "trade" in scopes.get(case.operation.label, ()) or path.startswith(TRADE_ROUTES)
            return stage.members[0] if is_members else stage.operator

        def set(self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext) -> None:
            """Of every case, whichever phase makes it: hooks of a schema see no examples."""
            case.headers["Authorization"] = f"Bearer {data}"
            _spare(stage, case)

    return schema


def _bound(names: dict[str, str]) -> dict[str, dict[str, str | float]]:
    return {name: {"dictionary": of, "probability": 0.6} for name, of in names.items()}


def _spare(stage: Stage, case: schemathesis.Case[Any]) -> None:
    """Takes out of a case what would end the run (our own keys, the instrument that is traded), and waits of 5 s for a seq."""
    path, query = case.path_parameters, case.query
    if isinstance(path, dict) and str(path.get("key_id")) in stage.own_keys:
        path["key_id"] = "999999"
    if isinstance(path, dict) and case.path.endswith("/delist") and path.get("symbol") == SYMBOL:
        path["symbol"] = "NOT-LISTED"
    if isinstance(query, dict):
        query |= {name: 1 for name in AWAITED if _is_ahead(query.get(name))}


def _is_ahead(seq: Any) -> bool:
    try:
        return 0 < int(seq) < 2**63
    except (TypeError, ValueError):
        return False


@schemathesis.check
def as_documented(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """The answer fits the closed schemas of docs/openapi.json."""
    media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    path = case.formatted_path if response.request is None else httpx.URL(str(response.request.url)).path
    if response.status_code == 405:
        return  # Of a method that is in no document; `unsupported_method` looks at it.
    try:
        operations().check(case.method, path, response.status_code, media_type, response.content)
    except Undocumented as found:
        raise AssertionError(str(found)) from None
