"""An engine that computes wrongly, which three of the four computations of the figure share, is caught by the decoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from matching_engine import Engine
from matching_engine.records import COMMAND, CommandKind, pack_commands, unpack_events
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.sqlite import SqliteJournal
from services.read_model.database import open_read_database
from services.reporting.checked_report import report_at_rest
from services.reporting.figure import Figure, compute_figure
from services.reporting.terminal import render
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import History, opening

NET_FEN = 6_000_000


class Misreading:
    """An engine that misreads one field of one kind of command: it takes it for 500 more."""

    def __init__(self, kind: CommandKind, name: str) -> None:
        self._engine, self._kind, self._name = Engine(), kind, name

    def process(self, commands: Any) -> Any:
        misread = commands.copy()
        misread[self._name][misread["kind"] == self._kind] += 500
        return self._engine.process(misread)

    def submit(self, command: Any) -> Any:
        return list(unpack_events(self.process(np.frombuffer(pack_commands([command]), COMMAND)).tobytes()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


async def figure_of(folder: Path, *, seq: int | None = None, counter_fen: int | None = None) -> Figure:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    read_database = open_read_database(folder / READ_DATABASE_FILE, read_only=True)
    try:
        last = await journal.last_batch()
        assert last is not None
        return await compute_figure(
            2023, seq=last.last_seq if seq is None else seq, engine_counter_fen=counter_fen,
            read_database=read_database, journal=journal,
        )  # fmt: skip
    finally:
        await read_database.dispose()
        await journal.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "name", "net_fen"),
    [(CommandKind.LIST_INSTRUMENT, "amount_fen", 9_000_000), (CommandKind.SET_FEES, "taker_rate_ppm", NET_FEN)],
    ids=["amount", "fee"],
)
async def test_an_engine_that_computes_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: CommandKind, name: str, net_fen: int
) -> None:
    """The first three share the engine's arithmetic and agree with each other; the decoder shows it."""
    history = History(Misreading(kind, name))
    await journal_of(tmp_path, history, [opening(), deals(3)])
    monkeypatch.setattr("services.reporting.figure.Engine", lambda: Misreading(kind, name))
    figure = await figure_of(tmp_path, counter_fen=history.engine.turnover_fen(2023))
    assert {figure.engine_counter_fen, figure.sql_sum_fen, figure.journal_replay_fen} == {net_fen}
    assert (figure.decoder_fen, figure.agree) == (NET_FEN, False)
    assert figure.to_json()["decoder_disagreements"] == list(figure.decoder.disagreements)
    assert "amount, taker's fee and maker's fee" in figure.decoder.disagreements[0]
    found = replace(await report_at_rest(tmp_path, 2023), figure=figure)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(render(found))
    assert "the journal holds what does not follow from its commands" in captured.get()
    assert figure.decoder.disagreements[0].split(",")[0] in captured.get()
    assert (found.agree, found.to_json()["proven"]) == (False, False)
