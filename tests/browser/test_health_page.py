"""The page of health: a light goes red for a real cause, is grey where its source does not answer, and says its rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from prometheus_client.parser import text_string_to_metric_families

from services.alerts.operation import Operation, operation_conditions
from services.pages.catalogue import words
from tests.browser.conftest import VenueProcess, Watched
from tests.browser.trading import stopped
from tests.patience import http_get

WELL = ("ready", "kill_switch", "journal", "projector", "inbox", "errors", "sockets")
PARSED = """async (text) => {
    const place = document.querySelector('script[type=module]').src.replace('main.js', 'metrics.js');
    const { parse, histogramOf, quantile, since, buckets } = await import(place);
    const samples = parse(text), all = histogramOf(samples, 'rex_request_seconds');
    return {
        samples: samples.map(({name, labels, value}) => [name, labels, String(value)]),
        le: all.map(({le}) => String(le)), counts: buckets(all).map(({count}) => count),
        median: quantile(all, 0.5), none: since(all, all).at(-1).count,
    };
}"""


def open_health(page: Page, venue: VenueProcess, language: str = "en") -> Page:
    page.goto(f"{venue.url}/ui/health?lang={language}")
    expect(light(page, "warnings")).to_have_attribute("data-state", re.compile("good|warn"))
    return page


def light(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"light-{name}")


MORE_OF = """async (warnings) => {
    const place = document.querySelector('script[type=module]').src.replace('main.js', 'lights.js');
    const { lightsOf } = await import(place);
    return lightsOf({ health: { warnings } }, []).find(({ name }) => name === 'warnings').more;
}"""


def expect_the_words_of_the_alert(page: Page, language: str) -> None:
    """A calendar that is missing is said in the words of its alert."""
    seen = Operation(0, True, 0, True, quiet_s=0, proofs={}, proof_age=None, calendar_year=2027)
    [alert] = operation_conditions(seen, {})
    said = {"en": alert.sentence, "zh": alert.sentence_zh}[language]
    assert page.evaluate(MORE_OF, [alert.sentence, "Another."]) == [said, "Another."]


def test_every_light_says_its_rule_and_those_of_a_venue_in_one_process_are_well(
    watched: Watched, demo: VenueProcess
) -> None:
    """The page leads to the numbers and to the board, and saves its lights."""
    page = open_health(watched.page, demo, "zh")
    expect_the_words_of_the_alert(page, "zh")
    open_health(page, demo)
    said = words("health", "en")
    names = {key.split(".")[1] for key in said if re.fullmatch(r"light\.\w+\.rule", key)}
    expect(page.locator("[data-testid^=light-]")).to_have_count(len(names))
    for name in names:
        expect(light(page, name)).to_contain_text(said[f"light.{name}.rule"])
    for name in WELL:
        expect(light(page, name)).to_have_attribute("data-state", "good")
    for name in ("standby", "redis", "link", "reader"):
        expect(light(page, name)).to_have_attribute("data-state", "none")
    expect_the_words_of_the_alert(page, "en")
    expect(page.get_by_test_id("metrics-link")).to_have_attribute("href", "/metrics")
    expect(page.get_by_test_id("grafana-link")).to_have_attribute("href", "http://127.0.0.1:3000/d/rex")
    expect(page.get_by_test_id("histogram").locator("svg").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("save-lights").click()
    assert "Kill switch" in Path(download.value.path()).read_text("utf-8")


SAYS_OF_THE_REST = """() => (document.querySelector("[data-testid=summary]").dataset.state === "bad")
    === [...document.querySelectorAll("[data-testid^=light-]")].some((light) => light.dataset.state === "bad")"""
"""On a busy machine the light of the answers' time may be red: the summary is red just then."""


def projector_of(venue: VenueProcess) -> int:
    """The process that the venue forked before it began."""
    listed = [path.read_text().split() for path in Path(f"/proc/{venue.pid}/task").glob("*/children")]
    children = sorted(int(child) for children in listed for child in children)
    return next(child for child in children if Path(f"/proc/{child}/cmdline").read_bytes() == own_command(venue))


def own_command(venue: VenueProcess) -> bytes:
    return Path(f"/proc/{venue.pid}/cmdline").read_bytes()


def test_a_light_whose_source_does_not_answer_is_grey(page: Page, demo: VenueProcess) -> None:
    open_health(page, demo)
    expect(light(page, "inbox")).to_have_attribute("data-state", "good")
    page.route(re.compile("/(metrics|readyz)$"), lambda route: route.abort())
    for name in ("inbox", "latency", "errors", "ready"):
        expect(light(page, name)).to_have_attribute("data-state", "unknown")
        expect(light(page, name)).to_contain_text("not known")
    expect(light(page, "kill_switch")).to_have_attribute("data-state", "good")
    page.route(re.compile("/healthz$"), lambda route: route.abort())
    for name in ("kill_switch", "projector", "proof", "warnings"):
        expect(light(page, name)).to_have_attribute("data-state", "unknown")


def test_a_light_goes_red_for_a_real_cause_and_back(watched: Watched, demo: VenueProcess) -> None:
    """The kill switch, and a projector that stands still; the proof's light is that of the latest proof."""
    page = open_health(watched.page, demo)
    demo.post("/v1/admin/kill_switch/on")
    try:
        expect(light(page, "kill_switch")).to_have_attribute("data-state", "bad")
        expect(page.get_by_test_id("summary")).to_have_attribute("data-state", "bad")
    finally:
        demo.post("/v1/admin/kill_switch/off")
    expect(light(page, "kill_switch")).to_have_attribute("data-state", "good")
    page.wait_for_function(SAYS_OF_THE_REST)
    with stopped(projector_of(demo)):
        expect(light(page, "projector")).to_have_attribute("data-state", "bad")
        expect(light(page, "warnings").locator(".more")).to_contain_text("has not gone on for")
    expect(light(page, "projector")).to_have_attribute("data-state", "good")
    assert demo.get(f"/v1/reports/turnover/{demo.get('/v1/venue')['trading_date'][:4]}/proof")["agree"]
    expect(light(page, "proof")).to_have_attribute("data-state", "good")
    expect(light(page, "proof")).to_contain_text(re.compile("last agreed at seq [0-9,]+"))


def test_the_text_of_the_metrics_is_read_as_prometheus_reads_it(watched: Watched, demo: VenueProcess) -> None:
    page = open_health(watched.page, demo)
    text = http_get(f"{demo.url}/metrics").text
    found: dict[str, Any] = page.evaluate(PARSED, text)
    expected = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert [(name, labels) for name, labels, _ in found["samples"]] == [(one.name, one.labels) for one in expected]
    assert [float(value) for _, _, value in found["samples"]] == [one.value for one in expected]
    bounds = [one for one in expected if one.name == "rex_request_seconds_bucket"]
    assert [float(le.replace("Infinity", "inf")) for le in found["le"]] == [float(one.labels["le"]) for one in bounds]
    assert sum(found["counts"]) == bounds[-1].value
    assert found["median"] == min(float(one.labels["le"]) for one in bounds if one.value >= bounds[-1].value / 2)
    assert found["none"] == 0
    text = 'a{x="1,\\"2\\"\\n\\\\",y="}"} 3\n# HELP b c\nb +Inf\nrex_request_seconds_bucket{le="+Inf"} 1\n'
    samples = page.evaluate(PARSED, text)["samples"]
    assert samples[:2] == [["a", {"x": '1,"2"\n\\', "y": "}"}, "3"], ["b", {}, "Infinity"]]
