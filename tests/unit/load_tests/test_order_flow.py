from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from load_tests.flows.flow_file import read_flow
from load_tests.flows.flow_message import FlowInstrument, FlowMessage
from load_tests.order_flow import generate, main
from matching_engine.records import band
from services.data.instruments import InstrumentFacts, load_instruments

FACTS = load_instruments()
BY_SYMBOL = {facts.symbol: facts for facts in FACTS}


@pytest.fixture(scope="module")
def flow() -> list[FlowMessage]:
    return list(generate(1, 20_000, FACTS))


def as_listed(facts: InstrumentFacts) -> FlowInstrument:
    low, high = band(facts.reference_ticks, facts.band_ppm)
    return FlowInstrument(
        facts.symbol,
        facts.lot_size,
        facts.tick_size,
        facts.reference_price,
        low * facts.tick_size,
        high * facts.tick_size,
        10**6,
    )


def test_same_seed_same_flow(flow: list[FlowMessage]) -> None:
    assert list(generate(1, 20_000, FACTS)) == flow
    assert list(generate(2, 20_000, FACTS)) != flow


def test_the_mix_is_that_of_real_flow(flow: list[FlowMessage]) -> None:
    counts = Counter((message.action, message.order_type, message.time_in_force == "ioc") for message in flow)
    shares = {kind: count / len(flow) for kind, count in counts.items() if kind[0] == "new"}
    assert shares == {
        ("new", "limit", False): pytest.approx(0.56, abs=0.01),
        ("new", "limit", True): pytest.approx(0.03, abs=0.01),
        ("new", "market", True): pytest.approx(0.01, abs=0.005),
    }


def test_prices_stay_inside_the_band(flow: list[FlowMessage]) -> None:
    outside = []
    for message in flow:
        if message.price:
            instrument = as_listed(BY_SYMBOL[message.symbol])
            if not instrument.lower_limit <= Decimal(message.price) <= instrument.upper_limit:
                outside.append(message)
    assert outside == []


def test_magnets_and_prnd_carry_the_value(flow: list[FlowMessage]) -> None:
    value: Counter[bool] = Counter()
    for message in flow:
        facts = BY_SYMBOL[message.symbol]
        if message.action == "new" and message.price:
            favoured = facts.category == "magnetic_material" or message.symbol.startswith("PRND")
            value[favoured] += int(Decimal(message.price) * facts.lot_size * message.quantity)
    assert value[True] / value.total() == pytest.approx(0.91, abs=0.02)


def test_the_busiest_second_is_many_times_the_mean(flow: list[FlowMessage]) -> None:
    seconds = Counter(message.time_ms // 1000 for message in flow)
    mean = len(flow) / (flow[-1].time_ms / 1000)
    assert 8 < max(seconds.values()) / mean < 25


def test_every_cancel_names_an_earlier_order_once(flow: list[FlowMessage]) -> None:
    resting: set[str] = set()
    for message in flow:
        if message.action == "new":
            resting.add(message.client_order_id)
        else:
            resting.remove(message.client_order_id)
    assert resting


@pytest.mark.parametrize("name", ["flow.csv", "flow.csv.gz", "flow.csv.xz"])
def test_the_file_it_writes_reads_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert main(["--seed", "3", "--messages", "50", "--symbols", "PRND-OX", "TB-OX", "--out", str(path)]) == 0
    listed = {symbol: as_listed(BY_SYMBOL[symbol]) for symbol in ("PRND-OX", "TB-OX")}
    assert read_flow(path, listed).messages == list(generate(3, 50, [BY_SYMBOL["PRND-OX"], BY_SYMBOL["TB-OX"]]))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--symbols", "GOLD"], "unknown symbol GOLD; known are NDFEB-N35"),
        (["--messages", "0"], "--messages 0: must be at least 1"),
        (["--seed", "one"], "invalid int value: 'one'"),
        ([], "cannot write"),
    ],
)
def test_bad_usage_is_named(
    tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--out", str(tmp_path / "no such folder" / "flow.csv")])
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


def test_the_shipped_flow_is_the_one_the_docs_say_how_to_make() -> None:
    shipped = Path(__file__).parents[3] / "load_tests" / "flows" / "sample.csv"
    listed = {facts.symbol: as_listed(facts) for facts in FACTS}
    assert read_flow(shipped, listed).messages == list(generate(1, 5000, FACTS))
