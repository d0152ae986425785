from __future__ import annotations

import pytest

from load_tests.__main__ import main

VENUE = ["--url", "http://127.0.0.1:9", "--key", "k"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--rate", "0"], "--rate 0.0: must be more than 0"),
        (["--rate", "nan"], "--rate nan: must be more than 0"),
        (["--speed", "inf"], "--speed inf: must be more than 0"),
        (["--speed", "2", "--rate", "5"], "not allowed with argument"),
        (["--limit", "-1"], "--limit -1: must be more than 0"),
        (["--accounts", "1"], "--accounts 1: must be 2 to 1000"),
        (["--wind", "1"], "unrecognized arguments: --wind"),
        (["--year", "2023"], "not allowed with argument --flow"),
        (["--seed", "7"], "--seed with --flow: a file has no seed"),
        (["--from-day", "2"], "--from-day with --flow: "),
        (["--days", "2"], "--days with --flow: "),
        (["--commands", "200000"], "--commands with --flow: "),
        (["--url", "http://127.0.0.1:9"], "--url and --key: give both"),
        (["--key", "k"], "--url and --key: give both"),
    ],
)
def test_bad_usage_ends_with_2_and_a_reason(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["replay", "--flow", "x.csv", *arguments])
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--year", "1999"], "--year 1999: must be 2000 to 2099"),
        (["--from-day", "0"], "2023 has the trading days 1 to 242"),
        (["--from-day", "242", "--days", "2"], "--from-day 242 --days 2: 2023 has the trading days 1 to 242"),
        (["--commands", "9"], "--commands 9: must be 50000 to 20000000"),
        (["--seed", "-1"], "--seed -1: must be 0 or more"),
        (["--accounts", "8"], "--accounts with --year"),
        (["--symbol", "PRND-OX"], "--symbol with --year: the orders of a simulated year name their own instruments"),
    ],
)
def test_days_that_a_year_does_not_have_are_bad_usage(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["replay", "--year", "2023", *arguments])
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_venue_that_is_not_there_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--flow", "x.csv", *VENUE]) == 1
    assert "the venue does not answer: http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["replay", "--help"]])
def test_the_help_teaches_by_examples(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "python -m load_tests replay --flow FILE --url" in told
    assert "exit status: 0 the verdict is green" in told


@pytest.mark.parametrize("arguments", [[], ["replya"], ["replay"]])
def test_a_program_or_a_source_that_is_missing_is_bad_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
