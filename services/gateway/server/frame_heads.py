"""The heads of a client's WebSocket frames (RFC 6455, 5.2): where a frame ends, and where its payload begins."""

from __future__ import annotations

from websockets.frames import Opcode

WHOLE_TEXT = 0x81
"""The first byte of a text message in one frame, without extensions."""
MASK_BYTES = 4
INCOMPLETE, REFUSED = -1, -2
"""Instead of an end: the rest of the frame has not arrived; its head is refused, so that it ends the connection."""

_FIN = _MASKED = 0x80
_OPCODE = 0x0F
_OPCODES = frozenset(map(int, Opcode))
_TWO_BYTES = 126


def frame_at(data: memoryview, start: int, most_bytes: int) -> tuple[int, int]:
    """The positions of the payload of the frame at `start`, and of its end; or INCOMPLETE or REFUSED as the end.

    Its head refuses a frame whose payload has more than `most_bytes`, a control frame that is too long or a fragment, and an
    opcode that is none.
    """
    available = len(data)
    if available < start + 2:
        return 0, INCOMPLETE
    first, size, payload = data[start], data[start + 1], start + 2 + MASK_BYTES
    if size < _MASKED or (first != WHOLE_TEXT and _is_invalid(first, size - _MASKED)):
        return 0, REFUSED
    size -= _MASKED
    if size >= _TWO_BYTES:
        size_bytes = 2 if size == _TWO_BYTES else 8
        payload += size_bytes
        if available < payload - MASK_BYTES:
            return 0, INCOMPLETE
        size = int.from_bytes(data[start + 2 : start + 2 + size_bytes], "big")
        if size > most_bytes:
            return 0, REFUSED
    end = payload + size
    return payload, end if end <= available else INCOMPLETE


def _is_invalid(first: int, size: int) -> bool:
    opcode = first & _OPCODE
    is_control = opcode >= Opcode.CLOSE
    return opcode not in _OPCODES or (is_control and (size >= _TWO_BYTES or not first & _FIN))
