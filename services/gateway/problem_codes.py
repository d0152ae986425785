"""Every problem code: its usual status, what it means, and what a caller does next.

For the problem documents, /errors/{code} and docs/errors.md. Where the engine declines an amend or an administrative command
(409), the code is the reason's name. Codes are stable: clients may branch on them.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """The texts are Markdown."""

    status: int
    meaning: str
    """What is wrong; without an end."""
    next_step: str | None = None
    """Where the caller can do something other than correct the request: what. Sentences, in the problem document too."""


_AGAIN = "Send the request again after the seconds of Retry-After: nothing of it was carried out."

CODES: dict[str, Code] = {
    "malformed_http": Code(
        400, "the bytes are not HTTP/1.1, or the WebSocket handshake cannot be read; the connection is closed"
    ),
    "malformed_json": Code(
        400, "the body or the message is not JSON (RFC 8259: no NaN, no Infinity), or is nested too deeply"
    ),
    "duplicate_key": Code(400, "an object of the body or message has the same key twice; `errors` names it"),
    "host_not_allowed": Code(400, "the Host header is not one of the venue's names"),
    "missing_key": Code(401, "no `Authorization: Bearer rex_…`"),
    "unknown_key": Code(401, "the key is unknown or was revoked"),
    "key_expired": Code(401, "the key was valid until a time that has passed"),
    "session_ended": Code(
        401,
        "the session's cookie is unknown, or the session has ended; log in again",
        "Log in again.",
    ),
    "wrong_name_or_password": Code(
        401, "no user has this name, or the password is another one; the answer does not say which"
    ),
    "origin_not_allowed": Code(
        403,
        "the request comes from a web page of another origin; with a session's cookie, also a change without `Origin` "
        "and `Sec-Fetch-Site`",
    ),
    "scope_missing": Code(403, "the key lacks the scope that `detail` names"),
    "account_required": Code(
        403, "the key is bound to no account; trade with a key that is, or (operators) name an account with `?account=`"
    ),
    "address_not_allowed": Code(
        403,
        "the key may be used from certain addresses only, and the request comes from another; `/metrics` answers the "
        "addresses of `REX_METRICS_ADDRESSES` only",
    ),
    "wrong_person": Code(
        403,
        "an act that needs a second person is confirmed or rejected by another user, who is logged in, and withdrawn "
        "by who proposed it. Nobody confirms what they may have proposed themselves (with a key that they issued, or "
        "as a user whose password they set within 24 hours before), nor within 24 hours after another person has set "
        "their password; `detail` says what is missing",
    ),
    "not_found": Code(404, "no resource has this path"),
    "unknown_symbol": Code(404, "no such instrument (in the body or query: 422)"),
    "unknown_order": Code(404, "no such order, or another account's"),
    "unknown_account": Code(404, "no such account (in a body: 422)"),
    "unknown_key_id": Code(404, "no valid key has this id"),
    "unknown_user": Code(404, "no user has this id"),
    "unknown_link": Code(404, "the one-time link was used, has ended, or the venue was started since"),
    "unknown_trade": Code(
        404,
        "no trade of the present trading day has this id, or it was busted before; 422: no trade of any day has this "
        "id",
    ),
    "unknown_alert": Code(404, "no alert has this number"),
    "method_not_allowed": Code(405, "the path does not take this method; `Allow` names all that it takes"),
    "request_timeout": Code(
        408,
        "the head did not arrive within 10 s, or the body within 30 s after it; the connection is closed",
        "Send the request again, whole: nothing of it was carried out.",
    ),
    "order_not_open": Code(409, "the order has ended: nothing to cancel or amend"),
    "nothing_recorded": Code(409, "a report was asked for before the venue recorded anything"),
    "target_in_force": Code(
        409,
        "a target of this scope, metric, year and month is in force, and `replaces` does not name it; or there is none"
        " to replace",
    ),
    "trade_busted": Code(409, "a decision names a busted trade, which does not count anyway"),
    "already_decided": Code(
        409,
        "a decision names a trade that it would not change; a control group or a measure was ended before, or an "
        "account is in another group; an opening ban holds the kill switch",
    ),
    "not_certified": Code(
        409,
        "there is no certificate of the figure: the proof of the year does not agree, or the year has no trades. The "
        "detail says what disagrees",
    ),
    "already_acknowledged": Code(409, "somebody has acknowledged this alert; `detail` names the person"),
    "proposal_ended": Code(
        409,
        "the proposal was confirmed, rejected or withdrawn, or has expired; or nobody can confirm it any more, because"
        " who proposed it may not, or a newer command stops what it would let go on; `detail` says which",
        "Read it with `GET /v1/admin/proposals?state=all`. If the act is still wanted, propose it again.",
    ),
    "other_incarnation": Code(
        409,
        "a subscription is to be resumed from a seq of another journal: the venue was set up anew, or from a backup",
    ),
    "resume_too_old": Code(
        409, "a subscription is to be resumed from a seq more than 1,000,000 commands back; `errors` says the oldest"
    ),
    "resume_ahead": Code(409, "a subscription is to be resumed from a seq that the venue has not reached"),
    "already_carried_out": Code(
        409,
        "a request with this `Idempotency-Key` was carried out, and its answer cannot be repeated: it had a secret "
        "that is shown once",
        "Revoke what the command in `detail` made, and make another with a new Idempotency-Key.",
    ),
    "command_skipped": Code(
        409,
        "the request, or one with the same content, tripped an assertion of the engine and stopped the venue; an "
        "operator has taken it out (`rex journal skip`). It was not executed and will not be",
        "Do not send it again; ask the operator. A request that differs in a field is taken.",
    ),
    "symbol_taken": Code(
        409, "an instrument has this symbol, or another one was listed at the same moment; `detail` says which"
    ),
    "user_exists": Code(409, "another user has this name, apart from case and width"),
    "no_session": Code(409, "an API key has no password of its own to change"),
    "body_too_large": Code(413, "over 64 KiB (a batch, a decision: 256 KiB); the connection is closed"),
    "url_too_long": Code(414, "over 8 KiB; the connection is closed"),
    "unsupported_media_type": Code(
        415,
        "a body below /v1 must be JSON, not compressed, with the header `Content-Type: application/json`",
        "Send the header `Content-Type: application/json`, as with curl's option --json.",
    ),
    "validation_failed": Code(422, "the body or query breaks the schema"),
    "invalid_price": Code(
        422,
        "zero, negative, too large to represent, missing on a limit or stop_limit order, or present on a market or "
        "stop order",
    ),
    "price_off_tick": Code(422, "not a multiple of the instrument's tick"),
    "invalid_quantity": Code(422, "zero, negative, or more than one order may hold"),
    "invalid_amount": Code(
        422,
        "zero, not a whole number of fen, or beyond 100 trillion yuan (`max_day_turnover`: beyond 9·10^18 fen, 90 "
        "quadrillion yuan)",
    ),
    "invalid_time_in_force": Code(422, "not one that this order type may have"),
    "invalid_trigger": Code(422, "a `stop_price` that is missing on a stop or stop_limit order, or present on another"),
    "invalid_expiry": Code(
        422,
        "an `expire_time` that is missing on a gtd order, present on another, or not a time; a length of an auction "
        "that does not fit its rate",
    ),
    "invalid_display": Code(422, "a `display_quantity` outside its bounds, or on an order that cannot have one"),
    "invalid_option": Code(
        422, "`post_only` on an order that cannot rest or waits for a trigger; an amend that changes nothing"
    ),
    "invalid_rate": Code(422, "negative, 100 % or more, or with more than six decimals"),
    "invalid_cursor": Code(422, "not a cursor that this venue gave out"),
    "client_order_id_reused": Code(422, "the id was used for another body"),
    "idempotency_key_reused": Code(
        422, "the header `Idempotency-Key` has the key of another request of this API key or user"
    ),
    "rate_limited": Code(
        429,
        "the key's rate limit for this class of requests is reached: `rate_class` names the class, `retry_after_ms` "
        "the time to wait. Nothing of this request was taken in",
        _AGAIN,
    ),
    "too_many_requests": Code(
        429,
        "the key has 512 requests without a reply (and 64 more cancels), over all its connections, or its account has "
        "an eighth of the inbox waiting, or 16 reports of the key are under way. Nothing of this request was taken in;"
        " send it again after `Retry-After` seconds. Other members are not affected",
        _AGAIN,
    ),
    "too_many_websockets": Code(
        429,
        "the key has as many WebSocket connections as it may (16); or as many without a key follow market data as may",
        "Close a WebSocket of this key, or use those that are open.",
    ),
    "too_many_log_ins": Code(
        429,
        "too many wrong passwords under this name or from this address, or too many log-ins at this moment; try again "
        "after `Retry-After` seconds",
        _AGAIN,
    ),
    "headers_too_large": Code(
        431,
        "request line and headers over 16 KiB, or over 100 headers; chunk sizes and trailers of a body count as well; "
        "the connection is closed",
    ),
    "internal_error": Code(
        500,
        "an error in the venue, logged; the outcome is unknown",
        "Read what happened before anything is sent again: the order by its client_order_id, else balances and fills. "
        "Give the request_id to the operator.",
    ),
    "inbox_full": Code(503, "the inbox is full: nothing of this request was taken in", _AGAIN),
    "read_only": Code(
        503,
        "this gateway of the scaled mode only reads",
        "Send the request to an order gateway of this venue.",
    ),
    "outcome_unknown": Code(
        503,
        "no reply came in time, or the venue failed meanwhile: the command may have been carried out or not. 502 and "
        "504 are HAProxy's: it sent the request to a gateway, and the answer broke, or did not come",
        "Send an order again with the same client_order_id and body: it is placed once, and the reply is its state. "
        "Without one, and after any other command, read orders, fills and balances first.",
    ),
    "not_ready": Code(
        503,
        "the answer of `/readyz`; elsewhere: the venue has failed and is ending, or (scaled mode) no sequencer was "
        "reached in time: nothing of this request was taken in. HAProxy's own: no process is ready, and the request "
        "was sent to none. Of a query: the read database is away, behind, or has not answered within 5 s, or an "
        "archived day is missing; `/readyz` says whether orders are taken: new ones need neither, but in the scaled "
        "mode the read database is in the journal's PostgreSQL",
        "Wait for /readyz to answer 200. Then send a read again; an order again with the same client_order_id, which "
        "is safe.",
    ),
    "cut_off": Code(
        503,
        "this gateway of the scaled mode has heard nothing from the leading sequencer for 5 s, and others may go on: "
        "the journal shows that a sequencer leads, or cannot be read. `/readyz` says so, and the handshake of a "
        "WebSocket is refused (open ones are closed with 4010). Reads are answered, with the header `Rex-As-Of`",
        "Connect again after a second: another gateway serves the venue. Resume subscriptions from the last seq, and "
        "send an order again with the same client_order_id.",
    ),
    "storage_unusable": Code(
        503,
        "of a query: the read database or the journal is damaged, is not this venue's, or its device refuses; the log "
        "says which",
        "Tell the operator, who finds the cause in the log: sending it again helps only after that.",
    ),
    "too_many_connections": Code(
        503,
        "the limit of open sockets is reached, for this address or in all; the connection is closed",
        "Close connections that are not used, and connect again after a second.",
    ),
}
"""The gateway's own codes, by status."""
