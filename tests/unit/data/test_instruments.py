"""The shipped instruments, and what a file of them must hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from services.commands.attachments import InstrumentText
from services.data.instruments import COLUMNS, TERMS_ARE_ASSUMED, DataFileError, load_instruments

GOOD = "ND-OX,Neodymium oxide,氧化钕,deep_processed,separated_oxide,t,1,100.00,6,493000.00,sourced,spec,note"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return path


def test_ships_sixteen_of_each_category_with_eleven_sourced_prices() -> None:
    facts = load_instruments()
    assert len({f.symbol for f in facts}) == 32
    assert [f.category for f in facts] == ["magnetic_material"] * 16 + ["deep_processed"] * 16
    assert sum(f.reference_price_source == "sourced" for f in facts) == 11


def test_terms_are_exact_integers_and_said_to_be_assumed() -> None:
    for facts in load_instruments():
        assert Decimal(facts.tick_value_fen) == facts.tick_size * facts.lot_size * 100
        assert facts.reference_ticks * facts.tick_size == facts.reference_price
        assert facts.note.startswith(f"{facts.reference_price_source}: ")
        assert facts.note.endswith(TERMS_ARE_ASSUMED)
        assert "http" not in facts.note


def test_facts_make_an_instrument_text() -> None:
    """The first start lists the shipped instruments with these words."""
    for facts in load_instruments():
        text = InstrumentText(
            symbol=facts.symbol, name_en=facts.name_en, name_zh=facts.name_zh, category=facts.category,
            family=facts.family, unit=facts.unit, lot_size=facts.lot_size, tick_size=str(facts.tick_size),
            reference_price_source=facts.reference_price_source, spec=facts.spec, note=facts.note,
        )  # fmt: skip
        assert InstrumentText.model_validate_json(text.to_bytes()).name_zh == facts.name_zh


def test_reads_an_operators_file(tmp_path: Path) -> None:
    (facts,) = load_instruments(write(tmp_path / "own.csv", GOOD))
    assert (facts.symbol, facts.tick_value_fen, facts.reference_ticks, facts.band_ppm) == (
        "ND-OX",
        10_000,
        4930,
        60_000,
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("100.00,", "0.003,", "whole number of fen"),
        ("493000.00", "493000.50", "multiple of tick_size_yuan"),
        ("493000.00", "-1", "reference_price_yuan must be above zero"),
        ("493000.00", "cheap", "reference_price_yuan must be a decimal number"),
        ("493000.00", "NaN", "reference_price_yuan must be above zero"),
        (",t,1,", ",t,0,", "lot_size must be above zero"),
        (",t,1,", ",t,1.5,", "lot_size must be a whole number"),
        (",t,", ",lb,", "unit must be one of kg, t"),
        ("deep_processed", "ore", "category must be one of"),
        ("sourced", "guessed", "reference_price_source must be one of"),
        (",6,", ",100,", "band_percent must be below 100"),
        ("ND-OX", "Nd Ox", "symbol must be"),
        ("spec,note", "spec,note,more", "more values than columns"),
        (",spec,note", "", "no value for spec, note"),
    ],
)
def test_names_file_line_and_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = write(tmp_path / "own.csv", GOOD, GOOD.replace(old, new, 1))
    with pytest.raises(DataFileError, match=f"own.csv, line 3: .*{reason}"):
        load_instruments(path)


def test_refuses_a_symbol_twice_and_other_columns(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 3: ND-OX is listed twice"):
        load_instruments(write(tmp_path / "own.csv", GOOD, GOOD))
    (tmp_path / "other.csv").write_text("symbol,price\n")
    with pytest.raises(DataFileError, match="line 1: the columns must be symbol,name_en"):
        load_instruments(tmp_path / "other.csv")
