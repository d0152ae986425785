"""Shares and reports arrive at the other process as they were sent."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from load_tests.flows.flow_message import FlowMessage
from load_tests.locust.shares import Share, ShareReport
from load_tests.replay.account_stream import Replies
from load_tests.replay.pace import Pace

TEXT = st.text(max_size=8)
NUMBERS = st.integers(0, 2**40)
SPEEDS = st.none() | st.floats(0.1, 1e6)
MESSAGES = st.builds(FlowMessage, NUMBERS, st.sampled_from(["new", "amend", "cancel"]), *[TEXT] * 5, NUMBERS, TEXT)
SHARES = st.builds(
    Share,
    NUMBERS,
    NUMBERS,
    TEXT,
    TEXT,
    st.builds(Pace, SPEEDS, SPEEDS),
    st.lists(st.tuples(NUMBERS, MESSAGES), max_size=5),
)
REPLIES = st.builds(
    Replies,
    st.dictionaries(TEXT, TEXT),
    st.dictionaries(TEXT, TEXT),
    st.dictionaries(TEXT, st.tuples(TEXT, NUMBERS)),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.lists(TEXT),
    st.sets(TEXT),
)


@given(SHARES)
def test_a_share_arrives_as_it_was_sent(share: Share) -> None:
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(share.to_wire()))
    assert Share.from_wire(wire) == share


@given(st.builds(ShareReport, NUMBERS, NUMBERS, NUMBERS, REPLIES, TEXT, st.none() | TEXT))
def test_a_report_arrives_as_it_was_sent(report: ShareReport) -> None:
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(report.to_wire()))
    assert ShareReport.from_wire(wire) == report
