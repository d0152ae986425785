"""The report on a terminal."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.reporting.breakdown.terminal import breakdown_table
from services.reporting.checked_report import CheckedReport
from services.reporting.documents import ratio_text, tonnes_text
from services.reporting.figure import Figure
from services.reporting.report import IS_SIMULATED, proof_sentence
from services.reporting.schemas import Share, TurnoverReport
from services.reporting.verdict import Outcome
from services.values.decimals import fixed_text, fraction_text, short_yuan, yuan_text
from services.values.times import date_text, time_text

_NOT_YET = "too early to say"
_ANSWERS = {
    Outcome.REACHED: "Yes.",
    Outcome.CLOSED_REACHED: "Yes.",
    Outcome.ON_TRACK: "Probably.",
    Outcome.BEHIND: "Probably not.",
    Outcome.OUT_OF_REACH: "No.",
    Outcome.CLOSED_MISSED: "No.",
}
"""Before the verdict; the others say it themselves."""
_COLOURS = {"green": "green", "amber": "yellow", "red": "red", None: "dim"}


def render(found: CheckedReport) -> RenderableType:
    """A panel: the answer in words, net turnover and target, proof, progress, breakdown, split by product, rule, seal."""
    report = found.report
    proof = [] if found.figure is None else [_proof(found.figure, found.agree)]
    # Without a proof, a report of a past command has the bytes of the day, however it was read.
    checked = [] if found.figure is None else [Text(found.checked)]
    breakdown: list[RenderableType] = [] if found.breakdown is None else [breakdown_table(found.breakdown), Text()]
    body = Group(
        *_answer(report),
        Text(),
        _bar(report),
        Text(),
        *proof,
        _progress(report),
        Text(),
        *breakdown,
        _split(report),
        Text(),
        _rule(report),
        Text(),
        _seal(report, found.figure),
        *checked,
    )
    return Panel(body, title=f"REX turnover {report.year}", padding=(1, 2), width=100)


def _answer(report: TurnoverReport) -> list[Text]:
    """What everybody asks first, what has changed since the last completed day, and why not to believe it."""
    target = short_yuan(report.target_fen)
    if report.target_is_pro_rata and report.target_fen != report.target_of_whole_year_fen:
        whole = short_yuan(report.target_of_whole_year_fen)
        target += f", pro rata of {whole} for the venue's {report.days_total} trading days"
    if not report.target_is_set:
        target += " (the plan: no target is set)"
    answer = " ".join(filter(None, [_ANSWERS.get(report.outcome), report.verdict]))
    lines = [Text(f"Will {report.year} reach {target}? {answer}", style="bold")]
    if report.days_left:
        since = "Since the last completed day" if report.days_completed else "No day is completed yet; today"
        lines.append(Text(f"{since}: {_yuan(report.today_fen)}"))
    doubts = [("SIMULATED", IS_SIMULATED)] if report.simulated else []
    doubts += [("DISCREPANCY", found.sentence) for found in report.discrepancies]
    doubts += [("NOT PROVEN", alert.sentence) for alert in report.proof_alerts]
    return lines + [Text(f"{name}  {sentence}", style="red") for name, sentence in doubts]


def _bar(report: TurnoverReport) -> Table:
    row = Table.grid(padding=(0, 1))
    figure = Text(_yuan(report.net_fen), style="bold")
    row.add_row(figure, Text(f"of {_yuan(report.target_fen)}", style="dim"), _percent(ratio_text(report.share)))
    # In millionths of the target: a bar needs no exact amount.
    bar = ProgressBar(total=1_000_000, completed=min(int(report.share * 1_000_000), 1_000_000))
    grid = Table.grid(expand=True)
    grid.add_row(row)
    grid.add_row(bar)
    return grid


def _progress(report: TurnoverReport) -> Table:
    behind = report.ahead_fen < 0
    colour = "red" if behind else "green"
    word = "behind" if behind else "ahead of"
    close = f" at the close of {_last_completed(report)}" if report.days_completed else ""
    ahead_days = fraction_text(abs(report.ahead_days), 2)
    assumed = " (calendar: assumed)" if report.calendar == "assumed" else ""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("trading days", f"{report.days_completed} completed, {report.days_left} left{assumed}")
    table.add_row(f"pace{close}", _yuan(report.pace_fen))
    ahead = f"{_yuan(abs(report.ahead_fen))} = {_grouped(ahead_days)} trading days"
    table.add_row(f"{word} the pace{close}", f"[{colour}]{ahead}[/]")
    required_fen = report.required_per_day_fen
    table.add_row("required a day left", "—" if required_fen is None else _yuan(required_fen))
    level = _COLOURS[report.required_level]
    table.add_row("against the last 20 days' mean", f"[{level}]{_against_recent(report)}[/]")
    table.add_row("year end, forecast", _forecast(report))
    ends_fen = {"year's": report.forecast_year_mean_fen, "last 20 days'": report.forecast_recent_mean_fen}
    for name, end_fen in ends_fen.items():
        table.add_row(f"year end at the {name} mean", _unknown(report) if end_fen is None else _yuan(end_fen))
    table.add_row("gross − busted", f"{_yuan(report.gross_fen)} − {_yuan(report.busted_fen)}")
    table.add_row("− excluded by decision", _yuan(report.excluded_fen))
    table.add_row("net without 13 % VAT", _yuan(report.net_without_vat_fen))
    counted = f"{report.trades:,}, {report.busted_trades:,}, {report.excluded_trades:,}"
    table.add_row("trades, busted, excluded", counted)
    prevented = _grouped(tonnes_text(report.prevented_kilograms))
    table.add_row("self-trades prevented", f"{report.prevented_self_trades:,} ({prevented} t)")
    return table


def _last_completed(report: TurnoverReport) -> str:
    return date_text(report.days[report.days_before_opening + report.days_completed - 1].date)


def _against_recent(report: TurnoverReport) -> str:
    """What a day left needs against the last days. Without a day left nothing is needed: the mean stands alone."""
    if report.recent_mean_fen is None:
        return _unknown(report)
    if (required := report.required_ratio) is not None:
        return f"{Decimal(fraction_text(required, 4)):,.2f} × {_yuan(report.recent_mean_fen)}"
    return ("" if report.days_left else "no day is left; ") + f"the mean is {_yuan(report.recent_mean_fen)}"


def _forecast(report: TurnoverReport) -> str:
    found = report.forecast
    if found is None or found.too_early or found.p50_rounded_fen is None:
        return _NOT_YET if found is not None else "—"
    low, high = (_grouped(yuan_text(end_fen or 0)) for end_fen in (found.p10_rounded_fen, found.p90_rounded_fen))
    width, reach = (_percent(fixed_text(permille or 0, 3)) for permille in (found.width, found.reach))
    return f"{_yuan(found.p50_rounded_fen)} (80 %: {low} to {high}, {width} wide), reaches the target with {reach}"


def _split(report: TurnoverReport) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("")
    for name in ("yuan", "share", "tonnes", "trades"):
        table.add_column(name, justify="right", no_wrap=True)
    for category in report.categories:
        table.add_row(*_line(category.category, category), style="bold")
        products = [product for product in report.products if product.category == category.category and product.trades]
        for product in sorted(products, key=lambda product: product.net_fen, reverse=True):
            table.add_row(*_line(f"  {product.symbol} {product.name_zh}", product))
    return table


def _line(name: str, share: Share) -> tuple[Text, str, str, str, str]:
    """A row of the split. On a narrow terminal the name is cut, not the numbers."""
    named = Text(name, no_wrap=True, overflow="ellipsis")
    return (
        named,
        _grouped(yuan_text(share.net_fen)),
        f"{Decimal(share.share) * 100:.2f} %",
        _grouped(tonnes_text(share.kilograms)),
        f"{share.trades:,}",
    )


def _proof(figure: Figure, agree: bool) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    if figure.engine_counter_fen is not None:
        table.add_row("engine counter", _yuan(figure.engine_counter_fen))
    table.add_row("sum over the trades", _yuan(figure.sql_sum_fen))
    table.add_row("journal re-executed, events equal", _yuan(figure.journal_replay_fen))
    table.add_row("independent decoder of the journal", _yuan(figure.decoder_fen))
    if figure.excluded_sql_fen or figure.decoder.excluded_fen:
        table.add_row("excluded by decision, sum over the trades", _yuan(figure.excluded_sql_fen))
        table.add_row("excluded, independent decoder", _yuan(figure.decoder.excluded_fen))
    table.add_row("", _verdict(figure, agree))
    for difference in figure.differences:
        table.add_row("in the read database", f"[red]{escape(difference)}[/]")
    for disagreement in figure.decoder.disagreements:
        table.add_row("in the journal", f"[red]{escape(disagreement)}[/]")
    table.add_row()
    return table


def _verdict(figure: Figure, agree: bool) -> str:
    if agree:
        return "[green]they agree[/]"
    if not figure.decoder.agree:
        return "[red]the journal holds what does not follow from its commands[/]"
    if figure.differences and figure.sums_agree:
        return "[red]the sums agree, the read database is not true[/]"
    return "[red]THEY DISAGREE[/]"


def _rule(report: TurnoverReport) -> Text:
    of_forecast = () if report.forecast is None else report.forecast.assumptions
    return Text("\n".join([report.counting_rule, *report.assumptions, *of_forecast]), style="dim")


def _seal(report: TurnoverReport, figure: Figure | None) -> Text:
    decoder = "" if figure is None else f"\ndecoder  {figure.decoder.program_sha256}"
    proof = f"\n{proof_sentence(report)}" if figure is None else ""
    return Text(
        f"seq {report.seq:,} · trading date {date_text(report.trading_date) or 'none yet'} · {time_text(report.as_of_ns)}\n"
        f"row hash {report.row_hash.hex()}\njournal  {report.journal_id.hex()}{decoder}{proof}"
    )


def _yuan(amount_fen: int) -> str:
    return f"¥ {_grouped(yuan_text(amount_fen))}"


def _grouped(number: str) -> str:
    return f"{Decimal(number):,f}"


def _unknown(report: TurnoverReport) -> str:
    """Where days are missing for a mean: of a year that has no day left there will be none."""
    return _NOT_YET if report.days_left else "—"


def _percent(share: str) -> str:
    return f"{(Decimal(share) * 100).normalize():,f} %"
