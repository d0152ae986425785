"""The bytes of a link: round trips, and LinkRefused for all that is no message."""

from __future__ import annotations

import tracemalloc
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import COMMAND, Command, pack_commands
from services.messaging import Submission
from services.messaging.link.frames import (
    Hello,
    LinkRefused,
    pack_hello,
    pack_submissions,
    sender_of,
    unpack_hello,
    unpack_submissions,
)

u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
submissions = st.lists(
    st.builds(
        Submission,
        st.binary(max_size=400),
        st.lists(st.binary(max_size=40), max_size=4).map(tuple),
        u32,
        st.booleans(),
    ),
    max_size=6,
)
hellos = st.builds(Hello, st.binary(min_size=16, max_size=16), u64, u64, u64)


@given(submissions)
def test_submissions_come_back_as_they_were(sent: list[Submission]) -> None:
    assert list(unpack_submissions(pack_submissions(sent))) == sent


@given(hellos)
def test_hello_comes_back_as_it_was(hello: Hello) -> None:
    assert unpack_hello(pack_hello(hello)) == hello


@given(submissions.filter(bool), st.data())
def test_a_truncated_message_gives_whole_submissions_then_is_refused(
    sent: list[Submission], data: st.DataObject
) -> None:
    message = pack_submissions(sent)
    ends = {len(pack_submissions(sent[:count])): count for count in range(len(sent) + 1)}
    cut = data.draw(st.integers(0, len(message) - 1))
    got: list[Submission] = []
    if cut in ends:
        assert list(unpack_submissions(message[:cut])) == sent[: ends[cut]]
        return
    with pytest.raises(LinkRefused, match="cut off"):
        got.extend(unpack_submissions(message[:cut]))
    assert got == sent[: len(got)]


@given(st.binary(max_size=300))
def test_any_bytes_are_submissions_or_refused(message: bytes) -> None:
    try:
        got = list(unpack_submissions(message))
    except LinkRefused:
        return
    assert sum(len(pack_submissions([one])) for one in got) == len(message)


@given(st.binary(max_size=80), hellos, st.data())
def test_any_other_bytes_are_no_hello(message: bytes, hello: Hello, data: st.DataObject) -> None:
    packed = pack_hello(hello)
    for wrong in (message, packed[: data.draw(st.integers(0, len(packed) - 1))], packed + message[:1] + b"\x00"):
        with pytest.raises(LinkRefused, match="no sequencer"):
            unpack_hello(wrong)


def test_another_version_is_named() -> None:
    packed = bytearray(pack_hello(Hello(bytes(16), 1, 2, 3)))
    packed[8:10] = pack("<H", 7)
    with pytest.raises(LinkRefused, match="version 7 of the link, this gateway version 1"):
        unpack_hello(bytes(packed))


@pytest.mark.parametrize(
    "message",
    [
        pack("<IIHBx", 0, 2**32 - 1, 0, 0) + bytes(100),
        pack("<IIHBx", 0, 0, 2**16 - 1, 0) + pack("<I", 0) * 1000,
        pack("<IIHBxI", 0, 0, 1, 0, 2**32 - 1) + bytes(100),
        pack("<IIHBx", 0, 0, 2**16 - 1, 0) + pack("<I", 2**32 - 1) * 1000,
    ],
)
def test_a_hostile_length_allocates_nothing(message: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(LinkRefused):
            list(unpack_submissions(message))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < 1_000_000


@given(u64, u32, st.integers(0, 2**16 - 1))
def test_the_sender_is_read_from_the_first_command(request_id: int, incarnation: int, gateway_id: int) -> None:
    first = Command(request_id=request_id, incarnation=incarnation, gateway_id=gateway_id)
    assert sender_of(pack_commands([first, Command(request_id=1)])) == (request_id, incarnation, gateway_id)
    assert len(pack_commands([first])) == COMMAND.itemsize
