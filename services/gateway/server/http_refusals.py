"""How large the head of a request may be, and the answers to what never reaches the application."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from services.gateway.problems import ProblemError

URL_BYTES = 8 * 1024
HEAD_BYTES = 16 * 1024
"""Request line and headers together; chunk sizes and trailers of a chunked body count as well."""
HEADERS = 100


def url_too_long() -> ProblemError:
    """414."""
    return ProblemError(414, "url_too_long", f"The URL is longer than {URL_BYTES} bytes.")


def headers_too_large() -> ProblemError:
    """431."""
    return ProblemError(431, "headers_too_large", f"The headers have more than {HEAD_BYTES} bytes or {HEADERS} lines.")


def malformed_http() -> ProblemError:
    """400."""
    return ProblemError(400, "malformed_http", "This is not HTTP/1.1 as RFC 9112 describes it.")


def malformed_handshake() -> ProblemError:
    """400."""
    detail = "The WebSocket handshake has a line that is longer than 8 KiB or malformed."
    return ProblemError(400, "malformed_http", detail)


def early_handshake() -> ProblemError:
    """400."""
    return ProblemError(400, "malformed_http", "A request to upgrade came before the answer to the request before it.")


def request_timeout(part: str) -> ProblemError:
    """408."""
    return ProblemError(408, "request_timeout", f"The {part} of the request did not arrive in time.")


def too_many_connections() -> ProblemError:
    """503."""
    return ProblemError(503, "too_many_connections", "As many sockets are open as this venue takes.")


def problem_response(problem: ProblemError, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    """A problem as HTTP/1.1 bytes, with `connection: close`."""
    response = problem.response()
    headers = dict([*default_headers, *response.raw_headers, (b"connection", b"close")])
    lines = [b"%b: %b\r\n" % header for header in headers.items()]
    return b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", bytes(response.body)])
