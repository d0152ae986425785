"""Where a client's frames end, whatever they are: as the `websockets` library serializes and reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.utils import apply_mask

from services.gateway.server.paced_websocket import INCOMPLETE, MASK_BYTES, REFUSED, WHOLE_TEXT, frame_at

MOST = 70_000
SIZES = st.one_of(st.integers(0, 130), st.sampled_from([125, 126, 127, 65_535, 65_536, MOST]))
OPCODES = st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING])


@given(st.lists(st.tuples(OPCODES, SIZES, st.booleans()), min_size=1, max_size=5), st.integers(0, 10))
def test_each_frame_is_found_with_its_payload(parts: list[tuple[Opcode, int, bool]], garbage: int) -> None:
    frames = [
        Frame(opcode, bytes(min(size, 125)), True) if opcode is Opcode.PING else Frame(opcode, b"\xe5" * size, fin)
        for opcode, size, fin in parts
    ]
    data = memoryview(bytes(garbage) + b"".join(frame.serialize(mask=True) for frame in frames))
    start = garbage
    for frame in frames:
        payload, end = frame_at(data, start, MOST)
        assert apply_mask(data[payload:end], bytes(data[payload - MASK_BYTES : payload])) == frame.data
        assert (data[start] == WHOLE_TEXT) == (frame.opcode is Opcode.TEXT and frame.fin)
        start = end
    assert start == len(data)


@given(SIZES, st.data())
def test_what_lacks_bytes_is_incomplete(size: int, drawn: st.DataObject) -> None:
    data = Frame(Opcode.TEXT, bytes(size)).serialize(mask=True)
    cut = drawn.draw(st.integers(0, len(data) - 1))
    assert frame_at(memoryview(data[:cut]), 0, MOST)[1] == INCOMPLETE


@pytest.mark.parametrize("size", [0, 126, MOST])
def test_an_unmasked_frame_is_refused_by_its_head(size: int) -> None:
    assert frame_at(memoryview(Frame(Opcode.TEXT, bytes(size)).serialize(mask=False)[:2]), 0, MOST) == (0, REFUSED)


@pytest.mark.parametrize("size", [MOST + 1, 2**40])
def test_a_frame_that_is_too_long_is_refused_by_its_head(size: int) -> None:
    head = bytes([WHOLE_TEXT, 0x80 | 127]) + size.to_bytes(8, "big")
    assert frame_at(memoryview(head), 0, MOST) == (0, REFUSED)


@pytest.mark.parametrize(
    "first",
    [0x83, 0x87, 0x8B, 0x8F, 0x08, 0x09, 0x0A],
    ids=["3", "7", "11", "15", "close in parts", "ping in parts", "pong in parts"],
)
def test_no_frame_of_the_protocol_is_refused_by_its_head(first: int) -> None:
    assert frame_at(memoryview(bytes([first, 0x80 | 5])), 0, MOST) == (0, REFUSED)


def test_a_control_frame_that_is_too_long_is_refused_by_its_head() -> None:
    assert frame_at(memoryview(bytes([0x89, 0x80 | 126])), 0, MOST) == (0, REFUSED)
