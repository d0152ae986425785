"""What the process of a proof may do to the venue: nothing, and it leaves nothing. Its place is taken by small programs."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.files.data_folder import READ_DATABASE_FILE
from services.files.proof_folder import PREFIX
from services.reporting import proof_copy
from services.venue.standing_proof import StandingProof, brought_up_to_date

pytestmark = [pytest.mark.anyio, pytest.mark.rig]

Program = Callable[[str], None]


class Venue:
    """What a proof asks of an engine, on a day of 2024."""

    last_seq = 7
    trading_date = 20240102

    def turnover_fen(self, _year: int) -> int:
        return 1


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Takes the place of Python: a shell script, whose sixth argument is the module and whose seventh is the year."""
    path = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(path))

    def written(script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)

    return written


def proof_of(place: Path | str, clock: Callable[[], int] = lambda: 1) -> StandingProof:
    return StandingProof(place, None, Venue(), brought_up_to_date, clock, 1.0, 0)


@pytest.mark.parametrize("place", ["folder", "postgresql:///rex"])
async def test_a_killed_process_leaves_no_copy(tmp_path: Path, program: Program, place: str) -> None:
    noted = tmp_path / "noted"
    program(f'mkdir "$TMPDIR/copy"; echo rows > "$TMPDIR/copy/read.db"; echo "$TMPDIR" > {noted}; kill -9 $$')
    proven = await proof_of(tmp_path if place == "folder" else place).prove(2024)
    assert proven.trouble == "its process ended with status -9"
    temporary = noted.read_text().strip()
    assert os.path.isabs(temporary)
    assert not os.path.exists(temporary)  # noqa: ASYNC240


async def test_a_start_removes_what_killed_proofs_have_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"{PREFIX}dead").mkdir()
    await StandingProof(tmp_path, None, Venue(), brought_up_to_date, lambda: 1, 0, 0).run()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_a_process_that_cannot_start_is_a_failed_proof(tmp_path: Path, program: Program) -> None:
    proof = proof_of(tmp_path)
    await proof.prove_due()
    [alarm] = proof.alarms()
    assert alarm == "The proof of 2024 at seq 7 failed: it could not be made (the log has the reason)."
    program("echo '{\"agree\": true}'")
    await proof.prove_due()
    assert proof.alarms() == []


@pytest.mark.parametrize("said", ["", "Segmentation fault", "null", "{}"])
async def test_a_process_that_says_no_figure_is_a_failed_proof(tmp_path: Path, program: Program, said: str) -> None:
    program(f"echo '{said}'")
    proven = await proof_of(tmp_path).prove(2024)
    assert (proven.agree, proven.trouble) == (False, f"its process said {said!r}, which is no figure")


async def test_a_read_database_that_cannot_be_copied_costs_the_breakdown_and_not_the_proof(
    tmp_path: Path, program: Program
) -> None:
    """A proof that failed raises an alert: a full temporary folder is no reason for one."""
    program('case "$6" in *.proof_copy) exit 1;; esac; echo \'{"agree": true}\'')
    proven = await proof_of(tmp_path).prove(2024, breakdown=True)
    assert (proven.agree, proven.breakdown) == (True, None)
    nothing = await proof_of("postgresql:///rex").prove(2024)
    assert nothing.trouble == "its process ended with status 1", "there, only a copy can be proven"
    program('case "$6" in *.proof_copy) echo; echo null;; *) echo \'{"agree": true}\';; esac')
    assert (await proof_of(tmp_path).prove(2024, breakdown=True)).agree
    nothing = await proof_of("postgresql:///rex").prove(2024)
    assert "which is no position" in str(nothing.trouble)


async def test_a_copy_leaves_half_of_the_room_to_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / READ_DATABASE_FILE).write_bytes(bytes(1_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_999))
    with pytest.raises(OSError, match=r"^a copy of 1,000 bytes needs twice that in .*, where 1,999 are free$"):
        await proof_copy.copied(str(tmp_path / "copy.sqlite"), str(tmp_path))


async def test_a_year_whose_proof_failed_is_proven_again_until_it_agrees(tmp_path: Path, program: Program) -> None:
    """A leader's year has changed since: without this the alarm about the last year would never end."""
    proof, asked = proof_of(tmp_path), tmp_path / "asked"
    program("echo out of memory >&2; exit 1")
    await proof.prove(2023)
    assert proof.alarms() == ["The proof of 2023 at seq 7 failed: it could not be made (the log has the reason)."]
    assert proof.alarms({"proof_failed:2023"}) == []  # the alert says it
    program(f"echo $7 >> {asked}; echo '{{\"agree\": true}}'")
    await proof.prove_due()
    await proof.prove_due()
    assert proof.alarms() == []
    assert asked.read_text().splitlines() == ["2023", "2024", "2024"]


async def test_the_age_of_the_last_proof_that_agreed_is_known_and_an_old_one_is_a_warning(
    tmp_path: Path, program: Program
) -> None:
    """Also where a proof never ends: then there is no later one."""
    hour_ns, times_ns = 3600 * 10**9, [0]
    proof = proof_of(tmp_path, lambda: times_ns[-1])
    assert proof.agreed() == {"proven_seq": None, "proven_age_s": None}
    times_ns.append(2 * hour_ns + 10**6)
    (old,) = proof.alarms()
    assert old == "No proof of the figure has agreed for more than 2 hours: none since the start at " + (
        "1970-01-01T00:00:00.000000Z."
    )
    program("echo '{\"agree\": true}'")
    await proof.prove_due()
    assert (proof.agreed(), proof.alarms()) == ({"proven_seq": 7, "proven_age_s": 0}, [])
    program("exit 1")
    times_ns.append(times_ns[-1] + 2 * hour_ns + 10**6)
    await proof.prove_due()
    assert proof.agreed() == {"proven_seq": 7, "proven_age_s": 7200.001}  # the failure has no part in it
    failed, old = proof.alarms()
    assert "the last one is of seq 7 and ended at 1970-01-01T02:00:00.001000Z" in old
    assert proof.alarms({"proof_late"}) == [failed]  # the alert says it
    assert proof.facts()["proof_age_s"] == 0
