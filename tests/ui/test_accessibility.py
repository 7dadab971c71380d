"""What axe-core finds on every tab: nothing grave beyond what a bare Gradio page has as well."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from benchmarks.bare import bare_page
from tests.movies import ffmpeg
from tests.server import in_a_loop, running
from tests.ui.axe import Finding, find
from tests.ui.conftest import SCREENSHOTS, Studio, Visits
from tests.ui.test_page import choose_size, open_story
from tests.ui.walk import WIDE, each_look, each_tab, settle
from ui import build_ui

pytestmark = pytest.mark.browser

TALL = 2600  # so that nothing lies behind the bar that is fixed at a phone's foot
Found = dict[str, list[Finding]]


@pytest.fixture(scope="module")
def bare_url(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bare page with our components, those for media filled and empty."""
    folder = tmp_path_factory.mktemp("media")
    picture, video = str(folder / "picture.png"), str(folder / "video.mp4")
    Image.new("RGB", (64, 64), "teal").save(picture)
    ffmpeg("-f", "lavfi", "-i", "color=teal:s=64x64:d=1", "-pix_fmt", "yuv420p", video)
    media = {gr.Image: picture, gr.Gallery: [picture, picture], gr.Video: video}

    def build() -> FastAPI:
        bare = bare_page(build_ui(studio.engine), media)
        return gr.mount_gradio_app(FastAPI(), bare, "/ui", ssr_mode=False)

    with running(in_a_loop(build)) as url:
        yield f"{url}/ui/"


@pytest.fixture(scope="module")
def bare(chromium: Browser, bare_url: str) -> Found:
    """What a bare page has, by tab and width; its colours do not matter here."""
    page = chromium.new_page(viewport={"width": WIDE, "height": TALL})
    page.goto(bare_url)
    page.wait_for_selector("[role=tab]")
    found = look_at_tabs(page, schemes=["light"])
    page.close()
    return found


def look_at_tabs(page: Page, **looks: Any) -> Found:
    """Find what every tab has, wide and narrow, light and dark."""
    return {
        f"{name} {look}": find(page)
        for name in each_tab(page)
        for look in each_look(page, height=TALL, **looks)
    }


def judge(name: str, found: Found, bare: Found) -> None:
    """Keep what was found for eyes, then refuse what is grave and ours.

    Raises:
        AssertionError: it tells what is ours, and what Gradio has by itself.
    """
    shapes = {finding.shape for findings in bare.values() for finding in findings}
    both = [(where, one) for where, findings in found.items() for one in findings]
    gradios = [(where, one) for where, one in both if one.is_gradios(shapes)]
    ours = [pair for pair in both if pair not in gradios]
    told = {
        "ours": [{"where": where, **asdict(one)} for where, one in ours],
        "gradios": [{"where": where, **asdict(one)} for where, one in gradios],
        "bare": Counter(f"{one.impact} {one.rule}" for all_ in bare.values() for one in all_),
    }
    SCREENSHOTS.mkdir(exist_ok=True)
    (SCREENSHOTS / f"axe-{name}.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    grave, listed = (
        [f"{where}: {one}" for where, one in pairs if one.grave] for pairs in (ours, gradios)
    )
    assert not grave, "\n".join(["ours:", *grave, "Gradio's own, on a bare page too:", *listed])


def test_no_tab_has_a_grave_finding_of_ours(visits: Visits, bare: Found) -> None:
    found = look_at_tabs(visits.open(height=TALL))
    assert len(found) == 16, "not every tab was seen"
    judge("tabs", found, bare)


def test_nor_have_faults_progress_and_results(
    visits: Visits, bare: Found, slow_steps: list[float]
) -> None:
    page = visits.open(height=TALL)
    found: Found = {}

    def look_at(what: str) -> None:
        looks = each_look(page, height=TALL, widths=[WIDE])
        found.update({f"{what} {look}": find(page) for look in looks})

    page.click("#image-generate")
    expect(page.locator("#image-progress [role=alert]")).to_be_visible()
    look_at("fault")
    page.fill("#image-prompt textarea", "a fox")
    choose_size(page, "image")
    page.click("#image-generate")
    expect(page.locator("#image-result img")).to_be_visible()
    look_at("picture")
    page.click("#image-more")
    expect(page.locator("#image-sheet .thumbnail-item")).to_have_count(5)
    expect(page.locator("#image-generate")).to_be_enabled()
    page.get_by_label("Drop a picture to load its settings").set_input_files(
        {"name": "plain.png", "mimeType": "image/png", "buffer": _plain_png()}
    )
    expect(page.locator("#image-dropped [role=alert]")).to_be_visible()
    look_at("sheet and drop")
    open_story(page)
    choose_size(page, "story")
    page.click("#story-generate")
    expect(page.locator("#story-progress [role=progressbar]")).to_be_visible()
    found["progress"] = find(page)  # while it moves
    expect(page.locator("#story-result video")).to_be_visible()
    look_at("story")
    page.get_by_role("tab", name="Gallery").click()
    page.locator("#gallery-grid button.thumbnail-item").first.click()
    expect(page.locator("#gallery-video video")).to_be_visible()
    look_at("piece")
    page.click("#gallery-delete")
    expect(page.locator("#gallery-really")).to_be_visible()
    look_at("doubt")
    judge("work", found, bare)


def _plain_png() -> bytes:
    """A picture that does not say how it was made."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


def test_what_is_wrong_is_found(visits: Visits) -> None:
    page = visits.open()
    settle(page)
    before = find(page)
    page.evaluate(
        """() => {
          document.querySelector(".masthead p").style.color = "#c8c0b8";
          document.querySelector("#image-generate").textContent = "";
          document.querySelector("[role=tab]").style.color = "#c8c0b8";
          document.querySelector("#image-prompt").style.setProperty(
            "--input-placeholder-color", "#c8c0b8");
        }"""
    )
    new = sorted((one.rule, one.shape[1]) for one in find(page) if one not in before)
    assert new == [
        ("button-name", "button"),
        *(("color-contrast", tag) for tag in ("button", "p", "textarea")),
    ]
