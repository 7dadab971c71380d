"""The page without a mouse: Tab reaches every control, the focus is seen, Ctrl+Enter makes."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visits
from tests.ui.test_page import PHONE, choose_size, newest_job, open_story
from tests.ui.walk import WIDE, each_tab, settle

pytestmark = pytest.mark.browser

# A radio group is one stop. Gradio keeps a hidden copy of its tabs to measure them.
_HELPERS = """
window.keyboard = {
  controls: () => [...document.querySelectorAll(
    `a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls],
     [contenteditable=true], [role=button], [role=slider], [tabindex="0"]`)].filter(one =>
    one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !one.disabled && !one.closest("[aria-hidden=true], [inert]")),
  look: one => [one, one.parentElement, one.closest(".wrap") ?? one].map(part => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(part);
    return outlineStyle === "none" ? boxShadow : `${outlineWidth} ${outlineColor} ${boxShadow}`;
  }).join("; "),
  covered: one => {
    const { left, top, width, height } = one.getBoundingClientRect();
    const there = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 20));
    return !!there?.closest(".actions") && !one.closest(".actions");
  },
}
"""
_MARK = """() => keyboard.controls().map((one, n) => {
  one.dataset.stop = one.type === "radio" ? one.name : n;
  return [one.dataset.stop, keyboard.look(one), one.outerHTML.slice(0, 160)];
})"""
_FOCUSED = """() => {
  const one = document.activeElement;
  return [one.dataset.stop ?? "", keyboard.look(one), keyboard.covered(one)];
}"""


@dataclass(frozen=True)
class Stops:
    """Where Tab went on one tab of the page, as bits of HTML."""

    reached: int
    missed: list[str]
    unmarked: list[str]
    """Those that look the same with the focus and without."""
    covered: list[str]
    """Those that lay behind the bar that is fixed at a phone's foot."""


def walk_by_tab(page: Page) -> Stops:
    """Press Tab from the top until it comes round."""
    page.evaluate(_HELPERS)
    page.evaluate("document.activeElement.blur()")
    marked = page.evaluate(_MARK)
    html = {stop: told for stop, _, told in marked}
    looks = {stop: {look for other, look, _ in marked if other == stop} for stop in html}
    start = "document.body.tabIndex = -1, document.body.focus()"
    page.evaluate(f"{start}, document.body.removeAttribute('tabindex')")
    seen: dict[str, tuple[str, bool]] = {}
    for _ in range(2 * len(html)):
        page.keyboard.press("Tab")
        stop, look, covered = page.evaluate(_FOCUSED)
        if stop in seen:
            break
        if stop:
            seen[stop] = (look, covered)
    return Stops(
        reached=len(seen),
        missed=[told for stop, told in html.items() if stop not in seen],
        unmarked=[html[stop] for stop, (look, _) in seen.items() if look in looks[stop]],
        covered=[html[stop] for stop, (_, covered) in seen.items() if covered],
    )


@pytest.mark.parametrize("size", [{"width": WIDE, "height": 900}, PHONE], ids=["wide", "phone"])
def test_tab_reaches_every_control_and_shows_where_it_is(
    visits: Visits, size: dict[str, int]
) -> None:
    page = visits.open(**size)
    page.emulate_media(reduced_motion="reduce")
    for name in each_tab(page):
        stops = walk_by_tab(page)
        assert stops.reached > 5, name
        assert (stops.missed, stops.unmarked, stops.covered) == ([], [], []), name


def test_a_focus_without_a_mark_is_found(visits: Visits) -> None:
    page = visits.open()
    page.emulate_media(reduced_motion="reduce")
    page.add_style_tag(content="* { outline: none !important; box-shadow: none !important; }")
    page.evaluate("document.querySelector('#image-generate').tabIndex = -1")
    settle(page)
    stops = walk_by_tab(page)
    assert len(stops.unmarked) == stops.reached
    assert any("image-generate" in html for html in stops.missed)


def test_ctrl_enter_makes_the_story_with_what_was_typed_last(visits: Visits) -> None:
    page = visits.open()
    open_story(page)
    choose_size(page, "story")
    page.locator(".scene-text textarea").last.fill("and they slept")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#story-result video")).to_be_visible()
    assert newest_job(visits.studio).request.scenes[-1] == "and they slept"
