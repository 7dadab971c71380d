"""How fast the page paints and can be used, against a bare Gradio page with the same components.

Both are served by uvicorn in processes of their own and visited in turn by one browser, each time
with an empty cache. The bare page has no scenes, which ours draws once it stands. Needs Chromium.
"""

import logging
import shutil
import statistics
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

from benchmarks.extents import extent
from benchmarks.servers import IDLE, served
from benchmarks.turns import ratio

logger = logging.getLogger(__name__)

ROUNDS = extent("rounds", 15, 1)
BARE = (sys.executable, "-m", "benchmarks.bare")
QUIET_MS = 1000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The first primary button in sight that is not disabled: Generate, on both pages.
_WATCH = """
window.usable = new Promise(resolve => (function look() {
  const button = document.querySelector("button.primary:not(:disabled)");
  button?.checkVisibility() ? resolve(performance.now()) : requestAnimationFrame(look);
})());
"""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@dataclass(frozen=True)
class Visit:
    """One load of a page with nothing in the cache."""

    paint_ms: float
    usable_ms: float
    requests: int
    bytes: int


def measure() -> dict[str, Any]:
    """Visit both pages in turn."""
    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with (
        served(IDLE, ready="/health") as ours,
        served(BARE, ready="/ui/") as bare,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        seen: dict[str, list[Visit]] = {"bare": [], "ours": []}
        for number in range(ROUNDS + 1):
            logger.info("round %d of %d", number, ROUNDS)
            turn = [("bare", bare), ("ours", ours)][:: -1 if number % 2 else 1]
            pair = {name: visit(browser, at.url) for name, at in turn}
            if number:  # the first warms both servers up
                for name, one in pair.items():
                    seen[name].append(one)
        chromium = browser.version
        browser.close()
    names = ("gradio", "fastapi", "uvicorn", "playwright")
    return {
        "versions": {**{name: version(name) for name in names}, "chromium": chromium},
        "rounds": ROUNDS,
        **{name: _told(visits) for name, visits in seen.items()},
        "first_paint_ratio": _ratio(seen, "paint_ms"),
        "usable_ratio": _ratio(seen, "usable_ms"),
    }


def visit(browser: Browser, url: str) -> Visit:
    """Load a page as a new visitor and wait until nothing more comes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sizes = _watch_bytes(context.new_cdp_session(page))
    page.add_init_script(_WATCH)
    page.goto(f"{url}/ui/")
    usable_ms = page.evaluate("window.usable")
    page.wait_for_timeout(QUIET_MS)
    paint_ms = page.evaluate(_PAINT)
    context.close()
    return Visit(paint_ms, usable_ms, len(sizes), sum(sizes))


def _watch_bytes(session: CDPSession) -> list[int]:
    """A list that grows by the size of every answer, as it came over the wire."""
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    session.send("Network.enable")
    return sizes


def _told(visits: list[Visit]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in ("paint_ms", "usable_ms"):
        values = [getattr(one, name) for one in visits]
        told[f"{name}_median"] = round(statistics.median(values), 1)
        told[f"{name}_spread"] = [round(min(values), 1), round(max(values), 1)]
    for name in ("requests", "bytes"):
        told[name] = round(statistics.median(getattr(one, name) for one in visits))
    return told


def _ratio(seen: dict[str, list[Visit]], name: str) -> dict[str, Any]:
    ours, bare = ([getattr(one, name) for one in seen[which]] for which in ("ours", "bare"))
    return ratio(ours, bare)
