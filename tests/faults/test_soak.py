"""Every kind of load at least once: no order fails, and after all clients have left each process has the sockets it had."""

from __future__ import annotations

import pytest

from load_tests.servers.postgres import binaries
from load_tests.servers.server_process import ServerMissing
from tests.faults import soak, soak_scaled
from tests.faults.process_figures import Figures
from tests.faults.rig import Report
from tests.faults.soak_figures import BLOCKS, Watch, slope_of

MB, HOUR_S = 2**20, 3_600


def test_all_clients_together_leave_no_socket_behind() -> None:
    report = soak.run(3, 1, lambda: None)
    assert report.broken == []
    assert min(report.counts[name] for name in ("orders", "subscribers", "deaf_clients", "pages")) > 0


@pytest.mark.slow
def test_all_clients_together_leave_no_socket_behind_in_the_scaled_mode() -> None:
    try:
        binaries()
    except ServerMissing as missing:
        pytest.skip(f"NO SOAK OF THE SCALED MODE RAN: {missing}")
    report = soak_scaled.run(3, 1, lambda: None)
    assert report.broken == []
    assert min(report.counts[name] for name in ("orders", "subscribers", "deaf_clients")) > 0


def samples(mb_an_hour: float, noise_mb: float = 0.0) -> list[tuple[float, int]]:
    """Two hours, the first quarter of which grows by 50 MB."""
    found = []
    for second in range(2 * HOUR_S):
        warm_up = 50 * min(1.0, second / (HOUR_S / 2))
        wave = noise_mb * (1 if second // 311 % 2 else -1)
        found.append((float(second), int((100 + warm_up + mb_an_hour * second / HOUR_S + wave) * MB)))
    return found


@pytest.mark.parametrize(("mb_an_hour", "too_steep"), [(0.0, False), (0.9, False), (1.2, True), (5.0, True)])
def test_memory_that_grows_after_the_warm_up_is_told(mb_an_hour: float, too_steep: bool) -> None:
    slope = slope_of(samples(mb_an_hour))
    assert abs(slope.mb_an_hour - mb_an_hour) < 0.01
    assert slope.error < 0.01
    assert slope.too_steep == too_steep


def test_a_slope_within_its_error_is_no_growth() -> None:
    noisy = slope_of(samples(1.2, noise_mb=3.0))
    assert noisy.error > 0.2
    assert not noisy.too_steep
    assert slope_of(samples(9.0, noise_mb=3.0)).too_steep
    assert len(samples(0)) > BLOCKS


@pytest.mark.parametrize(("memory", "told"), [(True, 1), (False, 0)])
def test_only_a_life_that_is_judged_by_its_memory_grows_too_fast(memory: bool, told: int) -> None:
    watch, report = Watch(), Report("soak")
    before = Figures(100 * MB, descriptors=40, sockets=7, cpu_s=0.0)
    watch.samples["venue"] = [(at_s, before._replace(rss_bytes=rss)) for at_s, rss in samples(5.0)]
    watch.judge({"venue": before}, {"venue": before}, report, memory=memory)
    assert [sentence.startswith("the memory of venue grows by 5.00") for sentence in report.broken] == [True] * told


def test_what_is_left_open_is_told() -> None:
    watch, report = Watch(), Report("soak")
    before = Figures(100 * MB, descriptors=40, sockets=7, cpu_s=0.0)
    watch.samples["gateway 1"] = [(0.0, before)]
    watch.judge({"gateway 1": before}, {"gateway 1": before._replace(descriptors=90, sockets=48)}, report)
    assert report.broken == [
        "gateway 1 has 48 sockets where there were 7",
        "gateway 1 has 90 descriptors where there were 40",
    ]
