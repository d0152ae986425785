"""Connections of a pool that must answer in time. One that does not is cut, and its query ends with ReadDatabaseSilent.

A server that hangs, or a proxy that swallows bytes, keeps connections open and answers nothing. The time-outs of asyncpg are no
way out: after one, the next statement of the connection, the ROLLBACK too, waits for the first. A cut connection waits for
nothing. The server does not see the cut while it works, so that it has a bound of its own: queries that nobody waits for would
take its connections one by one, the journal's at last.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

ALIVE_S = 2.0
"""How long a connection from the pool may take to show that it lives."""

ANSWER_S = 5.0
"""How long a bounded query may take, from the connection that it gets to the one that it gives back."""

SERVER_S = 1.0
"""How much longer the server may work on a statement; less would make its error the first."""


def check_alive(engine: AsyncEngine) -> None:
    """Asks each connection from the pool for a sign of life before it is used. Without one, the pool connects anew: after a
    restart of the server all its connections are dead. SQLAlchemy's `pool_pre_ping` does the same, and has no bound."""
    event.listen(engine.sync_engine, "checkout", _check)


def bound_queries(engine: AsyncEngine) -> None:
    """From now on each query of this engine, with its transaction, has ANSWER_S."""
    event.listen(engine.sync_engine, "checkout", _begin)
    event.listen(engine.sync_engine, "checkin", _end)
    event.listen(engine.sync_engine, "begin", _bound_the_server)


def waited_for(connection: Connection) -> float | None:
    """After how many seconds this connection was cut; None if it was not."""
    if connection.invalidated:
        return None
    return getattr(connection.connection.driver_connection, "gave_up_after_s", None)


def _check(dbapi_connection: Any, record: Any, _proxy: Any) -> None:
    if not record.info.get("was_used"):
        record.info["was_used"] = True  # the pool forgets it when it connects anew
        return
    cutting = _cut_after(ALIVE_S, dbapi_connection)
    try:
        dbapi_connection.ping()
    except Exception as error:  # whatever it is, a new connection has another fate
        raise InvalidatePoolError from error
    finally:
        cutting.cancel()


def _begin(dbapi_connection: Any, record: Any, _proxy: Any) -> None:
    record.info["cutting"] = _cut_after(ANSWER_S, dbapi_connection)


def _end(_dbapi_connection: Any, record: Any) -> None:
    if (cutting := record.info.pop("cutting", None)) is not None:
        cutting.cancel()


def _bound_the_server(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round((ANSWER_S + SERVER_S) * 1000)}")


def _cut_after(seconds: float, dbapi_connection: Any) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, dbapi_connection.driver_connection.give_up, seconds)
