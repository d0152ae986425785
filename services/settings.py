"""What can be set from outside: environment variables `REX_…` or options of `rex`. Read once, seen only by bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One venue's settings; frozen after they are read. An unknown REX_ variable is ignored, a wrong value is an error."""

    model_config = SettingsConfigDict(env_prefix="REX_", frozen=True)

    data_dir: Path = Path("rex-data")
    """The folder that holds the journal, the read database and the keys."""

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback belongs inside a container whose port is published on 127.0.0.1."""

    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one."""

    schedule: Literal["always", "exchange"] = "exchange"
    """`always`: 24 h continuous. `exchange`: on trading days auctions at 08:55 and 16:00, between them continuous trading
    09:00–11:30 and 13:30–16:00, Asia/Shanghai (services/sequencer/schedule.py)."""

    demo: bool = False
    """Simulated traders trade in every instrument, and the trader page may place orders."""

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

    max_websockets_per_key: int = Field(default=16, ge=1)
    """WebSocket connections of one API key at once."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names a browser may call this venue by."""

    request_log: bool = False
    """One structured line per request on standard error."""
