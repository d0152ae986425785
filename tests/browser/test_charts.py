"""The charts by themselves: what they draw and say."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.charting import RISING, blank, make, module, open_blank, opened

__all__ = ["blank", "opened"]


def test_ticks_are_round(blank: Page) -> None:
    assert module(blank, "scales.js", "m.ticks(0, 23, 5)") == [0, 5, 10, 15, 20]
    assert module(blank, "scales.js", "m.ticks(0.12, 0.31, 4)") == [0.15, 0.2, 0.25, 0.3]
    assert module(blank, "scales.js", "m.ticks(-3, 3, 6)") == [-3, -2, -1, 0, 1, 2, 3]
    assert module(blank, "scales.js", "m.ticks(7, 7, 6)") == [7]


def test_ticks_of_time_are_those_of_shanghai(blank: Page) -> None:
    def texts(start: str, end: str, most: int) -> list[str]:
        call = f"m.timeTicks(Date.parse('{start}'), Date.parse('{end}'), {most}).map((tick) => tick.text)"
        found: list[str] = module(blank, "time_ticks.js", call)
        return found

    assert texts("2026-11-27T09:00+08:00", "2026-11-27T11:30+08:00", 6) == [
        "09:00",
        "09:30",
        "10:00",
        "10:30",
        "11:00",
        "11:30",
    ]
    assert texts("2026-11-27T20:00+08:00", "2026-11-28T04:00+08:00", 4) == [
        "20:00",
        "22:00",
        "28 Nov",
        "02:00",
        "04:00",
    ]
    assert texts("2026-01-01T00:00+08:00", "2026-12-31T00:00+08:00", 6) == ["2026", "Mar", "May", "Jul", "Sept", "Nov"]
    assert texts("2026-03-02T00:00+08:00", "2026-03-06T00:00+08:00", 5) == ["2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar"]


def test_a_place_without_time_between_has_no_room(blank: Page) -> None:
    """Slots: nights take no room, and a mark between two slots stands between them."""
    axis = "m.xAxis('slots', [0, 60, 120, 9000])"
    assert module(blank, "scales.js", f"[0, 60, 9000, 90].map({axis}.position)") == [0, 1, 3, 1.5]
    assert module(blank, "scales.js", f"[0.4, 2.6, 99].map({axis}.value)") == [0, 9000, 9000]


def test_every_layer_is_drawn(blank: Page) -> None:
    times = [1_764_205_200_000 + minute * 60_000 for minute in range(5)]
    prices = [(10, 14, 9, 13), (13, 15, 11, 12), (12, 12, 12, 12), (12, 18, 12, 17), (17, 18, 14, 15)]
    candles = [
        {"x": x, "open": o, "high": h, "low": low, "close": c} for x, (o, h, low, c) in zip(times, prices, strict=True)
    ]
    make(
        blank,
        [
            {"type": "candles", "name": "price", "data": candles},
            {"type": "bars", "axis": "below", "name": "lots", "data": [{"x": x, "y": 5} for x in times]},
            {"type": "line", "name": "mean", "data": [{"x": x, "y": 13} for x in times]},
            {"type": "step", "name": "limit", "data": [{"x": x, "y": 12} for x in times]},
            {
                "type": "area",
                "name": "sum",
                "axis": "right",
                "data": [{"x": x, "y": i * 100} for i, x in enumerate(times)],
            },
            {"type": "band", "name": "range", "data": [{"x": x, "low": 11, "high": 16} for x in times]},
            {"type": "rule", "y": 14, "name": "own order"},
            {"type": "marks", "name": "fills", "data": [{"x": times[1], "y": 13, "shape": "up", "title": "bought 3"}]},
        ],
        x="slots",
    )
    for found in ("candles.rose", "candles.fell", "candles.still", "bars", "area", "band", "rule", "mark.up"):
        expect(blank.locator(f".chart-area .{found}")).to_have_count(1)
    expect(blank.locator(".chart-area .line")).to_have_count(3)
    expect(blank.locator(".pane")).to_have_count(3)
    expect(blank.locator(".chart-legend")).to_have_text("pricelotsmeanlimitsumrangefills")
    make(
        blank,
        [
            {
                "type": "waterfall",
                "data": [
                    {"x": "gross", "y": 10, "kind": "total"},
                    {"x": "busted", "y": 3, "kind": "minus"},
                    {"x": "net", "y": 7, "kind": "total"},
                ],
            }
        ],
        x="category",
    )
    expect(blank.locator(".waterfall")).to_have_count(3)
    expect(blank.locator(".value")).to_have_text(["10.0", "3.0", "7.0"])


STROKES = """async () => {
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")].filter((link) => !link.sheet);
  await Promise.all(sheets.map((link) => new Promise((done) => { link.onload = done; })));
  const stroke = (node) => {
    const {stroke, strokeWidth, strokeDasharray} = getComputedStyle(node);
    return [stroke, strokeWidth, strokeDasharray].join();
  };
  return [".chart-legend", ".pane"].map((place) => [...document.querySelectorAll(`${place} .layer.line`)].map(stroke));
}"""


def test_a_legend_shows_the_strokes_that_are_drawn_and_no_two_are_alike(blank: Page) -> None:
    """Nor are two alike without their colours."""
    kinds = {"actual": "line", "pace": "line", "seasonal": "line", "forecast": "line", "plan": "step", "before": "line"}
    points = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    make(
        blank,
        [{"type": kind, "className": name, "name": name, "data": points} for name, kind in kinds.items()],
    )
    legend, drawn = blank.evaluate(STROKES)
    assert legend == drawn
    assert len({stroke[stroke.rindex(")") :] for stroke in drawn}) == len(kinds), drawn


def test_names_of_near_rules_stand_side_by_side(blank: Page) -> None:
    """Five orders a tick apart, two at one price, one far away."""
    rules = [
        {"type": "rule", "key": str(n), "y": y, "name": f"Buy {n} lots"} for n, y in enumerate((50, 50, 51, 52, 53, 90))
    ]
    make(blank, [{"type": "line", "data": [{"x": 0, "y": 0}, {"x": 1, "y": 100}]}, *rules])
    boxes = [node.bounding_box() for node in blank.locator(".rule-name").all()]
    places = [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"] - 3) for box in boxes if box]
    assert len(places) == 6
    for number, one in enumerate(places):
        for other in places[number + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1], (one, other)
    assert abs(places[5][2] - places[0][2]) < 4, "the far one stands at the edge"


def test_a_chart_is_a_sentence_and_a_table_too(blank: Page) -> None:
    make(
        blank,
        [
            {"type": "line", "name": "square", "data": RISING[:3]},
            {"type": "band", "name": "range", "data": [{"x": 1, "low": 0, "high": 2, "cells": ["0.00", "2.00"]}]},
        ],
    )
    area = blank.locator(".chart-area")
    expect(area).to_have_accessible_name("The chart")
    assert "It rises." in str(
        blank.evaluate(
            "() => document.getElementById(document.querySelector('.chart-area').getAttribute('aria-describedby')).textContent"
        )
    )
    blank.get_by_test_id("chart-as-table").click()
    dialog = blank.get_by_test_id("chart-table")
    expect(dialog.locator("p").first).to_have_text("It rises.")
    expect(dialog.locator("thead th")).to_have_text(["at", "square", "range low", "range high"])
    expect(dialog.locator("tbody tr").nth(1)).to_have_text("11.00.002.00")
    dialog.get_by_role("button").click()
    expect(dialog).to_have_count(0)


AT_REST = """() => new Promise((done) => {
  const look = (before) => {
    const drawn = chart.redraws;
    if (drawn && drawn === before) done();
    else requestAnimationFrame(() => requestAnimationFrame(() => look(drawn)));
  };
  look(0);
})"""
"""The chart has been drawn, and two frames have drawn nothing: one for the size that it got may come after `make`."""


def test_a_thousand_points_are_one_path_and_one_drawing_a_frame(blank: Page) -> None:
    make(blank, [{"type": "line", "data": [{"x": x, "y": x % 17} for x in range(1000)]}])
    blank.evaluate(AT_REST)
    count = blank.evaluate(
        """() => new Promise((done) => {
          const before = chart.redraws;
          requestAnimationFrame(() => {
            const data = (i) => Array.from({length: 1000}, (_, x) => ({x, y: (x + i) % 17}));
            for (let i = 0; i < 200; i++) chart.show([{type: "line", data: data(i)}]);
            requestAnimationFrame(() => requestAnimationFrame(() => done(chart.redraws - before)));
          });
        })"""
    )
    assert count == 1
    expect(blank.locator(".pane path")).to_have_count(1)
    drawn = blank.evaluate("() => document.querySelectorAll('.chart-area svg *').length")
    assert drawn < 60
    before = blank.evaluate("() => chart.redraws")
    blank.locator(".chart-area > svg").hover(position={"x": 300, "y": 60})
    expect(blank.locator(".chart-tip")).to_be_visible()
    assert blank.evaluate("() => chart.redraws") == before  # the crosshair draws nothing anew


def test_sparkline_and_graph(blank: Page) -> None:
    blank.evaluate(
        """async () => {
          const { spark } = await import(charts + "spark.js"), { graph } = await import(charts + "graph.js");
          const host = document.getElementById("main"), [a, b] = [document.createElement("p"), document.createElement("div")];
          host.replaceChildren(a, b);
          spark(a, [3, 1, 2], {label: "three prices"});
          const nodes = [{id: "1", label: "Ann", size: 2}, {id: "2", label: "Bo", size: 1}];
          const edges = [{from: "1", to: "2", weight: 3, label: "3 lots"}, {from: "2", to: "1", label: "back"}];
          graph(b, {nodes, edges}, {label: "Two members", sentence: () => "They traded with each other."});
        }"""
    )
    expect(blank.get_by_role("img", name="three prices")).to_be_visible()
    expect(blank.get_by_role("img", name="Two members. They traded with each other.")).to_be_visible()
    expect(blank.locator(".graph .edge")).to_have_count(2)
    blank.get_by_test_id("chart-as-table").click()
    expect(blank.get_by_test_id("chart-table").locator("tbody tr").first).to_have_text("AnnBo3 lots")


THROUGH = """async (graphs) => {
  const { graph } = await import(charts + "graph.js"), host = document.getElementById("main");
  await new Promise((done) => {
    const link = document.createElement("link");
    document.head.append(Object.assign(link, {rel: "stylesheet", href: charts + "charts.css", onload: done}));
  });
  const found = [];
  for (const [names, edges] of graphs) {
    const nodes = names.map((name) => ({id: name, label: name, size: 3}));
    const named = edges.map(([from, to, weight, label]) => ({from: names[from], to: names[to], weight, label}));
    graph(host, {nodes, edges: named}, {label: "Members", sentence: () => "They traded in a ring."});
    const room = host.querySelector(".graph").getBoundingClientRect();
    const shown = [...host.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [index, [said, a]] of shown.entries()) {
      if (a.left < room.left - 1 || a.right > room.right + 1 || a.bottom > room.bottom + 1) found.push(`${said} at the edge`);
      for (const [other, b] of shown.slice(index + 1)) {
        const isOver = a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
        if (isOver) found.push(`${said} over ${other}`);
      }
    }
    for (const path of host.querySelectorAll(".edge, .head")) {
      const half = (Number(path.getAttribute("stroke-width")) || 0) / 2;
      for (const text of host.querySelectorAll("text")) {
        const {x, y, width, height} = text.getBBox(), ink = 3; // above and below the letters is room
        for (let at = 0; at <= path.getTotalLength(); at += 2) {
          const point = path.getPointAtLength(at);
          const isWithin = point.x > x - half && point.x < x + width + half;
          if (isWithin && point.y > y + ink - half && point.y < y + height - ink + half) {
            found.push(`${text.textContent} in ${names.length}`);
            break;
          }
        }
      }
    }
  }
  return [...new Set(found)];
}"""


def test_no_text_of_a_graph_lies_on_an_arrow_or_on_another(blank: Page) -> None:
    """The findings of the demo's year, rings of two to four members; of three who traded both ways no text on a text."""
    demo = ["Silver Birch Trading", "Blue Steppe Trading", "Long River Trading"]
    of_demo = [(0, 1, 26.5, "¥ 26.5 m · 60"), (1, 2, 26.5, "¥ 26.5 m · 60"), (2, 0, 27.7, "¥ 27.7 m · 62")]
    of_demo += [(1, 0, 0.07, "¥ 66.3 k · 1"), (0, 2, 0.07, "¥ 66.3 k · 1")]
    ring = [(n, (n + 1) % 4, 2, "¥ 12.3 m · 104") for n in range(4)]
    pair = [(0, 1, 2, "¥ 12.3 m · 104"), (1, 0, 2, "¥ 12.3 m · 104")]
    three = ["Baotou Magnet Works", "Ganzhou Oxide Trading", "Ningbo Motors"]
    both = [(n, m, 2, "¥ 12.3 m · 104") for n in range(3) for m in range(3) if n != m]
    graphs = [[demo, of_demo], [demo, of_demo[:3]], [demo[:2], pair], [[*demo, "Works 4"], ring]]
    assert blank.evaluate(THROUGH, graphs) == []
    found = blank.evaluate(THROUGH, [[three, both]])
    assert [said for said in found if " in " not in said] == []  # of so many arrows one may cross a text


def test_an_axis_of_times_names_their_zone_once_in_the_picture_and_in_words(blank: Page) -> None:
    times = [1_764_205_200_000 + minute * 60_000 for minute in range(200)]  # 2025-11-27 09:00 in Shanghai
    points = [{"x": x, "y": 1} for x in times]
    for language, zone, said in (("zh", "北京时间", "北京时间（UTC+8）"), ("en", "UTC+8", "Asia/Shanghai (UTC+8)")):
        open_blank(blank, f"{blank.url.partition('?')[0]}?lang={language}")
        for kind in ("time", "slots"):
            make(blank, [{"type": "line", "name": "price", "data": points}], x=kind)
            expect(blank.locator(".chart-area > svg text", has_text=zone)).to_have_count(1)
            assert blank.evaluate(COVERED) == []
            expect(blank.locator(".chart-area")).to_have_accessible_description(re.compile(re.escape(said)))
            blank.get_by_test_id("chart-as-table").click()
            expect(blank.get_by_test_id("chart-table").locator("p").first).to_contain_text(said)
            blank.keyboard.press("Escape")
        make(blank, [{"type": "line", "name": "price", "data": [{"x": 1, "y": 1}, {"x": 2, "y": 2}]}])
        expect(blank.locator(".chart-area > svg text", has_text=zone)).to_have_count(0)
        expect(blank.locator(".chart-area")).not_to_have_accessible_description(re.compile(re.escape(said)))


COVERED = """() => {
  const texts = [...document.querySelectorAll(".chart-area > svg > g text")]
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([said, a], index) => texts.slice(index + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom - 4 && b.top < a.bottom - 4)
    .map(([other]) => [said, other]));
}"""
"""The texts of a chart that lie over each other."""


def test_an_axis_of_several_days_says_where_a_day_begins(blank: Page) -> None:
    """Candles of five minutes on three days, without nights: the first tick of each day has its date, and its own time."""
    opened = [1_764_205_200_000 + day * 86_400_000 for day in range(3)]  # 2025-11-27 09:00 in Shanghai
    times = [start + number * 300_000 for start in opened for number in range(84)]
    candles = [{"x": x, "open": 10, "high": 12, "low": 9, "close": 11} for x in times]
    make(blank, [{"type": "candles", "name": "price", "data": candles}], x="slots")
    ticks = ".chart-area > svg > g text[text-anchor=middle]"
    shown = blank.locator(ticks).all_text_contents()
    dated = [text for text in shown if "Nov" in text]
    assert [text[:6] for text in dated] == ["27 Nov", "28 Nov", "29 Nov"], shown
    assert all(text[7:] >= "09:00" for text in shown if "Nov" in text and len(text) > 6), shown
    assert all("09:00" <= text[-5:] <= "16:00" for text in shown if ":" in text), shown
    make(blank, [{"type": "line", "name": "price", "data": [{"x": x, "y": 1} for x in times]}], x="time")
    shown = blank.locator(ticks).all_text_contents()
    assert {text[:6] for text in shown if "Nov" in text} == {"27 Nov", "28 Nov", "29 Nov"}, shown
    make(blank, [{"type": "candles", "name": "price", "data": candles[:84]}], x="slots")
    assert not [text for text in blank.locator(ticks).all_text_contents() if "Nov" in text]  # one day needs no date
