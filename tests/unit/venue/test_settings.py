"""Settings from the environment: a wrong value and a misspelt name give a sentence that names the variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.processes.exit_codes import ExitCode
from services.venue.settings import VARIABLES, SettingsRefused, read_settings

COMMANDS = (["demo"], ["serve"], ["report", "2026"], ["simulate-year", "2023"], ["journal", "verify"])
REPOSITORY = Path(__file__).parents[3]
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the specification."""


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REX_PORT", "http", "REX_PORT"),
        ("REX_PORT", "65536", "REX_PORT"),
        ("REX_SCHEDULE", "never", "REX_SCHEDULE"),
        ("REX_SEED", "x", "REX_SEED"),
        ("REX_DEMO_RATE", "9999", "REX_DEMO_RATE"),
        ("REX_ACCEPT_CLOCK", "maybe", "REX_ACCEPT_CLOCK"),
        ("REX_ALLOWED_HOSTS", "venue.example", """REX_ALLOWED_HOSTS is not a JSON list: write it like '["127.0.0.1"""),
        ("REX_ALLOWED_HOSTS", "[[]]", "REX_ALLOWED_HOSTS is []: "),
        (
            "REX_TRUSTED_PROXIES",
            '["proxy.example"]',
            "REX_TRUSTED_PROXIES is ['proxy.example']: ",
        ),
        ("REX_ORDERS_BURST", "0", "REX_ORDERS_BURST is '0': "),
        ("REX_REQUEST_LOG", "perhaps", "REX_REQUEST_LOG is 'perhaps': "),
        ("REX_MAX_CONNECTIONS", "0", "REX_MAX_CONNECTIONS is '0': "),
        ("REX_METRICS_ADDRESSES", '["10.0.0.1/8"]', "10.0.0.1/8 has host bits set"),
        ("REX_METRICS_ADDRESSES", '["office"]', "'office' does not appear to be an IPv4 or IPv6 network"),
        ("REX_BEHIND_TLS", "perhaps", "REX_BEHIND_TLS is 'perhaps': "),
        (
            "REX_FOUR_EYES",
            "deposit,bust",
            "bust is no act that may wait for a second person; the nearest is bust_trade",
        ),
        ("REX_FOUR_EYES", "dep", "the nearest is deposit, of"),
        ("REX_FOUR_EYES", "deposits_of_cash", "the nearest is deposit, of"),
        (
            "REX_FOUR_EYES",
            "halt",
            "halt protects the market, and never waits for a second person; what may wait: bust_trade",
        ),
        ("REX_FOUR_EYES", "kill_switch_on", "kill_switch_on protects the market, and never waits"),
        ("REX_FOUR_EYES", "resume,measure_imposed", "measure_imposed protects the market, and never waits"),
    ],
)
def test_a_value_that_cannot_be_is_bad_usage_and_names_its_variable(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    command = "demo" if name in ("REX_SEED", "REX_DEMO_RATE") else "serve"
    ended = CliRunner().invoke(app, [command, "--data-dir", str(tmp_path / "new")], env={name: value})
    assert ended.exit_code == ExitCode.USAGE
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("url", "secret", "sentences"),
    [
        ("https://a.example/topsecret", "", ["SECRET: it is not set, and REX_ALERT_WEBHOOK_URL is"]),
        ("", WEBHOOK_SECRET, ["SECRET: it is set, and REX_ALERT_WEBHOOK_URL is not"]),
        ("http://a.example/topsecret", WEBHOOK_SECRET, ["URL: it must begin with https://; http:// only to"]),
        ("https://a.example/topsecret", "topsecret", ["SECRET: it does not begin with whsec_"]),
        ("topsecret", "whsec_topsecret", ["URL: it is no address", "SECRET: it has no base64 after whsec_"]),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, url: str, secret: str, sentences: list[str]
) -> None:
    monkeypatch.setenv("REX_ALERT_WEBHOOK_URL", url)
    monkeypatch.setenv("REX_ALERT_WEBHOOK_SECRET", secret)
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    for found, expected in zip(refused.value.sentences, sentences, strict=True):
        assert found.startswith(f"REX_ALERT_WEBHOOK_{expected}")
        assert "topsecret" not in found


def test_a_webhook_that_can_be_is_not_shown() -> None:
    found = read_settings(alert_webhook_url="https://a.example/topsecret", alert_webhook_secret=WEBHOOK_SECRET)
    assert found.alert_webhook_url.get_secret_value() == "https://a.example/topsecret"
    assert "topsecret" not in repr(found)
    assert WEBHOOK_SECRET not in repr(found)


@pytest.mark.parametrize("command", [["serve"], ["report", "2026"]], ids=" ".join)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "it cannot be read: No such file or directory"),
        ("folder", "it cannot be read: Is a directory"),
        (b"2027-01-04\n", "days.csv, line 1: the first line must be: date"),
        (b"date\n2027-13-04\n", "days.csv, line 2: '2027-13-04' is not a date of the form 2027-01-04"),
        (b"date\n\xff\n", "it is not UTF-8 text"),
    ],
    ids=["missing", "a folder", "no header", "no date", "no text"],
)
def test_a_calendar_that_cannot_be_used_is_bad_usage_and_names_variable_and_file(
    tmp_path: Path, command: list[str], content: bytes | str | None, reason: str
) -> None:
    path = tmp_path / "days.csv"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    arguments = [*command, "--data-dir", str(tmp_path / "new")]
    ended = CliRunner().invoke(app, arguments, env={"REX_CALENDAR_FILE": str(path)})
    assert ended.exit_code == ExitCode.USAGE
    assert ended.stderr == f"rex: REX_CALENDAR_FILE is '{path}': {reason}\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_variable_that_nobody_reads_is_refused_by_every_command(tmp_path: Path, command: list[str]) -> None:
    misspelt = {"REX_DATADIR": str(tmp_path), "rex_prot": "8001"}
    ended = CliRunner().invoke(app, [*command, "--data-dir", str(tmp_path)], env=misspelt)
    assert ended.exit_code == ExitCode.USAGE
    assert ended.stderr.splitlines() == [
        "rex: REX_DATADIR is not a setting of REX; the nearest name is REX_DATA_DIR. Correct or unset the variable",
        "rex: rex_prot is not a setting of REX; the nearest name is REX_PORT. Correct or unset the variable",
    ]
    assert not list(tmp_path.iterdir())


def test_no_variable_makes_a_venue_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a demo's pages have the operator's key: those of `rex serve` have none."""
    monkeypatch.setenv("REX_DEMO", "1")
    with pytest.raises(SettingsRefused, match="REX_DEMO is not a setting"):
        read_settings()


def test_a_variable_sets_what_no_option_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"REX_SEED": "7", "REX_ALLOWED_HOSTS": '["venue.example"]', "REX_HOST": "0.0.0.0"}.items():
        monkeypatch.setenv(name, value)
    found = read_settings(data_dir=tmp_path, host="127.0.0.1")
    assert (found.seed, found.allowed_hosts, found.host) == (7, ("venue.example",), "127.0.0.1")


def test_acts_of_two_persons_stand_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().four_eyes == ()
    monkeypatch.setenv("REX_FOUR_EYES", " deposit, bust_trade ,")
    assert read_settings().four_eyes == ("deposit", "bust_trade")


def test_what_the_product_sets_itself_and_what_the_docs_name_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [REPOSITORY / name for name in ("Dockerfile", "docker-compose.yml", "Makefile", ".ci/run", "README.md")]
    named = {
        name
        for file in (*files, *sorted((REPOSITORY / "docs").glob("*.md")))
        for name in re.findall(r"\bREX_[A-Z_]+\b", file.read_text(encoding="utf-8"))
    }
    assert {"REX_DATA_DIR", "REX_HOST", "REX_REQUIRE_EVERYTHING", "REX_CHECKING_BUILD", "REX_SERVICE_HOST"} <= named
    for name in named - {*VARIABLES, "REX_SERVICE_HOST"}:
        monkeypatch.setenv(name, "1")
    read_settings()
    monkeypatch.setenv("REX_SERVICE_HOST", "10.0.0.1")  # named as what Kubernetes sets, and the sentence with it
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    assert str(refused.value) in (REPOSITORY / "docs/operators.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_with_its_option() -> None:
    text = (REPOSITORY / "docs/operators.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(REX_\w+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(VARIABLES)


def test_every_default_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    text, given = (REPOSITORY / "docs/operators.md").read_text(encoding="utf-8"), read_settings()
    documented = dict(re.findall(r"^\| `(REX_\w+)` \| ?`?(.*?)`? ?\|", text, re.MULTILINE))
    for name, default in documented.items():
        if default in ("", "today"):
            assert not getattr(given, name.removeprefix("REX_").lower()), name
        else:
            monkeypatch.setenv(name, default)
    assert read_settings() == given


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("s" * 31, "fewer than 32 characters"),
        ("s" * 32 + "\n", "a line break"),
        ("s s" * 20, "a space"),
        ("é" * 40, "ASCII"),
    ],
)
def test_a_link_secret_that_no_header_carries_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str, reason: str
) -> None:
    monkeypatch.setenv("REX_LINK_SECRET", secret)
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    (sentence,) = refused.value.sentences
    assert reason in sentence
    assert secret not in sentence
