"""The codes with which the venue closes a WebSocket, for /asyncapi.json. docs/websocket.md says more of each."""

from __future__ import annotations

CLOSE_CODES = {
    1007: "a text message was not UTF-8",
    1009: "a message was too large, or consisted of too many frames",
    1011: "an error in the venue; or no answer to a ping in time",
    1012: "the venue is stopping, or has failed: connect again",
    4001: "the key was revoked or has expired, or the session has ended",
    4003: "no key within the first seconds or messages",
    4008: "private messages were not read fast enough: connect again and resume",
    4009: "a stream could not be resumed: connect again and resume",
    4010: "`cut_off`: the gateway is cut off from the venue, which may go on without it: connect again and resume",
}
"""By code, what has happened."""
