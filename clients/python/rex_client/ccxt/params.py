"""The `params` of ccxt's methods, and what is done with names that nobody knows."""

from __future__ import annotations

from typing import Any

from rex_client.ccxt.errors import BadRequest

Json = dict[str, Any]
Params = dict[str, Any]


def positive(limit: int | None) -> int | None:
    """The limit. Raises BadRequest for one that is not positive."""
    if limit is not None and limit <= 0:
        raise BadRequest(f"limit: {limit} is not positive")
    return limit


def known(params: Params | None, *names: str) -> Params:
    """The params. Raises BadRequest for one that the method does not know: it would be ignored."""
    given = dict(params or {})
    for name in given:
        if name not in names:
            raise BadRequest(f"params: {name} is unknown here" + (f"; known: {', '.join(names)}" if names else ""))
    return given
