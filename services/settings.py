"""What can be set from outside: environment variables `REX_…` or options of `rex`. Read once, seen only by bootstrap."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from services.data.calendar import TradingCalendar

PREFIX = "REX_"


class SettingsRefused(Exception):
    """Variables or options that cannot be, a sentence for each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class Settings(BaseSettings):
    """One venue's settings; frozen after they are read. Which REX_ variables there are is for `read_settings` to say."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    data_dir: Path = Path("rex-data")
    """The folder that holds the journal, the read database and the keys."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on. Anything but loopback belongs inside a container whose port is published on 127.0.0.1."""

    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one."""

    schedule: Literal["always", "exchange"] = "exchange"
    """`always`: 24 h continuous. `exchange`: on trading days auctions at 08:55 and 16:00, between them continuous trading
    09:00–11:30 and 13:30–16:00, Asia/Shanghai (services/sequencer/schedule.py)."""

    demo: bool = False
    """Simulated traders trade in every instrument, and the trader page may place orders. `rex demo` says so, no variable."""

    demo_orders_per_second: float = Field(default=20.0, gt=0, le=2000)
    """How many orders all simulated traders together place in a second."""

    seed: int = 20231201
    """Seed of the simulated traders."""

    calendar_file: Path | None = None
    """A file of further trading days (one ISO date a line) for years the shipped calendar does not know."""

    accept_clock: bool = False
    """An operator vouches for the clock: the venue starts though the clock is behind its last command, or a day roll skips a
    trading day."""

    max_connections: int = Field(default=4096, ge=1)
    """Sockets open at once, HTTP and WebSocket together. One more is closed at once."""

    max_connections_per_address: int = Field(default=1024, ge=1)
    """Of them from one address. Behind a proxy every client has the proxy's address: raise it to `max_connections` there."""

    max_pages_per_address: int = Field(default=64, ge=1)
    """Of the 256 pages that may be open, how many one address may have. 256 where it cannot tell visitors apart."""

    max_websockets_per_key: int = Field(default=16, ge=1)
    """WebSocket connections of one API key at once."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names a browser may call this venue by. As a variable a JSON list."""

    request_log: bool = False
    """One structured line per request on standard error."""

    @field_validator("calendar_file")
    @classmethod
    def _is_a_calendar(cls, path: Path | None) -> Path | None:
        try:
            TradingCalendar.load(path)
        except OSError as error:
            raise ValueError(f"it cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError("it is no text in UTF-8") from error
        return path


VARIABLES = tuple(f"{PREFIX}{name.upper()}" for name in Settings.model_fields if name != "demo")
"""Every variable that a venue reads."""

_OF_OTHERS = ("REX_CHECKING_BUILD", "REX_REQUIRE_EVERYTHING")
"""Variables of the build and of the tests, which a venue does not read."""


def read_settings(**options: Any) -> Settings:
    """The settings of the environment, and of options, which come first.

    Raises SettingsRefused for a value that cannot be and for a REX_ variable that nobody reads: a setting that was misspelt
    would otherwise leave its default in force unseen.
    """
    if unknown := [*_unknown()]:
        raise SettingsRefused(unknown)
    try:
        return Settings(**options)
    except SettingsError as error:
        raise SettingsRefused([_not_json(error)]) from error
    except ValidationError as error:
        raise SettingsRefused([_wrong(dict(wrong)) for wrong in error.errors()]) from error


def _unknown() -> Iterator[str]:
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in (*VARIABLES, *_OF_OTHERS):
            (nearest,) = get_close_matches(name.upper(), VARIABLES, n=1, cutoff=0)
            yield f"{name} is no setting of REX; the nearest is {nearest}. Correct the variable, or unset it"


def _not_json(error: SettingsError) -> str:
    match = re.search(r'field "(\w+)"', str(error))
    name = f"{PREFIX}{match[1].upper()}" if match is not None else str(error)
    return f"""{name} is no JSON list: write it like '["127.0.0.1", "localhost"]'"""


def _wrong(error: dict[str, Any]) -> str:
    return f"{PREFIX}{str(error['loc'][0]).upper()} is {error['input']!r}: {error['msg'].removeprefix('Value error, ')}"
