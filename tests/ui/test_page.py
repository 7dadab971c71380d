"""The page in headless Chromium, as a visitor uses it."""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine import Engine, JobState, Settings
from engine.metadata import read_recipe
from tests.server import running
from tests.ui.conftest import SCREENSHOTS, Studio, Visits, build_studio
from tests.ui.walk import each_tab, settle

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SCROLLED = [f"scrollTo(0, {share} * document.body.scrollHeight)" for share in (0, 0.1, 0.2, 0.3, 1)]


def choose_size(page: Page, tab: str, size: str = "64x64") -> None:
    field = page.locator(f"#{tab}-size input")
    if not field.is_visible():
        page.get_by_role("button", name="More settings").locator("visible=true").click()
    field.fill(size)
    field.press("Enter")


def open_story(page: Page, sample: str = "The old wizard") -> None:
    page.get_by_role("tab", name="Video story").click()
    page.get_by_role("button", name=sample).click()
    expect(page.locator(".scene-text textarea").first).not_to_have_value("")


def scene_texts(page: Page) -> list[str]:
    return page.locator(".scene-text textarea").evaluate_all("all => all.map(one => one.value)")


def expect_scenes(page: Page, expected: list[str]) -> None:
    until = time.monotonic() + 15
    while scene_texts(page) != expected:
        assert time.monotonic() < until, f"{scene_texts(page)} is not {expected}"
        page.wait_for_timeout(50)


def download(page: Page, button: str) -> Path:
    with page.expect_download() as started:
        page.click(button)
    return Path(started.value.path())


def newest_job(studio: Studio):
    return next(reversed(studio.engine._jobs.values()))


def seen_progress(page: Page, bar: str, ended: Callable[[], bool]) -> list[str]:
    """Every different text the progress bar showed until `ended`."""
    texts: list[str] = []
    while not ended():
        text = page.locator(f"{bar} .words").all_inner_texts()
        texts += [t for t in text if t not in texts[-1:]]
        page.wait_for_timeout(30)
    return texts


def test_a_picture_from_an_example(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    page.get_by_role("button", name="Moon walk").click()
    expect(page.locator("#image-prompt textarea")).not_to_have_value("")
    choose_size(page, "image")
    page.click("#image-generate")
    expect(page.locator("#image-cancel")).to_be_visible()
    expect(page.locator("#image-generate")).to_be_disabled()
    recipe = page.locator("#image-recipe textarea")
    seen = seen_progress(page, "#image-progress", recipe.is_visible)
    assert any(" of 25" in text and "left" in text for text in seen), seen
    expect(page.locator("#image-cancel")).to_be_hidden()
    expect(page.locator("#image-generate")).to_be_enabled()
    with Image.open(download(page, "#image-download")) as image:
        made = read_recipe(image)
    assert (made.width, made.prompt) == (64, "an astronaut jumping on the moon among the stars")
    assert f"Seed: {made.seed}" in recipe.input_value()


def test_a_kept_seed_gives_the_same_picture(visits: Visits) -> None:
    page = visits.open()
    page.fill("#image-prompt textarea", "a fox")
    choose_size(page, "image")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#image-recipe textarea")).to_be_visible()
    first = download(page, "#image-download").read_bytes()
    page.click("#keep-seed")
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    expect(page.locator("#image-seed textarea, #image-seed input")).not_to_have_value("")
    before = newest_job(visits.studio)
    page.click("#image-generate")
    while newest_job(visits.studio) is before or not newest_job(visits.studio).wait(0):
        page.wait_for_timeout(50)
    expect(page.locator("#image-cancel")).to_be_hidden()
    again = newest_job(visits.studio).result()
    assert again.seed == before.seed
    with Image.open(BytesIO(first)) as one, Image.open(again.path) as two:
        assert read_recipe(one) == read_recipe(two)
        assert one.tobytes() == two.tobytes()


def test_bad_input_is_explained_and_kept(visits: Visits) -> None:
    page = visits.open()
    before = len(visits.studio.engine._jobs)
    page.click("#image-generate")
    expect(page.locator("#image-progress [role=alert]")).to_contain_text("must not be blank")
    page.fill("#image-prompt textarea", "a <b>fox</b>")
    choose_size(page, "image", "65x64")
    page.click("#image-generate")
    expect(page.locator("#image-progress [role=alert]")).to_contain_text("multiple of 8")
    assert page.input_value("#image-prompt textarea") == "a <b>fox</b>"
    assert len(visits.studio.engine._jobs) == before


def test_scenes_are_added_removed_and_moved(visits: Visits) -> None:
    page = visits.open()
    open_story(page)
    one, two, three = scene_texts(page)
    page.locator(".scene .down").nth(0).click()
    expect_scenes(page, [two, one, three])
    page.click("#add-scene")
    expect_scenes(page, [two, one, three, ""])
    page.locator(".scene-text textarea").nth(3).fill("the end")
    page.locator(".scene .up").nth(3).click()
    expect_scenes(page, [two, one, "the end", three])
    page.locator(".scene .remove").nth(1).click()
    expect_scenes(page, [two, "the end", three])
    page.locator(".scene .remove").nth(0).click()
    expect_scenes(page, ["the end", three])
    expect(page.locator(".scene .remove").nth(0)).to_be_disabled()


def test_the_summary_follows_every_control(visits: Visits) -> None:
    page = visits.open()
    open_story(page)
    summary = page.locator("#story-summary")
    expect(summary).to_contain_text("240")
    expect(summary).to_contain_text("10 s")
    page.fill("#story-duration_per_scene input", "4")
    expect(summary).to_contain_text("312")
    page.fill("#story-transition_frames input", "0")
    expect(summary).to_contain_text("288")
    page.fill("#story-fps input", "30")
    expect(summary).to_contain_text("360")
    page.click("#add-scene")
    expect(summary).to_contain_text("480")
    expect(summary).to_contain_text("1 of 4 scenes still to write")
    page.fill("#story-fps input", "99")
    expect(summary).to_contain_text("Frames a second: must be less than or equal to 60")


def test_a_story_with_progress_by_scene(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    open_story(page)
    choose_size(page, "story")
    page.click("#story-generate")
    expect(page.locator("#story-cancel")).to_be_visible()
    page.click("#add-scene")  # the list may be redrawn while a story is made
    video = page.locator("#story-result video")
    seen = seen_progress(page, "#story-progress", video.is_visible)
    for scene in (1, 2, 3):
        assert any(f"Scene {scene} of 3, step" in text for text in seen), seen
    expect(page.locator("#story-facts")).to_contain_text("3 scenes · 240 frames · 10 s")
    expect(page.locator(".still.drawn img")).to_have_count(3)
    assert download(page, "#story-download").read_bytes()[4:8] == b"ftyp"
    assert download(page, "#story-poster").read_bytes()[:2] == b"\xff\xd8"
    page.wait_for_function("document.querySelector('#story-result video').videoWidth === 64")


def test_a_story_is_cancelled_midway(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    open_story(page)
    choose_size(page, "story")
    page.click("#story-generate")
    expect(page.locator("#story-progress")).to_contain_text("Scene 2 of 3, step")
    page.click("#story-cancel")
    pressed = time.monotonic()
    job = newest_job(visits.studio)
    assert job.wait(5)
    assert time.monotonic() - pressed < 2
    assert job.state is JobState.CANCELLED
    expect(page.locator("#story-progress")).to_contain_text("Cancelled.")
    expect(page.locator("#story-generate")).to_be_enabled()
    expect(page.locator("#story-cancel")).to_be_hidden()
    page.click("#story-generate")
    expect(page.locator("#story-result video")).to_be_visible()


def test_who_closes_the_page_keeps_the_work(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    page.fill("#image-prompt textarea", "a fox")
    choose_size(page, "image")
    page.click("#image-generate")
    expect(page.locator("#image-progress")).to_contain_text(" of 25")
    job = newest_job(visits.studio)
    page.close()
    assert job.wait(30)
    assert job.state is JobState.SUCCEEDED


def test_two_visitors_do_not_meet(visits: Visits, slow_steps: list[float]) -> None:
    first, second = visits.open(), visits.open()
    open_story(first, "The cave")
    open_story(second, "A day of views")
    assert scene_texts(first)[0].startswith("standing at the entrance")
    assert scene_texts(second)[0].startswith("a peaceful sunrise")
    for page in (first, second):
        choose_size(page, "story")
        page.click("#story-generate")
    expect(second.locator("#story-progress")).to_contain_text("Next in line")
    files = []
    for page in (first, second):
        video = page.locator("#story-result video")
        expect(video).to_be_visible()
        files.append(page.request.get(video.get_attribute("src")).body())
    *_, cave, views = visits.studio.engine._jobs.values()
    assert "adventurer" in cave.request.hero_description
    assert files == [job.result().path.read_bytes() for job in (cave, views)]


def test_the_info_tab_tells_the_plan_the_engine_and_the_code(visits: Visits) -> None:
    page = visits.open()
    open_story(page)
    page.get_by_role("tab", name="Info").click()
    expect(page.locator("#timeline img")).to_be_visible()
    expect(page.locator("#plan-numbers")).to_contain_text("240 frames, 10 s")
    facts = page.locator("#engine-facts")
    for text in ("a folder named with --model", "cpu, float32", "torch"):
        expect(facts).to_contain_text(text)
    expect(page.locator("#code-curl")).to_contain_text(f"{visits.studio.url}/generate")
    page.get_by_text("A story video", exact=True).click()
    expect(page.locator("#code-curl")).to_contain_text("/generate-video")
    expect(page.locator("#code-curl")).to_contain_text("snowy forest")


def test_without_a_model_the_page_tells_the_remedy(
    visits: Visits, make_settings: Callable[..., Settings]
) -> None:
    engine = Engine(make_settings(model="/nowhere"))
    with running(build_studio(engine)) as url:
        page = Visits(visits.chromium, Studio(url, engine), contexts=visits.contexts).open()
        expect(page.locator("#notices [role=alert]")).to_contain_text("--model")
        page.fill("#image-prompt textarea", "a fox")
        page.click("#image-generate")
        expect(page.locator("#image-progress [role=alert]")).to_contain_text("does not exist")
        assert page.input_value("#image-prompt textarea") == "a fox"


def test_on_a_phone_nothing_scrolls_sideways_and_generate_is_at_hand(visits: Visits) -> None:
    page = visits.open(**PHONE)
    open_story(page)
    generates = 0
    for name in each_tab(page):
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], name
        button = page.locator("button.generate:visible")
        if button.count():
            generates += 1
            for place in SCROLLED:
                page.evaluate(place)
                expect(button).to_be_in_viewport(ratio=1)
                button.click(trial=True)  # nothing lies over it
    assert generates == 2
    expect(page.locator("#timeline img")).to_be_visible()


def test_the_api_page_opens(visits: Visits) -> None:
    page = visits.open()
    page.goto(f"{visits.studio.page_url}?view=api")
    for name in ("/generate_image", "/generate_video", "/video_info", "/health"):
        expect(page.get_by_text(name, exact=True).first).to_be_attached()


def test_no_part_of_the_page_asks_another_host(visits: Visits) -> None:
    page = visits.open()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    assert len(list(each_tab(page))) >= 3
    for view in ("api", "settings"):
        page.goto(f"{visits.studio.page_url}?view={view}")
        page.wait_for_selector("#image-prompt textarea")
        settle(page)
    assert len(seen) > 20, "the visits' own watch saw too little"
    assert visits.foreign == []
    page.evaluate("fetch('http://127.0.0.2:9/', { mode: 'no-cors' }).catch(() => 0)")
    assert visits.foreign == ["http://127.0.0.2:9/"], "a request elsewhere is not seen"
    visits.foreign.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_screenshots_for_eyes(visits: Visits, width: int, scheme: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page = visits.open(width=width, height=900, scheme=scheme)

    def shoot(name: str) -> None:
        page.wait_for_timeout(400)
        path = SCREENSHOTS / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=path, full_page=width > 600)

    page.get_by_role("button", name="Moon walk").click()
    choose_size(page, "image", "256x256")
    page.click("#image-generate")
    expect(page.locator("#image-recipe textarea")).to_be_visible()
    shoot("image")
    open_story(page)
    choose_size(page, "story", "64x64")
    page.click("#story-generate")
    expect(page.locator(".still.drawn img")).to_have_count(3)
    shoot("story")
    page.get_by_role("tab", name="Info").click()
    expect(page.locator("#timeline img")).to_be_visible()
    shoot("info")


@pytest.mark.parametrize("docs", ["/docs", "/redoc"])
def test_the_docs_show_the_routes_and_reach_no_other_host(visits: Visits, docs: str) -> None:
    context = visits.chromium.new_context()
    visits.contexts.append(context)
    page = context.new_page()
    answered: list[str] = []
    # Redoc asks for a logo elsewhere; the page's policy stops that before it leaves the browser.
    page.on("response", lambda response: answered.append(response.url))
    blocked: list[str] = []
    page.on("requestfailed", lambda request: blocked.append(str(request.failure)))
    page.goto(visits.studio.url + docs)
    expect(page.get_by_text("Generate a story video").locator("visible=true").first).to_be_visible()
    page.wait_for_timeout(1000)
    assert all(url.startswith((visits.studio.url, "data:", "blob:")) for url in answered)
    assert all("csp" in failure for failure in blocked)
