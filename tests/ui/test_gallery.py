"""The gallery in headless Chromium, as the holders of different keys use it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.keys import Keyring, read_secret
from app import create_app
from engine import Engine, Job, Settings
from tests.server import in_a_loop, running, wait_until_ready
from tests.stub_sampler import open_production
from tests.ui.conftest import SCREENSHOTS, Studio
from tests.work import image, story, until
from ui.gallery_tab import PAGE, build_gallery_tab
from ui.image_tab import build_image_tab

pytestmark = pytest.mark.browser

KEYS = [f"the-key-of-{name}" for name in ("alice", "bob", "carol", "dave", "erin", "frank", "eve")]
ALICE, BOB, CAROL, DAVE, ERIN, FRANK, EVE = KEYS
PHONE = {"width": 390, "height": 844}
GRID = "#gallery-grid button.thumbnail-item"
Make = Callable[..., Job]
Enter = Callable[..., Page]


def settings_of(model: Path, data_dir: Path) -> Settings:
    return Settings.model_validate(
        {"model": str(model), "data_dir": data_dir, "dtype": "float32", "api_key": KEYS}
    )


def owner_of(engine: Engine, key: str) -> str | None:
    return Keyring(KEYS, read_secret(engine.settings.data_dir)).owner_of_key(key)


@pytest.fixture(scope="module")
def locked(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The real app with a key for each test, so that none sees what another made."""
    settings = settings_of(tiny_model, tmp_path_factory.mktemp("data"))
    app = in_a_loop(lambda: create_app(settings))
    with running(app) as url:
        wait_until_ready(url)
        yield Studio(url, app.state.engine)


@pytest.fixture
def make(locked: Studio) -> Make:
    """Have something made in the name of a key."""

    def submit(key: str, request: Any) -> Job:
        job = locked.engine.submit(request, owner=owner_of(locked.engine, key))
        assert job.wait(60)
        assert job.result().path.is_file()
        return job

    return submit


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[list[BrowserContext]]:
    contexts: list[BrowserContext] = []
    yield contexts
    for context in contexts:
        context.close()


@pytest.fixture
def enter(chromium: Browser, locked: Studio, contexts: list[BrowserContext]) -> Iterator[Enter]:
    """Open the gallery as a new browser with a key."""
    broken: list[str] = []

    def come_in(key: str, url: str = locked.page_url, scheme: str = "light", **size: int) -> Page:
        context = chromium.new_context(
            viewport={"width": 1280, "height": 900, **size},  # type: ignore[typeddict-item]
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(url)
        page.get_by_label("This service needs a key").fill(key)
        page.get_by_role("button", name="Come in").click()
        open_tab(page, "Gallery")
        return page

    yield come_in
    assert broken == []


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def show(page: Page, kind: str) -> None:
    page.locator("#gallery-kind").get_by_text(kind, exact=True).click()


def test_what_is_made_appears_and_can_be_filtered_and_opened(enter: Enter, make: Make) -> None:
    page = enter(ALICE)
    expect(page.locator("#gallery-nothing")).to_contain_text("No pictures and stories yet")
    expect(page.locator("#gallery-nothing")).to_contain_text("kept for 30 days")
    picture = make(ALICE, image("a <b>fox</b>", width=512, height=256))
    make(ALICE, story(3, hero_description="a knight"))
    open_tab(page, "Image")
    open_tab(page, "Gallery")
    expect(page.locator(GRID)).to_have_count(2)
    expect(page.locator(".caption-label").first).to_have_text("▶ 1.3 s · a knight")
    show(page, "Stories")
    expect(page.locator(GRID)).to_have_count(1)
    page.click(GRID)
    expect(page.locator("#gallery-video video")).to_be_visible()
    expect(page.locator("#gallery-facts")).to_contain_text("3 scenes · 13 frames")
    expect(page.locator("#gallery-recipe textarea")).to_have_value(
        "a knight\n1. a scene\n2. a scene\n3. a scene"
    )
    show(page, "Pictures")
    expect(page.locator(".caption-label")).to_have_text(["a <b>fox</b>"])
    page.click(GRID)
    shown = page.locator("#gallery-image img")
    expect(shown).to_be_visible()
    expect(page.locator("#gallery-video")).to_be_hidden()
    assert shown.evaluate("img => img.naturalWidth") == 512
    assert page.locator(f"{GRID} img").evaluate("img => img.naturalWidth") == 320
    expect(page.locator("#gallery-facts")).to_contain_text(f"512 × 256 · seed {picture.seed}")


def test_the_settings_of_a_picture_are_used_again(enter: Enter, make: Make) -> None:
    job = make(BOB, image("a cat on a roof", format="webp", num_inference_steps=11))
    page = enter(BOB)
    page.click(GRID)
    page.click("#gallery-reuse")
    expect(page.locator("#image-generate")).to_be_visible()
    expect(page.locator("#image-prompt textarea")).to_have_value("a cat on a roof")
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    expect(page.locator("#image-seed textarea, #image-seed input")).to_have_value(str(job.seed))
    page.click("#image-generate")
    expect(page.locator("#image-recipe textarea")).to_be_visible()
    open_tab(page, "Gallery")
    expect(page.locator(GRID)).to_have_count(2)
    page.locator(GRID).first.click()
    with page.expect_download() as started:
        page.click("#gallery-download")
    assert Path(started.value.path()).read_bytes() == job.result().path.read_bytes()


def test_the_settings_of_a_story_lead_to_its_tab(enter: Enter, make: Make) -> None:
    job = make(BOB, story(2))
    page = enter(BOB)
    show(page, "Stories")
    expect(page.locator(GRID)).to_have_count(1)
    page.click(GRID)
    expect(page.locator("#gallery-video video")).to_be_visible()
    with page.expect_download() as started:
        page.click("#gallery-download")
    assert Path(started.value.path()).read_bytes() == job.result().path.read_bytes()
    page.click("#gallery-reuse")
    expect(page.locator("#story-generate")).to_be_visible()


def test_a_story_can_be_used_again_and_again(
    make_engine: Callable[..., Engine],
    monkeypatch: pytest.MonkeyPatch,
    chromium: Browser,
    contexts: list[BrowserContext],
) -> None:
    """What `build_gallery_tab` returns changes each time, also for the same story."""
    monkeypatch.setattr(Engine, "_open_drawer", open_production())
    engine = make_engine()
    job = engine.submit(story(2, seed=40))
    assert job.wait(60)
    told: list[str] = []

    def build() -> FastAPI:
        with gr.Blocks() as blocks, gr.Tabs() as tabs:
            with gr.Tab("Image", id="image"):
                form = build_image_tab(engine)
            with gr.Tab("Video story", id="story"):
                count = gr.Textbox(elem_id="count")
            with gr.Tab("Gallery") as tab:
                reused = build_gallery_tab(engine, tab, tabs, form)
            reused.change(lambda text: told.append(text) or str(len(told)), reused, count)
        return gr.mount_gradio_app(FastAPI(), blocks, "/")

    with running(in_a_loop(build)) as url:
        contexts.append(chromium.new_context())
        page = contexts[-1].new_page()
        page.goto(url)
        for count in ("1", "3"):
            open_tab(page, "Gallery")
            page.click(GRID)
            page.click("#gallery-reuse")
            expect(page.locator("#count textarea, #count input")).to_have_value(count)
        page.close()
    assert told == [job.id, "", job.id]


def test_deleting_asks_first(enter: Enter, make: Make) -> None:
    job, other = make(CAROL, image("to go")), make(CAROL, image("to stay"))
    page = enter(CAROL)
    page.locator(GRID).nth(1).click()
    page.click("#gallery-delete")
    page.click("#gallery-keep")
    expect(page.locator("#gallery-download")).to_be_visible()
    expect(page.locator("#gallery-really")).to_be_hidden()
    assert job.result().path.is_file()
    pictures = page.locator(f"{GRID}.selected img, #gallery-image img").all()
    sources = [picture.get_attribute("src") for picture in pictures]
    assert [page.request.get(source or "").ok for source in sources] == [True, True]
    page.click("#gallery-delete")
    page.click("#gallery-really")
    expect(page.locator(".caption-label")).to_have_text(["to stay"])
    expect(page.locator("#gallery-piece")).to_be_hidden()
    assert [page.request.get(source or "").ok for source in sources] == [False, False]
    assert not job.result().path.parent.exists()
    assert other.result().path.is_file()


def test_what_went_meanwhile_is_explained(enter: Enter, make: Make, locked: Studio) -> None:
    job = make(DAVE, image())
    page = enter(DAVE)
    expect(page.locator(GRID)).to_have_count(1)
    answer = page.request.delete(f"{locked.url}/jobs/{job.id}/result")
    assert answer.status == 204
    page.click(GRID)
    expect(page.locator("#gallery-hint [role=alert]")).to_contain_text("no longer there")
    expect(page.locator(GRID)).to_have_count(0)
    expect(page.locator("#gallery-nothing")).to_be_visible()


def test_there_is_more_to_show(enter: Enter, make: Make) -> None:
    for number in range(PAGE + 2):
        make(ERIN, image(str(number)))
    page = enter(ERIN)
    expect(page.locator(GRID)).to_have_count(PAGE)
    page.click("#gallery-more")
    expect(page.locator(GRID)).to_have_count(PAGE + 2)
    expect(page.locator("#gallery-more")).to_be_hidden()
    expect(page.locator(".caption-label").last).to_have_text("0")
    page.locator(GRID).last.click()
    expect(page.locator("#gallery-recipe textarea")).to_have_value(re.compile(r"^0\n"))


def test_another_key_sees_nothing_of_it(enter: Enter, make: Make, locked: Studio) -> None:
    make(FRANK, image())
    mine, other = enter(FRANK), enter(EVE)
    mine.click(GRID)
    for picture in (f"{GRID} img", "#gallery-image img"):
        source = mine.locator(picture).get_attribute("src") or ""
        assert mine.request.get(source).headers["content-type"].startswith("image/")
        assert other.request.get(source).status == 404
    expect(other.locator("#gallery-nothing")).to_be_visible()
    expect(other.locator(GRID)).to_have_count(0)


def test_it_is_all_there_after_a_restart(
    enter: Enter, make_engine: Callable[..., Engine], tiny_model: Path, tmp_path: Path
) -> None:
    settings = settings_of(tiny_model, tmp_path / "kept")
    first = make_engine(**settings.model_dump(include={"model", "data_dir"}))
    owner = owner_of(first, ALICE)
    jobs = [first.submit(image(prompt), owner=owner) for prompt in ("one", "two")]
    until(lambda: all(job.state.is_terminal for job in jobs), 60)
    first.close()
    app = in_a_loop(lambda: create_app(settings))
    with running(app) as url:
        page = enter(ALICE, f"{url}/ui/")
        expect(page.locator(".caption-label")).to_have_text(["two", "one"])
        page.locator(GRID).last.click()
        expect(page.locator("#gallery-image img")).to_be_visible()
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_gallery_for_eyes(enter: Enter, make: Make, width: int, scheme: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    make(EVE, image("a very long prompt " * 9))
    page = enter(EVE, width=width, scheme=scheme)
    grid = page.locator(GRID)
    expect(grid.first).to_be_visible()
    page.screenshot(path=SCREENSHOTS / f"gallery-{width}-{scheme}.png")
    grid.first.click()
    expect(page.locator("#gallery-image img")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / f"gallery-open-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#gallery-delete").click(trial=True)
    if width == PHONE["width"]:
        page.click("#gallery-close")
        expect(page.locator("#gallery-piece")).to_be_hidden()
    grid.first.click(trial=True)
