"""`rex instrument` against a running venue."""

from __future__ import annotations

import json
from pathlib import Path

from services.processes.exit_codes import ExitCode
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
        why = ("--reason", "board decision")
        changed = rex("instrument", "change", "SC-OX", "--band", "0.02", "--name-en", "Scandia", *why, *of_venue)
        assert changed.out.startswith("changed by the journal's command ")
        delisted = rex("instrument", "delist", "SC-OX", *why, *of_venue, "--json")
        assert json.loads(delisted.out)["seq"] > 0
        listed = json.loads(rex("instrument", "list", "--json", *of_venue).out)
        assert [(one["upper_limit"], one["name_en"], one["phase"]) for one in listed if one["symbol"] == "SC-OX"] == [
            ("6120.00", "Scandia", "delisted")
        ]
        gone = rex("instrument", "change", "SC-OX", "--band", "0.03", *why, *of_venue)
        assert (gone.exit_status, gone.err.strip()) == (
            ExitCode.TROUBLE, "rex: The instrument was delisted: it takes no orders and no new terms.",
        )  # fmt: skip


def test_an_instrument_that_needs_a_second_person_is_not_listed_yet(tmp_path: Path) -> None:
    with serve(tmp_path, variables={"REX_FOUR_EYES": "list_instrument"}) as venue:
        of_venue = ("--url", venue.url, "--data-dir", tmp_path)
        added = rex("instrument", "add", *SCANDIUM, *of_venue)
        assert added.exit_status == ExitCode.OK
        assert added.out.startswith("not listed yet: another person confirms proposal ")
        assert "SC-OX" not in rex("instrument", "list", *of_venue).out
