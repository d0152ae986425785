"""A finding as the API shows it."""

from __future__ import annotations

from services.reporting.breakdown.flagged import Screened
from services.reporting.findings import shown
from services.surveillance.contracts import Edge, Finding, FindingKind


def test_a_finding_names_its_members_and_its_trades() -> None:
    finding = Finding(
        kind=FindingKind.CLOSED_GROUP,
        first_date=20230105,
        last_date=20230110,
        window_first_date=20230103,
        window_last_date=20230131,
        members=(3, 7),
        trade_ids=(11, 12),
        amount_fen=94_600_000,
        inside_share=0.62,
        lift=14.0,
        net_share=0.03,
        edges=(Edge(3, 7, 47_300_000, 1, 14.0, 0.62), Edge(7, 3, 47_300_000, 1, 14.0, 0.62)),
        sentence_en="A and B traded.",
        sentence_zh="甲与乙成交。",
    )
    [found] = shown(2023, Screened((finding,), {3: "A", 7: "B"}, 94_600_000, {}), 90)
    assert (found.finding, found.kind) == (finding.finding_id, "closed_group")
    assert (found.first_date, found.last_date) == (20230105, 20230110)
    assert (found.window_first_date, found.window_last_date) == (20230103, 20230131)
    assert found.decided is None
    assert (found.members, found.amount_fen, found.trades, found.trade_ids) == (("A", "B"), 94_600_000, 2, ("11", "12"))
    assert found.links == {"trades": f"/v1/reports/trades?year=2023&finding={finding.finding_id}&cursor=0-90"}
    assert [(edge.seller, edge.buyer, edge.amount_fen) for edge in found.edges] == [
        ("A", "B", 47_300_000),
        ("B", "A", 47_300_000),
    ]
