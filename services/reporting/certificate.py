"""The certificate of a year's turnover: the figure, with everything that is needed to redo it, from a proof that agrees.

Where anything disagrees there is no certificate: NotCertified says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.checked_report import CheckedReport
from services.reporting.exports.seal import COUNTING_RULE_ZH
from services.reporting.proven import Proven
from services.reporting.report import COUNTING_RULE
from services.reporting.schemas import TurnoverReport
from services.values.times import time_text

COMPUTATIONS = ("engine_counter", "sql_sum", "journal_replay", "independent_decoder")
"""The four computations of what was traded, as `Figure.to_json` names them."""
_NAMES = ("the engine's counter", "the sum over the trades", "the re-execution", "the independent decoder")
EXCLUSIONS = ("excluded_sql_sum", "excluded_independent_decoder")
_STATED = (
    "simulated",
    "trading_date",
    "target",
    "target_name",
    "share",
    "outcome",
    "verdict",
    "verdict_zh",
    "calendar",
)
"""What a certificate says as the report of the same command says it."""
_JOURNAL = "journal.sqlite"

LACKS_BREAKDOWN = (
    "What the turnover is made of is not in this certificate: the venue could not make it, for which it needs room in the "
    "folder for temporary files (TMPDIR). "
    "rex certificate {year} --seq {seq} makes the certificate with it."
)


class NotCertified(Exception):
    """There is no certificate. `sentences` say why."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class Certificate(BaseModel):
    """A year's net turnover after the command `seq`, as four computations found it."""

    model_config = ConfigDict(frozen=True)

    year: int
    simulated: bool = Field(
        description="Whether the year is, or begins with, a simulated history, of which no trade was real."
    )
    net: str = Field(description="Net turnover: gross − busted − excluded, in yuan, exact to the fen.")
    gross: str
    busted: str
    excluded: str
    trades: int = Field(description="Number of trades that count: all_trades − busted_trades − excluded_trades.")
    all_trades: int = Field(
        description="Number of all trades, busted and excluded ones included: `trades` as the decoder's line prints it."
    )
    busted_trades: int
    excluded_trades: int
    counting_rule: str
    counting_rule_zh: str
    seq: int = Field(description="The last command counted.")
    row_hash: str = Field(
        description="Hash of the journal row that holds `seq`; the hash chain covers every row before it."
    )
    journal_id: str
    trading_date: str = Field(description="The current trading day at `seq`; empty before the first one.")
    engine_counter: str | None = Field(description="gross − busted by a running engine; null where none counted.")
    sql_sum: str = Field(description="gross − busted by SQL over the single trades.")
    journal_replay: str = Field(description="gross − busted by an engine that executed the journal's commands anew.")
    independent_decoder: str = Field(
        description="gross − busted by a decoder of the journal's rows that shares no code with REX."
    )
    excluded_sql_sum: str
    excluded_independent_decoder: str
    decoder_sha256: str = Field(description="SHA-256 of the decoder's file, `services/reporting/audit.py`.")
    redo: str = Field(
        description="The line that redoes the figure, in a folder with the journal's file and that decoder, `audit.py`. From "
        "PostgreSQL, `rex journal copy` makes the file."
    )
    made_at: str = Field(description="When the proof ended: RFC 3339, UTC.")
    target: str
    target_name: str
    share: str = Field(description="net / target, as a fraction.")
    outcome: str
    verdict: str
    verdict_zh: str
    breakdown: dict[str, Any] | None = Field(
        description="What the turnover is made of after `seq`, as `rex report --breakdown --json` has it: the ladder to what "
        "changed hands and was taken out, concentration, members by rank, effects, months, fees, what the wash screen flagged, "
        "targets, context. Null where `lacks` says so."
    )
    lacks: str | None = Field(
        description="What the certificate lacks, and how to get it, in sentences; null where it lacks nothing. Over HTTP it "
        "lacks the breakdown where the venue could not make it."
    )
    calendar: str = Field(description="`published`, or `assumed`: then the verdict rests on assumed trading days.")

    def to_json(self) -> dict[str, Any]:
        """The certificate as JSON values."""
        return self.model_dump(mode="json")


def certify_proven(proven: Proven, report: TurnoverReport) -> Certificate:
    """The certificate of a running venue's proof. `report` is that after the command `proven.seq`. Raises NotCertified."""
    if proven.figure is None:
        raise NotCertified(str(proven.alarm))
    return _certify(proven.figure, report.to_json(), proven.breakdown, proven.time_ns)


def certify_report(found: CheckedReport, time_ns: int) -> Certificate:
    """The certificate of a report with its proof, which ended at time_ns. Raises NotCertified."""
    assert found.figure is not None, "a report that is to be certified has a proof"
    assert found.breakdown is not None, "and its breakdown"
    return _certify(found.figure.to_json(), found.report.to_json(), found.breakdown.to_json(), time_ns)


def redo_line(year: int, seq: int) -> str:
    """The command line that redoes the figure, in a folder with the journal's file and `audit.py`."""
    return f"python3 audit.py {_JOURNAL} {year} --seq {seq}"


def _certify(
    figure: Mapping[str, Any], report: Mapping[str, Any], breakdown: Mapping[str, Any] | None, time_ns: int
) -> Certificate:
    year, seq = figure["year"], figure["seq"]
    sentences = (*_disagreements(figure, report), *(() if breakdown is None else _of_breakdown(figure, breakdown)))
    if sentences or not figure["agree"]:
        raise NotCertified(f"There is no certificate of {year}: at seq {seq:,} the proof does not agree.", *sentences)
    if not figure["trades"]:
        raise NotCertified(f"There is no certificate of {year}: the venue has no trade of that year up to seq {seq:,}.")
    own = {name: figure[name] for name in Certificate.model_fields if name in figure}
    counted = figure["trades"] - figure["busted_trades"] - figure["excluded_trades"]
    return Certificate(
        **own
        | {name: report[name] for name in _STATED}
        | {"trades": counted, "all_trades": figure["trades"], "excluded": figure["excluded_sql_sum"]},
        counting_rule=COUNTING_RULE,
        counting_rule_zh=COUNTING_RULE_ZH,
        breakdown=None if breakdown is None else dict(breakdown),
        lacks=LACKS_BREAKDOWN.format(year=year, seq=seq) if breakdown is None else None,
        redo=redo_line(year, seq),
        made_at=time_text(time_ns),
    )


def _disagreements(figure: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[str]:
    """What in the proof disagrees, a sentence each; none of a proof that agrees."""
    traded = {name: figure[key] for name, key in zip(_NAMES, COMPUTATIONS, strict=True) if figure[key] is not None}
    if len(set(traded.values())) > 1:
        found = ", ".join(f"{amount} by {name}" for name, amount in traded.items())
        yield f"The amounts traded differ, in yuan: {found}."
    by_sql, by_decoder = (figure[key] for key in EXCLUSIONS)
    if by_sql != by_decoder:
        yield f"The excluded amounts differ, in yuan: {by_sql} by {_NAMES[1]}, {by_decoder} by {_NAMES[3]}."
    yield from map(_sentence, figure["decoder_disagreements"])
    yield from map(_sentence, figure["differences"])
    if report["net"] != figure["net"]:
        yield f"The report's net turnover is {report['net']} yuan, and {figure['net']} is proven."


def _of_breakdown(figure: Mapping[str, Any], breakdown: Mapping[str, Any]) -> Iterator[str]:
    """What of the breakdown is not what the decoder found."""
    ladder = breakdown["ladder"]["ladder"]
    for name in ("gross", "busted", "excluded", "net"):
        proven = figure["excluded_sql_sum"] if name == "excluded" else figure[name]
        if ladder[name]["amount"] != proven:
            yield f"The breakdown's {name} turnover is {ladder[name]['amount']} yuan, and {proven} is proven."


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
