"""Through every tab of the page, whichever there are, with everything in them unfolded."""

from collections.abc import Iterator, Sequence
from typing import Literal

from playwright.sync_api import Page, expect

Scheme = Literal["light", "dark"]
WIDE, PHONE = 1280, 390
_SETTLES_MS = 150
_SHOWN = "one => one.checkVisibility({ visibilityProperty: true, opacityProperty: true })"


def tab_names(page: Page) -> list[str]:
    """The tabs of the page itself; not those inside of one."""
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    return [name.strip() for name in tabs.all_inner_texts()]


def each_tab(page: Page) -> Iterator[str]:
    """Open one tab after another with its accordions unfolded; yields their names."""
    for name in tab_names(page):
        open_tab(page, name)
        unfold(page)
        yield name


def open_tab(page: Page, name: str) -> None:
    """Open a tab and wait until what it asks of the service is there."""
    tab = page.get_by_role("tablist").first.get_by_role("tab", name=name, exact=True)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    settle(page)


def unfold(page: Page) -> None:
    """Unfold every accordion in sight."""
    folded = "button.label-wrap:not(.open)"
    page.locator(folded).evaluate_all(f"all => all.filter({_SHOWN}).forEach(one => one.click())")
    settle(page)


def each_look(
    page: Page,
    *,
    height: int,
    widths: Sequence[int] = (WIDE, PHONE),
    schemes: Sequence[Scheme] = ("light", "dark"),
) -> Iterator[str]:
    """Show the page in one look after another, wide before narrow; yields which it is."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            dark = "document.body.classList.contains('dark')"
            page.wait_for_function(f"{dark} === {str(scheme == 'dark').lower()}")
            settle(page)
            yield f"{width} {scheme}"


def settle(page: Page) -> None:
    """Wait until the page has not changed for a while."""
    page.evaluate(
        """quiet_ms => new Promise(resolve => {
          let timer = setTimeout(done, quiet_ms);
          const watch = new MutationObserver(() => {
            clearTimeout(timer);
            timer = setTimeout(done, quiet_ms);
          });
          function done() { watch.disconnect(); resolve(); }
          watch.observe(document.body, { childList: true, subtree: true });
        })""",
        _SETTLES_MS,
    )
