"""The storyboard in a browser: every control of it, and nothing drawn twice."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import VideoRequest
from tests.pacing import pace_steps
from tests.ui.conftest import Studio, Visits
from tests.work import until

pytestmark = pytest.mark.browser
STEPS = 10


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which denoising steps ended."""
    return pace_steps(monkeypatch, 0.0)


@pytest.fixture
def page(visits: Visits) -> Page:
    """A page with a small story of three scenes."""
    return with_story(visits.open())


def with_story(page: Page, sample: str = "The cave") -> Page:
    page.get_by_role("tab", name="Video story").click()
    page.get_by_role("button", name=sample).click()
    expect(texts(page).first).not_to_have_value("")
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    page.fill("#story-size input", "64x64")
    page.press("#story-size input", "Enter")
    page.fill("#story-steps input[type=number]", str(STEPS))
    page.press("#story-steps input[type=number]", "Tab")
    page.fill("#story-duration_per_scene input", "0.5")
    expect(page.locator("#story-summary")).to_contain_text("64 × 64")
    expect(page.locator("#story-summary")).to_contain_text("2.5 s")
    return page


def texts(page: Page) -> Locator:
    return page.locator(".scene-text textarea")


def card(page: Page, number: int) -> Locator:
    return page.locator(".scene").nth(number - 1)


def drawn(page: Page) -> Locator:
    return page.locator(".still.drawn img")


def draw_storyboard(page: Page) -> None:
    page.click("#draw-storyboard")
    expect(drawn(page)).to_have_count(page.locator(".scene").count())
    expect(page.locator("#story-cancel")).to_be_hidden()


def make_video(page: Page) -> None:
    video = page.locator("#story-result video")
    before = video.get_attribute("src") if video.count() else ""
    page.click("#story-generate")
    expect(video).to_be_visible()
    expect(video).not_to_have_attribute("src", before or "")
    expect(page.locator("#story-generate")).to_be_enabled()


def sources(page: Page) -> list[str]:
    return drawn(page).evaluate_all("all => all.map(one => one.getAttribute('src'))")


def test_cards_fill_and_the_video_takes_what_is_there(page: Page, steps: list[float]) -> None:
    draw_storyboard(page)
    assert len(steps) == 3 * STEPS
    expect(page.locator("#story-summary")).to_contain_text("All pictures are there")
    steps.clear()
    make_video(page)
    assert steps == []
    expect(page.locator("#story-facts")).to_contain_text("3 scenes · 60 frames · 2.5 s")


def test_a_video_fills_the_cards_too(page: Page, steps: list[float]) -> None:
    make_video(page)
    expect(drawn(page)).to_have_count(3)
    assert len(steps) == 3 * STEPS


def test_one_scene_of_the_story_is_drawn_anew(page: Page, steps: list[float]) -> None:
    make_video(page)
    expect(drawn(page)).to_have_count(3)
    before = sources(page)
    steps.clear()
    card(page, 2).get_by_role("button", name="Redraw").click()
    expect(card(page, 2).locator(".drawn img")).not_to_have_attribute("src", before[1])
    after = sources(page)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    make_video(page)
    assert len(steps) == STEPS
    steps.clear()
    card(page, 1).locator(".scene-seconds textarea, .scene-seconds input").fill("1")
    expect(page.locator("#story-summary")).to_contain_text("3 s")
    make_video(page)
    expect(page.locator("#story-facts")).to_contain_text("72 frames")
    assert steps == []


def test_new_words_make_a_picture_stale_and_it_alone_is_drawn(
    page: Page, steps: list[float]
) -> None:
    draw_storyboard(page)
    steps.clear()
    texts(page).nth(1).fill("sailing over the ocean")
    expect(card(page, 2).locator(".still")).to_contain_text("Changed since")
    expect(page.locator("#story-summary")).to_contain_text("1 of 3 scenes are to be drawn")
    page.click("#draw-storyboard")
    expect(page.locator(".still.changed")).to_have_count(0)
    expect(drawn(page)).to_have_count(3)
    assert len(steps) == STEPS
    page.click("#draw-storyboard")
    expect(page.locator("#story-progress")).to_contain_text("Nothing to draw.")


def test_a_kept_seed_outlives_a_redraw(page: Page) -> None:
    draw_storyboard(page)
    field = card(page, 1).locator(".scene-seed textarea, .scene-seed input")
    expect(field).to_have_value("")
    card(page, 1).get_by_role("button", name="Keep seed").click()
    expect(field).to_have_value(re.compile(r"\d+"))
    seed = field.input_value()
    card(page, 1).get_by_role("button", name="Redraw").click()
    expect(page.locator("#story-cancel")).to_be_hidden()
    expect(field).to_have_value(seed)
    expect(page.locator(".still.changed")).to_have_count(0)


def test_a_duplicate_shares_its_picture(page: Page, steps: list[float]) -> None:
    draw_storyboard(page)
    steps.clear()
    card(page, 2).get_by_role("button", name="Duplicate").click()
    expect(page.locator(".scene")).to_have_count(4)
    expect(drawn(page)).to_have_count(4)
    until(lambda: sources(page)[1] == sources(page)[2])  # the cards below move down one by one
    make_video(page)
    assert steps == []


def test_a_scene_without_words_is_left_out_of_the_storyboard_and_refused_in_a_video(
    page: Page, steps: list[float]
) -> None:
    texts(page).nth(2).fill("")
    page.click("#draw-storyboard")
    expect(drawn(page)).to_have_count(2)
    page.click("#story-generate")
    expect(page.locator("#story-progress")).to_contain_text("Scene 3: must not be blank")
    card(page, 3).get_by_role("button", name="Redraw").click()
    expect(page.locator("#story-progress")).to_contain_text("This scene has no words yet.")
    assert len(steps) == 2 * STEPS


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    yield pace_steps(monkeypatch, 0.4)


def test_cards_show_what_is_being_drawn_and_cancel_ends_it(page: Page, slow: list[float]) -> None:
    page.click("#draw-storyboard")
    expect(card(page, 1).locator(".still.drawing img")).to_be_visible()
    expect(card(page, 1).locator("[role=progressbar]")).to_be_visible()
    expect(card(page, 2).locator(".still")).to_contain_text("In line")
    expect(page.locator("#story-progress")).to_contain_text("of 3 pictures drawn")
    page.click("#story-cancel")
    expect(page.locator("#story-cancel")).to_be_hidden()
    expect(card(page, 3).locator(".still")).to_contain_text("was cancelled")


def test_a_page_that_comes_back_finds_its_story(page: Page, slow: list[float]) -> None:
    page.click("#story-generate")
    expect(page.locator("#story-progress")).to_contain_text("Scene 1 of 3, step")
    page.reload()
    page.get_by_role("tab", name="Video story").click()
    expect(texts(page).first).to_have_value(re.compile("standing at the entrance"))
    expect(page.locator("#story-summary")).to_contain_text("64 × 64")
    expect(page.locator("#story-progress")).to_contain_text("of 3, step")
    expect(page.locator("#story-progress .left")).to_have_text(re.compile("about .* left"))
    expect(page.locator("#story-generate")).to_be_disabled()
    expect(page.locator("#story-result video")).to_be_visible()
    expect(drawn(page)).to_have_count(3)


def test_start_over_leaves_nothing_behind(page: Page) -> None:
    draw_storyboard(page)
    page.get_by_role("button", name="Start over").click()
    expect(texts(page).first).to_have_value("")
    expect(page.locator(".still.empty")).to_have_count(3)
    expect(page.locator("#story-hero textarea")).to_have_value("")


def test_undo_brings_the_story_back_that_was_replaced(page: Page) -> None:
    draw_storyboard(page)
    written = texts(page).first.input_value()
    page.get_by_role("button", name="Start over").click()
    expect(texts(page).first).to_have_value("")
    page.click("#story-undo")
    expect(texts(page).first).to_have_value(written)
    expect(drawn(page)).to_have_count(3)
    page.click("#story-undo")
    expect(texts(page).first).to_have_value("")


def test_nobody_sees_the_pictures_of_others(visits: Visits, page: Page) -> None:
    draw_storyboard(page)
    other = with_story(visits.open())
    expect(other.locator(".still.empty")).to_have_count(3)
    answer = other.request.get(f"{other.url}{sources(page)[0]}")
    assert answer.status == 404


def choose(page: Page, field: str, words: str) -> None:
    page.click(f"#story-{field} input")
    page.get_by_role("option", name=words, exact=True).click()


def test_transition_camera_and_captions_reach_the_video(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Transitions, camera, captions").click()
    choose(page, "transition", "Wipe")
    choose(page, "motion", "Slow zoom in")
    choose(page, "captions", "Subtitles that can be switched on")
    expect(page.locator("#story-summary .reel")).to_have_attribute(
        "aria-label", re.compile("wipe of 0.5 seconds")
    )
    make_video(page)
    source = page.locator("#story-result video").get_attribute("src") or ""
    found = re.search(r"jobs/([0-9a-f]{32})/video.mp4", source)
    assert found is not None
    request = studio.engine._archive.journal.get(found[1]).request  # type: ignore[union-attr]
    assert isinstance(request, VideoRequest)
    assert (request.transition, request.motion, request.captions) == (
        *("wipe", "zoom_in"),
        "subtitles",
    )
    page.click("#add-scene")
    expect(page.locator("#story-summary .reel .hold")).to_have_count(4)
    choose(page, "transition", "Cut")
    expect(page.locator("#story-summary .reel .transition")).to_have_count(0)
