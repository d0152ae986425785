"""Limits of a request's head, and the problems of requests that never reach the application."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from websockets.http11 import Response as WebSocketResponse

from services.gateway.browser_headers import API_POLICY
from services.gateway.problems import PROBLEM_JSON, ProblemError
from services.gateway.request_ids import HEADER, new_request_id

URL_BYTES = 8 * 1024
HEAD_BYTES = 16 * 1024
"""Request line and headers together; the chunk sizes and trailers of a chunked body count too."""
HEADERS = 100


def url_too_long() -> ProblemError:
    """414: the request line's URL is over its limit."""
    return ProblemError(414, "url_too_long", f"The URL is longer than {URL_BYTES} bytes.")


def headers_too_large() -> ProblemError:
    """431: the head of the request is over its limits."""
    return ProblemError(
        431,
        "headers_too_large",
        f"The request has more than {HEAD_BYTES} bytes of headers, or more than {HEADERS} headers.",
    )


def malformed_http() -> ProblemError:
    """400: the bytes are not HTTP/1.1."""
    return ProblemError(400, "malformed_http", "The request is not valid HTTP/1.1 (RFC 9112).")


def malformed_handshake() -> ProblemError:
    """400: the `websockets` library cannot read the handshake."""
    detail = "A line of the WebSocket handshake is malformed, or longer than 8 KiB."
    return ProblemError(400, "malformed_http", detail)


def early_handshake() -> ProblemError:
    """400: a handshake was pipelined behind a request that has no answer yet."""
    return ProblemError(
        400, "malformed_http", "A WebSocket handshake must not be sent before the previous request is answered."
    )


def request_timeout(part: str) -> ProblemError:
    """408: `part`, the head or the body, took too long."""
    return ProblemError(408, "request_timeout", f"The {part} of the request did not arrive in time.")


def too_many_connections() -> ProblemError:
    """503: one more socket would exceed a limit."""
    return ProblemError(503, "too_many_connections", "Too many connections are open, from this address or in total.")


def problem_response(problem: ProblemError, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    """A problem as the bytes of an HTTP/1.1 response, with `connection: close`. Its request gets an id of the venue's."""
    headers, body = _headers_and_body(problem, default_headers)
    lines = [b"%b: %b\r\n" % header for header in headers.items()]
    return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body])


def as_problem(refusal: WebSocketResponse, default_headers: list[tuple[bytes, bytes]]) -> WebSocketResponse:
    """The refusal of a handshake, as a problem with the headers of every answer. One of the application is a problem already;
    the router's is an empty 403, those of the `websockets` library are texts; a 426 has a header of its own.
    """
    text = (refusal.body or b"").decode(errors="replace").strip()
    if refusal.headers.get("content-type") == PROBLEM_JSON:
        headers, body = dict(default_headers), refusal.body
    elif refusal.status_code == HTTPStatus.FORBIDDEN and not text:
        refusal.status_code, refusal.reason_phrase = HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase
        headers, body = _headers_and_body(
            ProblemError(404, "not_found", "There is no WebSocket here."), default_headers
        )
    else:
        detail = f"The WebSocket handshake is refused: {text[:200]}"
        headers, body = _headers_and_body(ProblemError(refusal.status_code, "malformed_http", detail), default_headers)
    for name, value in headers.items():
        text_name = name.decode("latin-1")
        if text_name in refusal.headers:
            del refusal.headers[text_name]
        refusal.headers[text_name] = value.decode("latin-1")
    return WebSocketResponse(refusal.status_code, refusal.reason_phrase, refusal.headers, body)


def _headers_and_body(
    problem: ProblemError, default_headers: list[tuple[bytes, bytes]]
) -> tuple[dict[bytes, bytes], bytes]:
    request_id = new_request_id()
    response = problem.response(request_id.decode())
    own = (API_POLICY, (HEADER, request_id), (b"connection", b"close"))
    return dict([*default_headers, *response.raw_headers, *own]), bytes(response.body)
