"""Limits of a request's head, and the problems of requests that never reach the application."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from services.gateway.problems import ProblemError

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
    """A problem as the bytes of an HTTP/1.1 response, with `connection: close`."""
    response = problem.response()
    headers = dict([*default_headers, *response.raw_headers, (b"connection", b"close")])
    lines = [b"%b: %b\r\n" % header for header in headers.items()]
    return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", bytes(response.body)])
