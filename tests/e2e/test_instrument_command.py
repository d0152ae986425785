"""`rex instrument` against a running venue."""

from __future__ import annotations

import json
from pathlib import Path

from services.exit_codes import ExitCode
from tests.faults.venue_process import rex, serve

SCANDIUM = (
    "SC-OX", "--name-en", "Scandium oxide", "--name-zh", "氧化钪", "--category", "deep_processed",
    "--family", "separated_oxide", "--unit", "kg", "--lot-size", "10", "--tick-size", "1.00",
    "--reference-price", "6000.00", "--band", "0.06", "--max-quantity", "1000", "--reason", "board decision",
)  # fmt: skip


def test_an_instrument_is_added_listed_and_refused(tmp_path: Path) -> None:
    with serve(tmp_path) as venue:
        of_venue = ("--url", venue.url, "--data-dir", tmp_path)
        added = rex("instrument", "add", *SCANDIUM, "--person", "Li Na", *of_venue)
        assert (added.exit_status, added.out[:28]) == (ExitCode.OK, "listed by the journal's comm")
        printed = rex("instrument", "list", *of_venue).out.splitlines()
        assert printed[-1].split() == [
            "SC-OX", "continuous", "5640.00", "to", "6360.00", "yuan/kg", "to", "1000", "lots", "of", "10", "kg",
            "Scandium", "oxide", "氧化钪",
        ]  # fmt: skip
        again = rex("instrument", "add", *SCANDIUM, *of_venue)
        assert (again.exit_status, again.out) == (ExitCode.TROUBLE, "")
        assert again.err.startswith("rex: An instrument has the symbol SC-OX")
        assert not again.is_traceback
        listed = json.loads(rex("instrument", "list", "--json", *of_venue).out)
        assert [one["symbol"] for one in listed].count("SC-OX") == 1


def test_an_instrument_that_needs_a_second_person_is_not_listed_yet(tmp_path: Path) -> None:
    with serve(tmp_path, variables={"REX_FOUR_EYES": "list_instrument"}) as venue:
        of_venue = ("--url", venue.url, "--data-dir", tmp_path)
        added = rex("instrument", "add", *SCANDIUM, *of_venue)
        assert added.exit_status == ExitCode.OK
        assert added.out.startswith("not listed yet: another person confirms proposal ")
        assert "SC-OX" not in rex("instrument", "list", *of_venue).out
