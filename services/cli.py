"""`rex`: one command per process and task."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import structlog
import typer
import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matching_engine import ENGINE_VERSION, build_notice
from services.bootstrap import KEYS_FILE, Venue, open_venue
from services.closing import Closing, closing_of
from services.exit_codes import ExitCode
from services.journal import JournalError
from services.journal.sqlite import SqliteJournal
from services.journal.upgrades import starting_engine
from services.journal.verify import Verification, verify
from services.journal.witness import Witness
from services.read_database import ReadDatabaseForeign
from services.reporting.folder import JOURNAL_FILE, READ_DATABASE_FILE, report_from_folder
from services.reporting.proof import ReadDatabaseProof
from services.reporting.read_witness import read_witness
from services.reporting.terminal import render
from services.settings import Settings
from services.trouble import FOLLOWS, TROUBLE, exit_code_of, root_cause, sentence_of
from services.upgrade import Upgrade, sealed_state_error
from services.upgrade import upgrade as upgrade_journal
from services.watchdog import Watchdog

app = typer.Typer(
    help="REX, a rare-earth exchange: a venue, its journal and the figure.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
journal_app = typer.Typer(help="The journal: the truth, one hashed row per batch.", no_args_is_help=True)
app.add_typer(journal_app, name="journal")

DataDir = Annotated[Path, typer.Option(help="The folder with journal, read database and keys.", envvar="REX_DATA_DIR")]
Port = Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535, envvar="REX_PORT")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
Seconds = Annotated[float, typer.Option(help="Stop by itself after so many seconds; 0 runs until Ctrl-C.", min=0)]

out = Console()
err = Console(stderr=True)
T = TypeVar("T")


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Version, and whether the engine is native.")] = False,
) -> None:
    """REX, a rare-earth exchange.

    `rex demo` starts a venue with simulated traders, `rex serve` one without; `rex report` says what a year traded against
    its target; `rex journal verify` walks the truth behind it; `rex upgrade` takes over a folder of an older version.
    """
    if version:
        print(f"rex {installed_version('rex-exchange')} on Python {sys.version.split()[0]}; {build_notice()}")
        raise typer.Exit


@app.command()
def demo(
    seconds: Seconds = 0,
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    rate: Annotated[float, typer.Option(help="Orders a second of all simulated traders together.", min=0.1)] = 20.0,
    seed: Annotated[int, typer.Option(help="Seed of the simulated traders.")] = 20231201,
    as_json: AsJson = False,
) -> None:
    """A venue with simulated traders in every instrument, open around the clock.

    The traders use the public API like anybody else. Ctrl-C stops cleanly; the next start in the same folder carries on
    with the same books, balances and turnover, days later, too: a demo takes the clock it finds. With
    `--seconds 20 --port 0 --json` it runs without a person, stops by itself and prints one JSON object: counts, turnover,
    target and the figure by three computations. Exit status 1 when they disagree; the others are those of `rex serve`.
    """
    settings = _settings(
        data_dir=data_dir,
        port=port,
        schedule="always",
        demo=True,
        demo_orders_per_second=rate,
        seed=seed,
        accept_clock=True,
    )
    closing = run(_demo(settings, seconds, announce=not as_json))
    if as_json:
        print(json.dumps(closing.to_json()))
    else:
        out.print(closing.render())
    raise typer.Exit(0 if closing.figure.agree else 1)


@app.command()
def serve(
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    schedule: Annotated[
        Literal["always", "exchange"],
        typer.Option(
            help="exchange: auctions at 08:55 and 16:00, continuous 09:00–11:30 and 13:30–16:00, Asia/Shanghai, on trading "
            "days; always: 24 h."
        ),
    ] = "exchange",
    host: Annotated[str, typer.Option(help="Address to listen on.", envvar="REX_HOST")] = "127.0.0.1",
    accept_clock: Annotated[
        bool,
        typer.Option(
            "--accept-clock",
            help="You vouch for the clock: start though it is behind the last command, or though trading days are skipped.",
            envvar="REX_ACCEPT_CLOCK",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A venue without simulated traders, with the exchange's sessions.

    Prints where it listens and where its keys lie, then serves until Ctrl-C or SIGTERM. `--json` prints that as one line when
    the venue is ready. Pages are read-only here.

    A clock that jumps by more than 5 minutes stops the venue, and a start that would skip a trading day is refused: check the
    clock, then start with `--accept-clock`.

    Exit status: 0 stopped, 1 port, file or folder refused, 2 bad usage, 3 another process has the journal, 4 its device failed,
    5 it is damaged, lost commands or is of another version, 6 the clock jumped, 7 the engine stopped at an impossible state,
    8 ended by the watchdog 10 seconds after a fault. docs/operators.md says what to do.
    """
    settings = _settings(data_dir=data_dir, host=host, port=port, schedule=schedule, accept_clock=accept_clock)
    run(_serve(settings, 0, partial(_ready_line if as_json else _announce, settings)))


@app.command()
def report(
    year: Annotated[int, typer.Argument(help="Calendar year of the trading days, e.g. 2026.", min=2000, max=2099)],
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[bool, typer.Option(help="Also re-execute the journal and compare, to the fen.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a year traded against its target, from a data folder; a running venue need not stop.

    Net single-sided turnover, share of the target, ahead or behind in yuan and trading days, what is required per
    remaining day, the split by category and product, and the counting rule. The last line says the sequence number and the
    hashes that seal the figure. With `--prove` the figure is computed three ways; exit status 1 when they disagree.
    """
    calendar_file = _settings(data_dir=data_dir).calendar_file
    found = run(report_from_folder(data_dir, year, prove, calendar_file), is_check=True)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        out.print(render(found))
    raise typer.Exit(0 if found.agree else 1)


@app.command()
def upgrade(
    data_dir: DataDir = Path("rex-data"),
    check: Annotated[
        bool, typer.Option("--check", help="Only say what it would do; a running venue need not stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over the journal of an older engine version; the venue is stopped.

    Re-executes every command under the present rules. Where they make the same events, one row more says so. Where they
    don't, it says which rule differs and from which sequence number on; what the older events add up to must then be what the
    present engine holds, and that row seals its state, from which every later re-execution begins. No row is changed: the
    older ones stay, links of the same chain. Otherwise it refuses, says why, and nothing is written. There is no way back but
    a copy of the folder made before.
    """
    found = run(_upgrade(data_dir, check, show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        for sentence in _upgrade_sentences(found, check):
            out.print(escape(sentence), highlight=False, soft_wrap=True)


async def _upgrade(data_dir: Path, check: bool, show: bool) -> Upgrade:
    with _progress(show) as progress:
        task = progress.add_task("reading", total=None)
        return await upgrade_journal(
            data_dir,
            check=check,
            on_progress=lambda what, seq, last: progress.update(task, description=what, completed=seq, total=last),
        )


def _upgrade_sentences(found: Upgrade, check: bool) -> Iterator[str]:
    if not found.needed:
        yield f"The journal is of engine version {found.to_version} already: nothing to do."
        return
    older, newer = f"engine version {found.from_version}", f"version {found.to_version}"
    if not found.differences:
        yield f"All {found.last_seq:,} commands that {older} ran make the same events under {newer}: the rules are unchanged."
    for difference in found.differences:
        yield f"{difference}."
    if found.differences:
        yield (
            f"What the events add up to is what {newer} holds at seq {found.last_seq:,}: its state is verified. Re-execution"
            f" begins there; the rows before stay as {older} made them, links of the same chain (hash {found.last_hash})."
        )
    yield "Not written: --check." if check else f"Written at seq {found.marker_seq:,}. State hash {found.state_hash}."


@journal_app.command("verify")
def journal_verify(
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[bool, typer.Option(help="Also re-execute every command and compare the events.")] = False,
    expect: Annotated[
        list[str],
        typer.Option(metavar="SEQ:HASH", help="A row must end at SEQ and have this hash. Repeatable."),
    ] = [],  # noqa: B006  (typer copies it)
    as_json: AsJson = False,
) -> None:
    """Walk the chain: every row's hash, CRC and link to the row before it. A running venue need not stop.

    Says how many rows and commands are good and the last hash: keep `SEQ:HASH` elsewhere and give it to `--expect` later, and
    neither a later edit nor a lost end goes unseen. The read database is a witness, too: a journal that ends before it has lost
    commands, and one of another journal is a
    difference. Exit status 1 at the first row that does not read back as it was written, with its sequence number. With
    `--prove` what the read database holds is compared, too: exit status 1 where it says other than the journal. Rows of an
    older engine version are walked, too; to re-execute them the journal must be upgraded (`rex upgrade`).
    """
    witnesses = [_witness(text) for text in expect]
    walk = _verify(data_dir, prove, witnesses, show=not as_json and err.is_terminal)
    result, note, differences = run(walk, is_check=True)
    good = result.good and not differences
    found = {
        "good": good,
        "journal_id": result.journal_id.hex(),
        "rows": result.rows,
        "commands": result.commands,
        "last_seq": result.last_seq,
        "last_hash": result.last_hash.hex(),
        "state_hash": result.state_hash,
        "re_executed_after": result.re_executed_after,
        "made_by": [{"engine_version": version, "first_seq": seq} for version, seq in result.made_by],
        "error_seq": result.error_seq,
        "error": result.error,
        "witness": note,
        "expected": [
            {"seq": witness.seq, "hash": witness.hash.hex(), "found": witness in result.confirmed}
            for witness in witnesses
        ],
        "differences": differences,
    }
    if as_json:
        print(json.dumps(found))
    else:
        verdict = "[green]good[/green]" if result.good else f"[red]bad at seq {result.error_seq}[/red]: {result.error}"
        out.print(f"{result.rows:,} rows, {result.commands:,} commands, last seq {result.last_seq:,}: {verdict}")
        out.print(f"last hash   {result.last_hash.hex()}", highlight=False)
        if result.last_seq:
            out.print(f"to keep     {result.last_seq}:{result.last_hash.hex()}", highlight=False, soft_wrap=True)
        out.print(f"witness     {escape(note)}", highlight=False, soft_wrap=True)
        if result.state_hash is not None:
            out.print(f"state hash  {result.state_hash}", highlight=False)
        for sentence in _version_sentences(result):
            out.print(sentence, highlight=False, soft_wrap=True)
        for difference in differences:
            out.print(f"[red]read database[/red]  {escape(difference)}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if good else 1)


def _witness(text: str) -> Witness:
    """What `SEQ:HASH` says; anything else is bad usage."""
    match = re.fullmatch(r"([1-9]\d{0,18}):([0-9a-fA-F]{64})", text)
    if match is None:
        raise typer.BadParameter(
            f"'{text}' is not SEQ:HASH: a sequence number from 1 on and the 64 hexadecimal digits of a hash",
            param_hint="--expect",
        )
    return Witness(int(match[1]), bytes.fromhex(match[2]), f"--expect {text}")


def _version_sentences(result: Verification) -> Iterator[str]:
    """Which engine versions made the rows, where this one did not make them all, and from where on they were re-executed."""
    ends = [*(first_seq - 1 for _, first_seq in result.made_by[1:]), result.last_seq]
    for (engine_version, first_seq), last_seq in zip(
        result.made_by, ends, strict=False
    ):  # no row at all: one end too many
        if engine_version != ENGINE_VERSION:
            yield f"seq {first_seq:,} to {last_seq:,} were made by engine version {engine_version}"
    if result.re_executed_after:
        yield (
            f"re-executed from seq {result.re_executed_after + 1:,} on, from the state sealed there; before it the chain was"
            " walked, and its events add up to that state"
        )
    elif result.made_by and result.made_by[-1][0] != ENGINE_VERSION:
        yield f"this REX runs engine version {ENGINE_VERSION}: `rex upgrade` takes the journal over"


async def _verify(
    data_dir: Path, prove: bool, expected: list[Witness], show: bool
) -> tuple[Verification, str, list[str]]:
    """What the walk found, what the read database remembers and, where the journal is proved, what differs in it."""
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True, outdated=not prove)
    try:
        foreign, read_database = [], None
        try:
            read_database, note = read_witness(data_dir / READ_DATABASE_FILE, journal.journal_id)
        except ReadDatabaseForeign as other:
            note = str(other)
            foreign = [note]
        engine = None
        with contextlib.suppress(JournalError):  # the walk meets the damage again, and says how far the rows are good
            engine = await starting_engine(journal) if prove else None
        with _progress(show) as progress, contextlib.ExitStack() as held:
            proof = None
            if engine is not None and not foreign:
                proof = held.enter_context(ReadDatabaseProof(data_dir / READ_DATABASE_FILE, engine))
            task = progress.add_task("verifying", total=await _length(journal))
            result = await verify(
                journal,
                prove=prove,
                engine=engine,
                witnesses=[*expected, *([read_database] if read_database is not None else [])],
                on_progress=lambda seq: progress.update(task, completed=seq),
                on_row=proof.take if proof is not None else None,
            )
            if prove and result.good:
                error = await sealed_state_error(
                    journal,
                    lambda what, seq, last: progress.update(task, description=what, completed=seq, total=last),
                )
                if error is not None:
                    result = replace(result, error=error, error_seq=(result.re_executed_after or 0) + 1)
        return result, note, proof.differences if proof is not None else foreign
    finally:
        await journal.close()


async def _length(journal: SqliteJournal) -> int | None:
    """The last sequence number; None where the last row is damaged, which the walk will find and name."""
    try:
        last = await journal.last_row()
    except JournalError:
        return None
    return last.last_seq if last else 0


async def _demo(settings: Settings, seconds: float, announce: bool) -> Closing:
    def on_ready(venue: Venue) -> None:
        if announce:
            _announce(settings, venue)

    return await closing_of(await _serve(settings, seconds, on_ready), settings.data_dir)


async def _serve(settings: Settings, seconds: float, on_ready: Callable[[Venue], None]) -> Venue:
    """Runs a venue until a signal or the end of its time; returns it when it is closed and at rest."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _progress(err.is_terminal) as progress:
        task = progress.add_task("recovering", total=None)
        watchdog = Watchdog()
        async with open_venue(
            settings,
            on_progress=lambda seq: progress.update(task, completed=seq),
            on_fault=lambda error: watchdog.arm(sentence_of(root_cause(error))),
        ) as venue:
            progress.stop()
            on_ready(venue)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds or None):
                    await stop.wait()
    return venue


def _announce(settings: Settings, venue: Venue) -> None:
    recovery = venue.recovery
    out.print(
        Panel.fit(
            f"[bold]REX 稀土交易所[/bold]  {build_notice()}\n"
            f"pages     {venue.url}/\n"
            f"API       {venue.url}/docs\n"
            f"keys      {settings.data_dir / KEYS_FILE}\n"
            f"recovered {recovery.commands:,} commands in {recovery.seconds:.2f} s\n"
            "Ctrl-C stops; the next start carries on.",
            border_style="cyan",
        ),
        highlight=False,
    )


def _ready_line(settings: Settings, venue: Venue) -> None:
    keys_file = (settings.data_dir / KEYS_FILE).absolute()
    print(json.dumps({"url": venue.url, "keys_file": str(keys_file), "last_seq": venue.sequencer.last_seq}), flush=True)


def _progress(show: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, disable=not show, transient=True)


def run(work: Coroutine[Any, Any, T], *, is_check: bool = False) -> T:
    """Runs it; trouble of the environment ends as one sentence and its exit status, never as a traceback.

    A check (`is_check`) ends with status 1 whatever is wrong.
    """
    try:
        return uvloop.run(work)
    except Exception as error:
        cause = root_cause(error)
        if not isinstance(cause, (*TROUBLE, *FOLLOWS)):
            raise
        _say(sentence_of(cause))
        raise typer.Exit(ExitCode.TROUBLE if is_check else exit_code_of(cause)) from None


def _say(sentence: str) -> None:
    err.print(f"[red]rex:[/red] {escape(sentence)}", highlight=False, soft_wrap=True)


def _settings(**options: Any) -> Settings:
    """The settings of these options and of the environment; one that cannot be is bad usage, exit status 2."""
    try:
        return Settings(**options)
    except SettingsError as error:
        _say(str(error))
    except ValidationError as error:
        for wrong in error.errors():
            name = ".".join(map(str, wrong["loc"]))
            _say(f"{name}: {wrong['msg']}")
    raise typer.Exit(ExitCode.USAGE)


def main() -> None:
    """The console script. Its log goes to standard error: standard output belongs to what was asked for."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    app()
