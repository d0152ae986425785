"""What every file says of itself: the position of the journal at which it is exact, and the counting rule."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from services.reporting.documents import Date, Document, Hash, Time, seal
from services.reporting.queries import Values
from services.reporting.report import COUNTING_RULE, IS_SIMULATED
from services.values.times import date_text, time_text

COUNTING_RULE_ZH = (
    "单边计算：每笔成交只计一次，金额为成交价 × 数量，买卖双方不重复计算。成交归属于其成交时的交易日"
    "（上海时间；交易日自前一交易日 17:00 开始），年度以交易日所属年份为准。金额为成交人民币元，精确到分："
    "报价含 13% 增值税，不含手续费。只计成交，不计委托；同一控制人名下的委托在成交前即被自成交防范拦截，"
    "另行统计，不计入成交额。运营员在成交当日撤销的成交，其货款、货物和成交额一并退回，记录保留。"
    "其他成交仅可经有关人员具名并说明理由的决定予以剔除，该决定记入日志且可撤回。"
    "净成交额 = 总成交额 − 撤销额 − 剔除额。成交即货银对付交收。"
)
"""The report's counting rule in Chinese."""

IS_SIMULATED_ZH = "本日志以模拟历史开始，其中无一笔真实成交。"
"""The report's `IS_SIMULATED` in Chinese."""


class Seal(Document):
    """The position that a file or a bulletin is exact at, and how it counts."""

    seq: int = Field(description="The journal's sequence number that the bulletin is exact at.")
    row_hash: Hash = Field(description="Hash of the journal row that ends at `seq`.")
    journal_id: Hash
    trading_date: Date = Field(description="The current trading day at `seq`.")
    as_of_ns: Time = Field(description="Time of the command `seq`: RFC 3339, UTC, microseconds.")
    counting_rule: str
    simulated: bool = Field(
        description="Whether a year that it is about is, or begins with, a simulated history, of which no trade was real."
    )

    @classmethod
    def of(cls, position: Values, *, simulated: bool) -> Seal:
        """The seal of a row of the table `position`."""
        return Seal(**seal(position), counting_rule=COUNTING_RULE, simulated=simulated)

    def facts(self) -> dict[str, Any]:
        """The seal as JSON values."""
        return self.model_dump(mode="json", include=set(Seal.model_fields))

    def lines(self) -> tuple[str, ...]:
        """The seal as lines of text, with the rule in both languages, for the head of a file."""
        history = (f"SIMULATED 模拟: {IS_SIMULATED} {IS_SIMULATED_ZH}",) if self.simulated else ()
        return (
            f"as of seq {self.seq}, trading date {date_text(self.trading_date)}, {time_text(self.as_of_ns)}",
            f"journal {self.journal_id.hex()}, row hash {self.row_hash.hex()}",
            *history,
            *COUNTING_RULE.split(". "),
            COUNTING_RULE_ZH,
        )
