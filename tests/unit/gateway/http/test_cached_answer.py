"""An answer is made once, however many ask for it; a browser that has it gets no body."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from services.gateway.http.cached_answer import CachedAnswer, Content
from services.gateway.http.metrics import RENDERED_FOR_S, MetricsAnswer
from services.gateway.problems import ProblemError

pytestmark = pytest.mark.anyio

BODY = b"a text " * 1_000


class Counted:
    """What is rendered, and how often it was."""

    def __init__(self) -> None:
        self.times = 0

    def text(self) -> bytes:
        self.times += 1
        return b"rendered %d" % self.times

    def content(self) -> Content:
        self.times += 1
        return Content("text/plain", BODY)


def scope(address: str | None = "127.0.0.1", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "client": address and (address, 1), "headers": pairs}


async def test_many_at_once_and_later_are_one_making() -> None:
    made = Counted()
    cached = CachedAnswer(made.content)
    answers = await asyncio.gather(*(cached(scope()) for _ in range(100)))
    answers += [await cached(scope(accept_encoding="gzip")) for _ in range(100)]
    assert made.times == 1
    assert {status for status, _, _ in answers} == {200}
    assert {gzip.decompress(body) if body != BODY else body for _, _, body in answers} == {BODY}
    assert len(answers[-1][2]) < len(BODY) / 10


async def test_a_waiting_client_that_leaves_ends_nobody_elses_wait() -> None:
    made = Counted()
    cached = CachedAnswer(made.content)
    leaves, stays = asyncio.create_task(cached(scope())), asyncio.create_task(cached(scope()))
    await asyncio.sleep(0)
    leaves.cancel()
    assert (await stays)[0] == 200
    assert made.times == 1


async def test_a_failure_is_not_kept() -> None:
    made = Counted()

    def content() -> Content:
        if not made.times:
            made.times += 1
            raise OSError("no process")
        return made.content()

    cached = CachedAnswer(content)
    failed = await asyncio.gather(cached(scope()), cached(scope()), return_exceptions=True)
    assert [str(error) for error in failed] == ["no process"] * 2
    assert (await cached(scope()))[0] == 200
    assert made.times == 2


@pytest.mark.parametrize("accepted", ["", "gzip, br"])
async def test_who_knows_the_etag_gets_no_body(accepted: str) -> None:
    cached = CachedAnswer(Counted().content)
    _, headers, _ = await cached(scope(accept_encoding=accepted))
    etag = dict(headers)[b"etag"].decode()
    status, headers, body = await cached(scope(accept_encoding=accepted, if_none_match=f'"other", W/{etag}'))
    assert (status, body, dict(headers)[b"etag"].decode()) == (304, b"", etag)
    assert (await cached(scope(if_none_match='"other"')))[0] == 200


@pytest.mark.parametrize(
    ("accepted", "gzipped"), [("gzip", True), ("gzip;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)]
)
async def test_only_who_takes_gzip_gets_it(accepted: str, gzipped: bool) -> None:
    _, headers, body = await CachedAnswer(Counted().content)(scope(accept_encoding=accepted))
    assert (dict(headers).get(b"content-encoding") == b"gzip", body == BODY) == (gzipped, not gzipped)


async def test_metrics_are_rendered_once_in_their_interval() -> None:
    metrics, now = Counted(), [100.0]
    answer = MetricsAnswer(metrics, clock=lambda: now[0])  # type: ignore[arg-type]
    bodies = {(await answer(scope()))[2] for _ in range(1_000)}
    assert (bodies, metrics.times) == ({b"rendered 1"}, 1)
    now[0] += RENDERED_FOR_S
    _, headers, body = await answer(scope())
    assert (body, dict(headers)[b"content-type"].decode()) == (b"rendered 2", CONTENT_TYPE_LATEST)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.0", False), ("::1", True), ("fd00::1", False), ("", False),
     (None, False)],
)  # fmt: skip
async def test_metrics_for_certain_addresses(address: str | None, allowed: bool) -> None:
    metrics = Counted()
    answer = MetricsAnswer(metrics, ["10.1.0.0/16", "::1"])  # type: ignore[arg-type]
    if allowed:
        assert (await answer(scope(address)))[0] == 200
    else:
        with pytest.raises(ProblemError, match="REX_METRICS_ADDRESSES") as refused:
            await answer(scope(address))
        assert (refused.value.status, refused.value.code, metrics.times) == (403, "address_not_allowed", 0)
