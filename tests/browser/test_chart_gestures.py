"""What pointer and keyboard do with a chart."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.charting import RISING, blank, drag, make, opened

__all__ = ["blank", "opened"]


def test_the_crosshair_says_the_value_of_every_layer(blank: Page) -> None:
    exact = [{**point, "text": f"exactly {point['y']}"} for point in RISING]
    make(
        blank,
        [{"type": "line", "name": "square", "data": exact}, {"type": "line", "name": "half", "data": RISING[::2]}],
    )
    blank.locator(".chart-area > svg").hover(position={"x": 400, "y": 80})
    tip = blank.locator(".chart-tip")
    expect(tip).to_be_visible()
    x = int(tip.locator("b").inner_text())
    before = x - x % 2
    expect(tip.locator("em")).to_have_text([f"exactly {x * x}", f"{before * before:.1f}"])
    blank.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_a_drag_chooses_a_range_and_a_click_a_point(blank: Page) -> None:
    make(blank, [{"type": "line", "data": RISING}])
    drag(blank, 0.25, 0.5)
    drag(blank, 0.75, 0.75)
    told = blank.evaluate("() => told")
    assert [what for what, _ in told] == ["range", "pick"]
    assert told[0][1]["from"] == pytest.approx(25, abs=0.2)
    assert told[0][1]["to"] == pytest.approx(50, abs=0.2)
    assert told[1][1] == 75


def test_a_range_is_zoomed(blank: Page) -> None:
    make(blank, [{"type": "line", "name": "square", "data": RISING}])
    blank.evaluate("() => chart.zoom({from: 10, to: 20})")
    blank.wait_for_function("() => chart.redraws > 1")
    lines = blank.evaluate("() => chart.lines()")
    assert lines[1] == ["10", "100.0"]
    assert lines[-1] == ["20", "400.0"]
    assert blank.evaluate("() => chart.plan.panes[0].y.to") < 600  # the y axis follows
    blank.evaluate("() => chart.zoom(null)")
    assert len(blank.evaluate("() => chart.lines()")) == 102


def test_the_wheel_is_the_pages_unless_alt_is_held(blank: Page) -> None:
    make(blank, [{"type": "line", "data": RISING}])
    blank.locator(".chart-area > svg").hover()
    blank.mouse.wheel(0, -200)
    assert blank.evaluate("() => chart.view") is None
    blank.keyboard.down("Alt")
    blank.mouse.wheel(0, -200)
    blank.keyboard.up("Alt")
    blank.wait_for_function("() => chart.view !== null")


def test_the_keyboard_reads_zooms_and_opens(blank: Page) -> None:
    make(blank, [{"type": "line", "name": "square", "data": RISING}])
    area = blank.locator(".chart-area")
    area.focus()
    area.press("Home")
    area.press("ArrowRight")
    area.press("ArrowRight")
    expect(blank.locator(".chart-tip b")).to_have_text("2")
    expect(blank.locator("[aria-live=polite].chart-said")).to_have_text("2; square 4.0")
    area.press("Enter")
    area.press("+")
    blank.wait_for_function("() => chart.view !== null")
    area.press("0")
    blank.wait_for_function("() => chart.view === null")
    area.press("End")
    area.press("Enter")
    assert blank.evaluate("() => told") == [["pick", 2], ["pick", 100]]


def test_a_rule_is_dragged_by_pointer_and_keyboard(blank: Page) -> None:
    make(
        blank,
        [
            {"type": "line", "data": [{"x": 0, "y": 0}, {"x": 1, "y": 100}]},
            {"type": "rule", "y": 50, "name": "buy", "grain": 5, "draggable": True},
        ],
    )
    grip = blank.locator(".grip")
    expect(grip).to_have_role("slider")
    grip.focus()
    for _ in range(3):
        blank.keyboard.press("ArrowUp")
    expect(grip).to_have_attribute("aria-valuetext", "65.0")
    expect(grip).to_be_focused()  # although it was drawn anew
    blank.keyboard.press("Enter")
    assert blank.evaluate("() => told") == [["drag", 65]]
    expect(grip).to_have_attribute("aria-valuenow", "50")  # whoever draws the orders decides where it stands
    box = grip.bounding_box()
    assert box is not None
    blank.mouse.move(box["x"] + 200, box["y"] + box["height"] / 2)
    blank.mouse.down()
    blank.mouse.move(box["x"] + 200, box["y"] + box["height"] / 2 - 40, steps=3)
    blank.evaluate("() => chart.show(chart.layers.map(({ layer }) => layer))")  # data that come meanwhile do not end it
    blank.mouse.up()
    what, value = blank.evaluate("() => told[1]")
    assert what == "drag"
    assert value > 60
    assert value % 5 == 0
