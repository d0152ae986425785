from __future__ import annotations

from load_tests.benchmarks import peer_rates
from load_tests.benchmarks.__main__ import peer_table
from load_tests.benchmarks.peer_rates import PEERS, PeerResult


def test_every_peer_has_an_adapter_and_a_pinned_version() -> None:
    assert len(PEERS) == 6
    for peer in PEERS:
        assert (peer_rates.ADAPTERS / f"drive_{peer.module}.py").exists()
        name, _, version = peer.requirement.partition("==")
        assert name.partition("[")[0] == peer.module.replace("_", "-")
        assert version[0].isdigit()


def test_the_table_tells_agreement_difference_and_absence() -> None:
    same = PeerResult("a", "1", "", 10, 5.0, 10.0, 50.0, 7, 7)
    other = PeerResult("b", "2", "", 10, 5.0, 10.0, 50.0, 4, 7)
    assert same.agreement == "the same"
    assert other.agreement == "-3 of 7 lots"
    table = peer_table([same, other, PeerResult("c", "3", "", not_run="no network")])
    assert list(table.columns[-1].cells)[-1] == "no network"
    assert list(table.columns[2].cells) == ["5.00", "5.00", "not run"]
