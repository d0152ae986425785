"""What FastAPI learns from a route's function and its models, learnt once per test process instead of once per venue.

Each venue makes its routes anew, from the same functions. To read their signatures, and to build a validator for each parameter
and a serializer for each answer, is a half of the start of a test's venue.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from types import CodeType
from typing import Any

from fastapi import params, routing
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant, get_parameterless_sub_dependant
from fastapi.security.base import SecurityBase
from fastapi.utils import create_model_field

_known: dict[tuple[CodeType, str, Any], Dependant] = {}
_known_checks: dict[tuple[type, str, Any, tuple[str, ...]], Dependant] = {}
_known_fields: dict[tuple[str, Any, str], Any] = {}


def _text_of(call: Callable[..., Any]) -> CodeType:
    found: CodeType = inspect.unwrap(call).__code__
    return found


def _remembered(*, path: str, call: Callable[..., Any], scope: Any = None) -> Dependant:
    """As FastAPI's function, which has no other arguments for the function of a route. The parameters belong to the text of the
    function, `call` to the venue."""
    text = _text_of(call)
    found = _known.get((text, path, scope))
    if found is None:
        found = _known[text, path, scope] = get_dependant(path=path, call=call, scope=scope)
    own = copy(found)
    own.call, own.dependencies = call, [*found.dependencies]
    return own


def _remembered_check(*, depends: params.Depends, path: str) -> Dependant:
    """The check of a router, such as that of its scopes: what it asks for belongs to its type."""
    call, scopes = depends.dependency, tuple(getattr(depends, "scopes", None) or ())
    if not isinstance(call, SecurityBase):
        return get_parameterless_sub_dependant(depends=depends, path=path)
    key = type(call), path, depends.scope, scopes
    if key not in _known_checks:
        _known_checks[key] = get_parameterless_sub_dependant(depends=depends, path=path)
    own = copy(_known_checks[key])
    own.call = call
    return own


def _remembered_field(name: str, type_: Any, mode: Any) -> Any:
    """The serializer of a model, in the answers of the route of this name."""
    key = name, type_, mode
    if key not in _known_fields:
        _known_fields[key] = create_model_field(name=name, type_=type_, mode=mode)
    return _known_fields[key]


def _by_text(answer: Callable[[Callable[..., Any]], bool]) -> Callable[[Callable[..., Any]], bool]:
    known: dict[CodeType, bool] = {}

    def remembered(call: Callable[..., Any]) -> bool:
        text = _text_of(call)
        if text not in known:
            known[text] = answer(call)
        return known[text]

    return remembered


def remember_parameters() -> None:
    """Makes FastAPI use what it has learnt from now on."""
    names = vars(routing)
    names["get_dependant"] = _remembered
    names["get_parameterless_sub_dependant"] = _remembered_check
    names["create_model_field"] = _remembered_field
    for name in ("_is_gen_callable", "_is_async_gen_callable"):
        names[name] = _by_text(names[name])
