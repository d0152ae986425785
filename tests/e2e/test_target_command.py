"""`rex target` against a running venue."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from services.processes.exit_codes import ExitCode
from tests.faults.venue_process import rex, serve

WHY = ("--why", "board decision")


def test_a_target_that_needs_a_second_person_is_not_set_yet(tmp_path: Path) -> None:
    with serve(tmp_path, variables={"REX_FOUR_EYES": "target_set"}) as venue:
        of_venue = ("--url", venue.url, "--data-dir", tmp_path)
        done = rex("target", "set", "2031", "1.00", "--name", "a", *WHY, *of_venue)
        assert done.exit_status == ExitCode.OK
        assert done.out.startswith("not set yet: another person confirms proposal ")
        done = rex("target", "set", "2031", "1.00", "--name", "a", *WHY, *of_venue, "--json")
        assert (done.exit_status, json.loads(done.out)["act"]) == (ExitCode.OK, "target_set")
        assert rex("target", "list", "2031", *of_venue).out == ""


def test_a_target_is_set_listed_refused_and_replaced(tmp_path: Path) -> None:
    with serve(tmp_path) as venue:
        of_venue = ("--url", venue.url, "--data-dir", tmp_path)

        def set_target(*arguments: str) -> tuple[int | None, str, str]:
            done = rex("target", "set", *arguments, *WHY, *of_venue)
            assert not done.is_traceback
            return done.exit_status, done.out.strip(), done.err.strip()

        def in_force() -> dict[str, str]:
            printed = rex("target", "list", "2031", "--json", *of_venue).out
            assert printed.isascii()  # No letter of a name can change how a terminal shows the rest.
            listed = json.loads(printed)
            return {
                f"{line['name']} {line['scope']} {line['month']}": line["amount"] for line in listed if line["in_force"]
            }

        first = rex("target", "set", "2031", "25000000000.00", "--name", "the plan", *WHY, *of_venue, "--json")
        seq = json.loads(first.out)["seq"]
        oxide = ("1200", "--metric", "tonnes", "--scope", "product:PRND-OX", "--month", "3", "--name", "氧化物")
        assert set_target("2031", *oxide)[0] == ExitCode.OK
        assert in_force() == {"the plan venue 0": "25000000000.00", "氧化物 product:PRND-OX 3": "1200.000"}

        again = ("2031", "26000000000.00", "--name", "a better plan")
        status, out, err = set_target(*again)
        assert (status, out) == (ExitCode.TROUBLE, "")
        assert err.startswith("rex: replaces: ")
        assert f"of seq {seq} is in force" in err
        assert set_target(*again, "--replaces", str(seq))[0] == ExitCode.OK
        assert in_force() == {"a better plan venue 0": "26000000000.00", "氧化物 product:PRND-OX 3": "1200.000"}
        lines = [line.split() for line in rex("target", "list", "2031", *of_venue).out.splitlines()]
        assert [line[1:6] for line in lines] == [
            [str(seq), "2031", "venue", "net_traded", "25000000000.00"],
            [str(seq + 1), "2031-03", "product:PRND-OX", "tonnes", "1200.000"],
            [str(seq + 2), "2031", "venue", "net_traded", "26000000000.00"],
        ]
        assert [line[6] for line in lines] == ["replaced", "in", "in"]

        this_year = time.gmtime().tm_year
        first_ones = [rex("target", "list", str(year), *of_venue).out for year in (this_year, this_year + 1)]
        lines_of_first = "".join(first_ones).splitlines()
        assert lines_of_first
        assert all(line == line.rstrip(": ") for line in lines_of_first), "the venue's own target has no reason"

        for wrong, sentence in (
            (("2031", "0", "--name", "nothing"), "rex: amount: "),
            (("2031", "9" * 26, "--name", "too much"), "rex: amount: is too large"),
            (("2031", "1e9", "--name", "x"), "rex: amount: must be a decimal number, such as 236.00"),
            (("2031", "1", "--name", "x", "--scope", "product:GOLD"), "rex: scope: "),
            (("2031", "1", "--name", "x", "--metric", "kilos"), "rex: metric: "),
        ):
            status, out, err = set_target(*wrong)
            assert (status, out, err.startswith(sentence)) == (ExitCode.TROUBLE, "", True), err
        assert len(json.loads(rex("target", "list", "2031", "--json", *of_venue).out)) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("target", "list", "31"), ExitCode.USAGE, "is not a year"),
        (("target", "list", "2031", "--url", "localhost:1"), ExitCode.USAGE, "write http://HOST:PORT"),
        (("target", "list", "2031", "--url", "http://"), ExitCode.USAGE, "--url http:// is not an address"),
        (("target", "list", "2031", "--url", "http://[::1"), ExitCode.USAGE, "write http://HOST:PORT"),
        (("target", "list", "2031", "--url", "http://host:port"), ExitCode.USAGE, "write http://HOST:PORT"),
        (("user", "list", "--url", "http://[::1"), ExitCode.USAGE, "write http://HOST:PORT"),
        (("target", "list", "2031"), ExitCode.TROUBLE, "does not hold the key `operator`"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], status: ExitCode, sentence: str
) -> None:
    done = rex(*arguments, "--data-dir", tmp_path)
    assert (done.exit_status, done.out, done.is_traceback) == (status, "", False)
    assert sentence in " ".join(done.err.split())


def test_a_running_venue_is_found_at_the_port_of_the_variable(tmp_path: Path) -> None:
    """Every command that talks to a running venue; none is at port 1."""
    with serve(tmp_path) as venue:
        here, elsewhere = {"REX_PORT": venue.url.rpartition(":")[2]}, {"REX_PORT": "1"}
        asked = [("target", "list", "2031"), ("target", "set", "2031", "1", "--name", "x", *WHY)]
        for arguments in (*asked, ("user", "list"), ("user", "passwd", "nobody"), ("user", "link", "nobody")):
            done = rex(*arguments, "--data-dir", tmp_path, variables=here)
            assert (done.exit_status == ExitCode.OK) or done.err == "rex: no user is named nobody\n", done.err
        for arguments in (*asked, ("user", "list"), ("user", "link", "nobody")):
            said = " ".join(rex(*arguments, "--data-dir", tmp_path, variables=elsewhere).err.split())
            assert said.startswith("rex: http://127.0.0.1:1 does not answer"), said
            assert "--url" in said
    stopped = rex("user", "link", "nobody", "--data-dir", tmp_path, variables=elsewhere)
    assert stopped.exit_status == ExitCode.TROUBLE
    assert "--url gives the address of the running venue" in " ".join(stopped.err.split())
