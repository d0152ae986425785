"""The findings of the wash screen as JSON documents and as lines of a table. They name members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from services.reporting.breakdown.flagged import Decided, Screened
from services.reporting.documents import Date, Document, Yuan
from services.reporting.drill import links
from services.reporting.drill.filters import PageCursor
from services.reporting.sheet import Shown, ShownParts
from services.surveillance.contracts import Edge


class Traded(Document):
    """What a member sold to another in a finding's trades."""

    seller: str
    buyer: str
    amount_fen: Yuan
    trades: int


class WashFinding(Document):
    """Trades that are suspected to be wash trades. Nothing is taken from the turnover until an operator decides."""

    finding: Annotated[str, Shown("text", "Finding", "发现编号")] = Field(
        description="Its number, made of its kind, members and trades."
    )
    kind: Annotated[str, Shown("text", "Kind", "类别")]
    first_date: Annotated[Date, Shown("date", "First day", "首日")] = Field(
        description="The trading date of its first trade."
    )
    last_date: Annotated[Date, Shown("date", "Last day", "末日")] = Field(
        description="The trading date of its last trade."
    )
    window_first_date: Date = Field(
        description="Of the windows in which it was found: the ratios are of all that was traded from this date."
    )
    window_last_date: Date = Field(description="To this date.")
    members: Annotated[tuple[str, ...], Shown("text", "Members", "会员")]
    amount_fen: Annotated[Yuan, Shown("decimal", "Turnover (yuan)", "成交额（元）")]
    trades: Annotated[int, Shown("integer", "Trades", "成交笔数")]
    trade_ids: tuple[str, ...]
    inside_share: float = Field(description="Of all that the members traded in the window, the part in these trades.")
    lift: float = Field(description="How many times what chance gives.")
    net_share: float = Field(description="What is left in the members' hands of what they traded here.")
    decided: Annotated[Decided | None, ShownParts("Decided", "认定")] = Field(
        description="Null until each of its trades is decided, and all alike: `exclude`, none counts; `include`, all count."
    )
    sentence: Annotated[str, Shown("text", "Sentence", "说明（英文）")]
    sentence_zh: Annotated[str, Shown("text", "Sentence (Chinese)", "说明")]
    edges: tuple[Traded, ...]
    links: dict[str, str] = Field(description="`trades`: an address of this host.")


def shown(year: int, found: Screened, seq: int) -> tuple[WashFinding, ...]:
    """The findings of the year after the command seq, with the members' names."""
    names, cursor = found.names, PageCursor(found_seq=seq).text
    return tuple(
        WashFinding(
            finding=one.finding_id,
            kind=one.kind,
            first_date=one.first_date,
            last_date=one.last_date,
            window_first_date=one.window_first_date,
            window_last_date=one.window_last_date,
            members=tuple(names[member] for member in one.members),
            amount_fen=one.amount_fen,
            trades=len(one.trade_ids),
            trade_ids=tuple(map(str, one.trade_ids)),
            inside_share=one.inside_share,
            lift=one.lift,
            net_share=one.net_share,
            decided=found.decided_about(one),
            sentence=one.sentence_en,
            sentence_zh=one.sentence_zh,
            edges=tuple(_traded(edge, names) for edge in one.edges),
            links={"trades": links.trades(year=year, finding=one.finding_id, cursor=cursor)},
        )
        for one in found.findings
    )


def _traded(edge: Edge, names: Mapping[int, str]) -> Traded:
    return Traded(seller=names[edge.seller], buyer=names[edge.buyer], amount_fen=edge.amount_fen, trades=edge.trades)
