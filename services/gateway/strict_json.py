"""Refuses JSON that two readers may understand differently: an object with the same key twice, NaN, Infinity.

msgspec and pydantic, which decode bodies and messages, silently take the last of two equal keys; a proxy or a log before the
venue may have read the first. RFC 8259 calls such objects unpredictable, RFC 7493 (I-JSON) forbids them.

A body must be declared as JSON: a web page of another site can send one only as a form, as plain text or undeclared, unless the
venue allows its origin.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from services.gateway.problems import ProblemError, field_problem

JSON = b"application/json"
_FORM = b"application/x-www-form-urlencoded"


def check_media_type(headers: Mapping[bytes, bytes]) -> None:
    """Raises a 415 problem unless the body is declared as JSON, in UTF-8 (RFC 8259 knows no other), and not as compressed: the
    venue decompresses none, and a proxy that does would read another body than the venue."""
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        detail = (
            f"The venue decompresses no body; this one has Content-Encoding {_shown(headers[b'content-encoding'])}."
        )
        raise ProblemError(415, "unsupported_media_type", detail)
    media_type, _, parameter = headers.get(b"content-type", b"").lower().partition(b";")
    media_type, charset = media_type.strip(), parameter.strip().replace(b'"', b"")
    if media_type == JSON and charset in (b"", b"charset=utf-8"):
        return
    if not media_type:
        found = "This one has no Content-Type."
    elif media_type == _FORM:
        found = "This one is declared as a form, as `curl -d` does: use curl's --json, or -H 'Content-Type: application/json'."
    else:
        found = f"This one is {_shown(headers[b'content-type'])}."
    detail = f"A body must be JSON, with the header Content-Type: application/json. {found}"
    raise ProblemError(415, "unsupported_media_type", detail)


def _shown(value: bytes) -> str:
    return repr(value[:80].decode("latin-1"))


REFUSED = (msgspec.DecodeError, ValueError, RecursionError)
"""What the decoder raises for text that is not JSON, or is nested too deeply."""

Text = TypeVar("Text", bytes, str)
Decoded = TypeVar("Decoded")

_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


def check_json(text: bytes | str) -> None:
    """Raises a 400 problem: `malformed_json`, or `duplicate_key` with the key."""
    try:
        if not has_each_key_once(text, _decode(text)):
            json.loads(text, object_pairs_hook=_once_each)
    except REFUSED as error:
        raise not_json(error, text=text) from None


def decode_strictly(decode: Callable[[Text], Decoded], text: Text) -> Decoded | None:
    """The text as one of msgspec's structs; None where `decode` refuses it. Raises the problems of `check_json`, in a third of
    its time.
    """
    try:
        decoded = decode(text)
    except REFUSED:
        check_json(text)
        return None
    if not has_each_key_once(text, decoded):
        check_json(text)
    return decoded


def has_each_key_once(text: bytes | str, decoded: Any) -> bool:
    """Whether decoding the text has lost no key. False may be wrong, True is not: where there are escapes, one may stand for a
    colon.

    Each key in a text has a colon, and decoding loses a repeated one with its value. So if the decoded text, written again, has
    as many colons, none was repeated. In C that costs a tenth of looking at each key.

    A struct must forbid unknown fields, and write none that was not given: with `omit_defaults`, or with msgspec.UNSET as the
    default where texts often give the usual value.
    """
    if isinstance(text, str):  # Not encoded first: that would cost as much again.
        return "\\" not in text and _encode(decoded).count(b":") == text.count(":")
    return b"\\" not in text and _encode(decoded).count(b":") == text.count(b":")


def _once_each(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise field_problem("duplicate_key", name[:80], "is there twice in one object", status=400)
        names.add(name)


def not_json(error: Exception, what: str = "body", text: bytes | str = "-") -> ProblemError:
    """A 400 problem. `what`: the body or the message; `text`: what it holds, where that is known."""
    return ProblemError(400, "malformed_json", f"The {what} is not JSON: {_cause(error, text)}.")


def _cause(error: Exception, text: bytes | str) -> str:
    """Why it is none. msgspec's own sentences name positions in a part of the text, and take half a surrogate pair for an
    end."""
    said = str(error)[:200]
    if not text.strip():
        return "it is empty"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "out of range" in said:
        return "a number has too many digits"
    try:
        json.loads(text)
    except UnicodeDecodeError as found:
        return f"byte {found.start} is not UTF-8"
    except (ValueError, RecursionError):
        return said
    return "half of a surrogate pair stands alone in a text" if "truncated" in said else said
