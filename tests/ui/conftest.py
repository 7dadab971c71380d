"""The whole service on a tiny model, and a headless Chromium to visit its page with."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api import build_api
from engine import Engine, Settings
from tests.pacing import pace_steps
from tests.server import in_a_loop, running, wait_until_ready
from ui import mount_ui

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@dataclass(frozen=True)
class Studio:
    """A running service: where it answers, and the engine inside it."""

    url: str
    engine: Engine

    @property
    def page_url(self) -> str:
        return f"{self.url}/ui/"


def build_studio(engine: Engine) -> FastAPI:
    """The app with both faces; closes the engine when it shuts down."""
    return in_a_loop(lambda: mount_ui(build_api(engine), engine))


@pytest.fixture(scope="package")
def studio(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The service on the tiny model, ready."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = {"model": str(tiny_model), "data_dir": data_dir, "dtype": "float32"}
    engine = Engine(Settings.model_validate(settings))
    with running(build_studio(engine)) as url:
        wait_until_ready(url)
        yield Studio(url, engine)


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make every denoising step take 60 ms more; returns the times at which steps ended."""
    return pace_steps(monkeypatch, 0.06)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Headless Chromium or Chrome; without one the test is skipped, in CI it fails.

    Not for longer than a module: playwright keeps an event loop running meanwhile.
    """
    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if executable is None:
        reason = f"no browser found on PATH, tried: {', '.join(_BROWSERS)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Visits:
    """Opens pages of the studio as separate visitors, and watches what they ask for."""

    chromium: Browser
    studio: Studio
    foreign: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, *, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
        """Open the page as a new visitor and wait until it can be used."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.goto(self.studio.page_url)
        page.wait_for_selector("#image-prompt textarea")
        page.wait_for_selector(".masthead .pill")
        return page

    def _note(self, url: str) -> None:
        if not url.startswith((self.studio.url, "data:", "blob:")):
            self.foreign.append(url)


@pytest.fixture
def visits(chromium: Browser, studio: Studio) -> Iterator[Visits]:
    """Visits whose pages break nowhere and ask no other host for anything."""
    visits = Visits(chromium, studio)
    yield visits
    for context in visits.contexts:
        context.close()
    assert visits.foreign == []
    assert visits.broken == []
