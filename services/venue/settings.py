"""The settings: environment variables `REX_…` or options of `rex`. Read once, at the start, for the composition root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from services.commands.acts import MAY_WAIT, PROTECTS
from services.data.calendar import TradingCalendar
from services.processes.own_process import LOWEST_PRIORITY
from services.standard_webhooks.address import check_address
from services.standard_webhooks.signature import secret_bytes

PREFIX = "REX_"

MIN_SECRET_CHARACTERS = 32
"""The fewest characters of `link_secret`."""


class SettingsRefused(Exception):
    """Invalid or unknown variables and options, one sentence for each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class UnknownVariables(SettingsRefused):
    """Variables of the environment that begin with REX_ and are no settings."""


class Settings(BaseSettings):
    """One venue's settings, immutable. Use `read_settings`, which also refuses unknown REX_ variables."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    data_dir: Path = Path("rex-data")
    """The folder that holds the journal, the read database and the keys."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on. Use an address other than loopback only inside a container, and publish its port on
    127.0.0.1."""

    port: int = Field(default=8000, ge=0, le=65535)
    """The TCP port to listen on; 0: any free port."""

    schedule: Literal["always", "exchange"] = "exchange"
    """`always`: continuous trading, 24 h. `exchange`: on trading days auctions at 08:55 and 16:00, continuous trading
    09:00–11:30 and 13:30–16:00, Asia/Shanghai (services/sequencer/schedule.py)."""

    demo: bool = False
    """Simulated traders trade in every instrument, and the trader page may place orders. Set by `rex demo`, by no variable."""

    demo_rate: float = Field(default=20.0, gt=0, le=2000)
    """The orders that all simulated traders together place in a second."""

    demo_pace: float = Field(default=1.5, gt=0, le=10_000)
    """What the simulated traders trade in 24 hours, in days of the plan (95 million yuan). More than 2 is a compressed time."""

    demo_history: bool = True
    """An empty demo begins with a simulated year up to its last completed trading day."""

    demo_today: date | None = None
    """The day before which that history ends, instead of today's trading day; not after it. Its year is the history's."""

    proof_every_s: float = Field(default=3600.0, ge=0, le=86_400)
    """Seconds between two proofs of the year's turnover while the venue runs; 0: only when one is asked for."""

    alerts_every_s: float = Field(default=30.0, ge=0, le=3600)
    """Seconds between two looks for alerts and days to close; 0: no alerts are raised, and no days are closed."""

    niceness: int = Field(default=LOWEST_PRIORITY, ge=0, le=LOWEST_PRIORITY)
    """The niceness of the processes that make proofs and snapshots and judge completed days. Reports and the scaled
    mode's projector take 5 of it at most. 0: these processes have the priority of the others."""

    alert_quiet_s: int = Field(default=900, ge=0, le=86_400)
    """Continuous trading without a command for more than so many seconds raises an alert; 0: it never does."""

    alert_webhook_url: SecretStr = SecretStr("")
    """The receiver of the alerts: https://host/path, or http:// to this machine. Empty: none."""

    alert_webhook_secret: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """The secret that signs the messages to it: `whsec_` and base64 of 24 to 64 bytes."""

    seed: int = 20231201
    """The random seed of the simulated traders."""

    calendar_file: Path | None = None
    """A file of trading days (one ISO date a line) for years that the shipped calendar does not have."""

    accept_clock: bool = False
    """An operator confirms the clock: the venue starts although the clock is behind the last command, or although a day roll
    skips a trading day."""

    full_check: bool = False
    """A start executes and compares the whole journal, also where there are snapshots."""

    snapshot_every_commands: int = Field(default=1_000_000, ge=0)
    """Commands between two snapshots that a venue takes by itself; 0: it takes none by their number."""

    snapshot_every_s: float = Field(default=86_400.0, ge=0)
    """Seconds between two snapshots, if at least 100,000 commands have come since; 0: it takes none by the time."""

    max_connections: int = Field(default=4096, ge=1)
    """The most open sockets, HTTP and WebSocket together. A further connection is closed at once."""

    max_connections_per_address: int = Field(default=1024, ge=1)
    """The most open sockets of one address. Behind a proxy all clients have the proxy's address: set it to
    `max_connections`."""

    max_websockets_per_key: int = Field(default=16, ge=1)
    """The most open WebSocket connections of one API key."""

    orders_per_s: int = Field(default=1_000, ge=0, le=1_000_000)
    """Orders, amends and administrative commands that one key may send in a second, for keys without limits of their own; 0: no
    limit. docs/limits.md says more about this and the next nine."""

    orders_burst: int = Field(default=5_000, ge=1, le=1_000_000)
    """How many of them it may send at once."""

    cancels_per_s: int = Field(default=2_000, ge=0, le=1_000_000)
    """The same for cancels."""

    cancels_burst: int = Field(default=10_000, ge=1, le=1_000_000)
    """The same for cancels."""

    reads_per_s: int = Field(default=200, ge=0, le=1_000_000)
    """The same for queries, and for subscriptions and pings over WebSockets."""

    reads_burst: int = Field(default=2_000, ge=1, le=1_000_000)
    """The same for them."""

    log_ins_per_s: int = Field(default=1, ge=0, le=1_000_000)
    """Attempts to log in, and keys shown after a WebSocket handshake, of one address; 0: no limit."""

    log_ins_burst: int = Field(default=30, ge=1, le=1_000_000)
    """How many of them at once."""

    four_eyes: Annotated[tuple[str, ...], NoDecode] = ()
    """The acts of operators and administrators that a second person must confirm, as the log names them, with commas between
    them: `bust_trade,deposit,withdraw`. docs/operators.md lists them. Empty: none."""

    public_market_data: bool = True
    """Market data, venue, calendar and fees are read without a key, over HTTP and WebSocket."""

    public_reads_per_s: int = Field(default=20, ge=0, le=1_000_000)
    """Requests without a key, and WebSocket messages, that one address may send in a second; 0: no limit."""

    public_reads_burst: int = Field(default=200, ge=1, le=1_000_000)
    """How many of them at once."""

    keyless_answers_per_s: int = Field(default=500, ge=0, le=1_000_000)
    """Answers that one address without a valid key gets in a second, refusals too; the others leave up to a second later. 0: no
    limit."""

    keyless_answers_burst: int = Field(default=2_000, ge=1, le=1_000_000)
    """How many of them at once."""

    max_public_websockets: int = Field(default=1024, ge=0)
    """The most WebSocket connections without a key, of all addresses."""

    max_public_websockets_per_address: int = Field(default=16, ge=0)
    """The most of them of one address. A page of a visitor has one. Set it higher if all visitors have the same address."""

    shutdown_notice_s: float = Field(default=1.0, ge=0, le=60)
    """How long before a planned end the venue says so to its WebSocket clients, if it has any."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies: the client of a request from one of them is the last address in X-Forwarded-For that
    is none of them. Empty: the client is the peer of the socket. As a variable: a JSON list."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """The names allowed in the Host header of requests. As a variable: a JSON list."""

    behind_tls: bool = False
    """Clients reach the venue through TLS only: every answer tells browsers to use https (HSTS, a year), and session cookies
    are `Secure`."""

    metrics_addresses: tuple[str, ...] = ()
    """The addresses and networks (CIDR) that may read /metrics, as a JSON list. Empty: every address. Behind one of the
    trusted proxies the address is the one in X-Forwarded-For."""

    request_log: bool = False
    """Writes one structured line for each request to standard error."""

    log_format: Literal["text", "json"] = "text"
    """Each event of the log is a line of text, or a JSON object. `services/processes/log.py` reads the variable itself."""

    database_url: str = ""
    """Scaled mode: the PostgreSQL database of journal and read database, as postgresql://user:password@host:port/name. Empty:
    embedded mode, with SQLite files in `data_dir`."""

    redis_url: str = ""
    """Scaled mode: Redis or Valkey, as redis://host:port/0. It carries the committed batches to projector, reports and
    read-only gateways. Empty: these follow the journal."""

    link_secret: SecretStr = SecretStr("")
    """Scaled mode: the secret that gateways and sequencers share, at least 32 characters."""

    link_port: int = Field(default=0, ge=0, le=65535)
    """Scaled mode: the TCP port on which a sequencer accepts the links of gateways; 0: any free port."""

    link_url: str = ""
    """Scaled mode: the address at which gateways reach this sequencer, as ws://host:port or wss://host:port. Empty: the address
    that it listens on."""

    @field_validator("four_eyes", mode="before")
    @classmethod
    def _are_acts(cls, given: object) -> object:
        acts = tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given
        for act in acts if isinstance(acts, tuple) else ():
            if act not in MAY_WAIT:
                raise ValueError(_no_such_act(str(act)))
        return acts

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_a_receiver(cls, url: SecretStr) -> SecretStr:
        if url:
            check_address(url.get_secret_value())
        return url

    @field_validator("alert_webhook_secret")
    @classmethod
    def _is_with_its_receiver(cls, secret: SecretStr, found: ValidationInfo) -> SecretStr:
        url = found.data.get("alert_webhook_url")  # None: it was refused.
        if secret:
            secret_bytes(secret.get_secret_value())
        if url is not None and bool(url) != bool(secret):
            other = f"{PREFIX}ALERT_WEBHOOK_URL"
            raise ValueError(f"it is set, and {other} is not" if secret else f"it is not set, and {other} is")
        return secret

    @field_validator("metrics_addresses", "trusted_proxies")
    @classmethod
    def _are_networks(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            ip_network(address)  # Its ValueError says what is wrong.
        return addresses

    @field_validator("calendar_file")
    @classmethod
    def _is_a_calendar(cls, path: Path | None) -> Path | None:
        try:
            TradingCalendar.load(path)
        except OSError as error:
            raise ValueError(f"it cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError("it is not UTF-8 text") from error
        return path

    @field_validator("database_url")
    @classmethod
    def _is_of_postgresql(cls, url: str) -> str:
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("it is no address of PostgreSQL: write postgresql://user:password@host:port/name")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_of_redis(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it is no address of Redis: write redis://:password@host:port/0")
        return url

    @field_validator("link_url")
    @classmethod
    def _is_of_websocket(cls, url: str) -> str:
        if url and not url.startswith(("ws://", "wss://")):
            raise ValueError("it is no address of a WebSocket: write ws://host:port or wss://host:port")
        return url

    @field_validator("link_secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if secret and len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise ValueError(f"it has fewer than {MIN_SECRET_CHARACTERS} characters")
        if not re.fullmatch(r"[!-~]*", secret.get_secret_value()):  # it is sent in a header
            raise ValueError("it has a space, a line break or a character that is not ASCII")
        return secret


VARIABLES = tuple(f"{PREFIX}{name.upper()}" for name in Settings.model_fields if name != "demo")
"""Every variable that a venue reads."""

_WITH_SECRETS = frozenset({"database_url", "redis_url", "link_secret", "alert_webhook_url", "alert_webhook_secret"})
"""Settings that hold a secret: no message shows their value."""

_OF_OTHERS = ("REX_CHECKING_BUILD", "REX_REQUIRE_EVERYTHING")
"""Variables of the build and of the tests; a venue does not read them."""


def read_settings(**options: Any) -> Settings:
    """The settings from options and environment variables; an option overrides its variable.

    Raises SettingsRefused for an invalid value, UnknownVariables for a REX_ variable that is not a setting: otherwise a
    misspelt name would silently leave the default in force.
    """
    if unknown := [*_unknown()]:
        raise UnknownVariables(unknown)
    try:
        return Settings(**options)
    except SettingsError as error:
        raise SettingsRefused([_not_json(error)]) from error
    except ValidationError as error:
        raise SettingsRefused([_wrong(dict(wrong)) for wrong in error.errors()]) from error


def require(settings: Settings, *names: str) -> None:
    """Raises SettingsRefused for each of these settings that is empty."""
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise SettingsRefused([f"{PREFIX}{name.upper()} is not set; this process needs it" for name in missing])


def require_embedded(settings: Settings) -> None:
    """Raises SettingsRefused if a setting of the scaled mode would be ignored."""
    names = [name for name in ("database_url", "redis_url") if getattr(settings, name)]
    if names:
        sentence = "is set, and an embedded venue does not use it: unset it, or run the processes of the scaled mode"
        raise SettingsRefused([f"{PREFIX}{name.upper()} {sentence} (docs/scaling.md)" for name in names])


def _no_such_act(act: str) -> str:
    known = ", ".join(MAY_WAIT)
    if act.lower() in PROTECTS:
        return f"{act} protects the market, and never waits for a second person; what may wait: {known}"
    alike = [one for one in MAY_WAIT if one.startswith(act.lower()) or act.lower().startswith(one)]
    nearest = (alike or get_close_matches(act.lower(), MAY_WAIT, n=1, cutoff=0))[0]
    return f"{act} is no act that may wait for a second person; the nearest is {nearest}, of {known}"


def _unknown() -> Iterator[str]:
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in (*VARIABLES, *_OF_OTHERS):
            (nearest,) = get_close_matches(name.upper(), VARIABLES, n=1, cutoff=0)
            yield f"{name} is not a setting of REX; the nearest name is {nearest}. Correct or unset the variable"


def _not_json(error: SettingsError) -> str:
    match = re.search(r'field "(\w+)"', str(error))
    name = f"{PREFIX}{match[1].upper()}" if match is not None else str(error)
    return f"""{name} is not a JSON list: write it like '["127.0.0.1", "localhost"]'"""


def _wrong(error: dict[str, Any]) -> str:
    name = str(error["loc"][0])
    value = "" if name in _WITH_SECRETS else f" is {error['input']!r}"
    return f"{PREFIX}{name.upper()}{value}: {error['msg'].removeprefix('Value error, ')}"
