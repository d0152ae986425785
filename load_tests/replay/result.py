"""The result of a replay as one JSON object, and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from load_tests.flows.flow_message import Flow
from load_tests.replay.latency import Latencies
from load_tests.replay.verdict import AccountRecord, Check, TurnoverMove, fen, is_green


def result_json(
    *,
    run: str,
    flow: Flow,
    sent: Mapping[str, int],
    pace: str,
    seconds: float,
    latencies: Latencies,
    records: Sequence[AccountRecord],
    move: TurnoverMove,
    checks: Sequence[Check],
    too_late: int,
    declined: int,
    retried: int,
) -> dict[str, Any]:
    """The object that docs/load_tests.md describes. `sent`: the number of messages by action."""
    orders = [order for record in records for order in record.orders]
    traded_fen = sum(fen(fill["amount"]) for record in records for fill in record.fills if fill["side"] == "buy")
    return {
        "run": run,
        "flow": {
            "name": flow.name,
            "orders": sent.get("new", 0),
            "amends": sent.get("amend", 0),
            "cancels": sent.get("cancel", 0),
            "skipped": flow.skipped,
        },
        "accounts": [record.account for record in records],
        "pace": pace,
        "seconds": round(seconds, 3),
        "messages_per_second": round(sum(sent.values()) / seconds, 1) if seconds else 0.0,
        "latency_us": latencies.summary_us(),
        "order_states": dict(Counter(order["state"] for order in orders)),
        "reasons": dict(Counter(order["reason"] for order in orders if order["reason"] is not None)),
        "refused": sum(len(record.refused) for record in records),
        "cancels_too_late": too_late,
        "amends_declined": declined,
        "retried": retried,
        "trades": len({fill["trade_id"] for record in records for fill in record.fills}),
        "turnover_cny": f"{traded_fen // 100}.{traded_fen % 100:02d}",
        "first_seq": move.first_seq + 1,
        "last_seq": move.last_seq,
        "verdict": {"green": is_green(checks), "checks": [check._asdict() for check in checks]},
    }


def verdict_sentence(result: dict[str, Any]) -> str:
    """The verdict of a result as one sentence, for people."""
    checks = result["verdict"]["checks"]
    failed = [check["name"] for check in checks if not check["holds"]]
    if failed:
        return f"The verdict is red: of {len(checks)} checks these do not hold: {', '.join(failed)}."
    return f"The verdict is green: all {len(checks)} checks hold."


def print_result(result: dict[str, Any]) -> None:
    """Prints a result as text and a table on standard output."""
    console = Console()
    flow, latency = result["flow"], result["latency_us"]
    console.print(
        f"{flow['name']}: {flow['orders']:,} orders, {flow['amends']:,} amends and {flow['cancels']:,} cancels"
        f" in {result['seconds']} s"
        f" ({result['messages_per_second']:,.0f}/s), {result['pace']}; {result['trades']:,} trades worth"
        f" {result['turnover_cny']} yuan"
    )
    console.print("latency µs: " + ", ".join(f"{name} {value:,}" for name, value in latency.items()))
    console.print("states: " + ", ".join(f"{name} {count:,}" for name, count in result["order_states"].items()))
    table = Table("check", "holds", "expected", "actual", title="verdict")
    for check in result["verdict"]["checks"]:
        holds = "[green]yes[/]" if check["holds"] else "[red]NO[/]"
        table.add_row(check["name"], holds, check["expected"], check["actual"])
    console.print(table)
    console.print("[bold green]GREEN[/]" if result["verdict"]["green"] else "[bold red]RED[/]")
