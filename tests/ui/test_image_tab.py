"""The image tab in headless Chromium: previews, more like this, a dropped picture."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from engine import Engine, Job, JobState, Settings
from engine.metadata import encode_image, read_recipe
from tests.pictures import draw_picture
from tests.server import running, wait_until_ready
from tests.test_metadata import FORMATS, make_recipe
from tests.test_parameters import WEBUI, png
from tests.ui.conftest import Studio, Visits, build_studio
from tests.work import until

pytestmark = pytest.mark.browser

PROGRESS, PREVIEW, RESULT = "#image-progress", "#image-preview img", "#image-result img"
SHEET, RECIPE = "#image-sheet .thumbnail-item", "#image-recipe textarea"
DROPPED = "#image-dropped"


def generate(page: Page, prompt: str = "a fox", steps: int = 10) -> None:
    page.fill("#image-prompt textarea", prompt)
    page.fill("#image-size input", "64x64")
    page.press("#image-size input", "Enter")
    page.fill("#image-steps input[type=number]", str(steps))
    page.press("#image-steps input[type=number]", "Tab")
    page.click("#image-generate")


def newest(studio: Studio, count: int = 1) -> list[Job]:
    return list(studio.engine._jobs.values())[-count:]


def seed_field(page: Page) -> Locator:
    return page.locator("#image-seed textarea, #image-seed input")


def seed_shown(page: Page) -> int:
    """The seed of the picture that the page offers to download."""
    with page.expect_download() as started:
        page.click("#image-download")
    with Image.open(started.value.path()) as image:
        recipe = read_recipe(image)
    assert recipe is not None
    return recipe.seed


# The preview.


def test_the_picture_is_seen_while_it_is_drawn(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    generate(page, steps=50)
    preview = page.locator(PREVIEW)
    expect(preview).to_be_visible()
    first = preview.get_attribute("src") or ""
    assert first.startswith("data:image/jpeg;base64,")
    expect(preview).not_to_have_attribute("src", first)
    expect(preview).to_have_attribute("alt", re.compile(r"after step \d+"))
    assert preview.evaluate("image => image.naturalWidth") > 0
    expect(page.locator("#image-result")).to_be_hidden()
    expect(page.locator(RECIPE)).to_be_visible()
    expect(page.locator(RESULT)).to_be_visible()
    expect(preview).to_be_hidden()


def test_a_cancelled_picture_gives_the_last_one_back(
    visits: Visits, slow_steps: list[float]
) -> None:
    page = visits.open()
    generate(page)
    expect(page.locator(RESULT)).to_be_visible()
    before = page.locator(RESULT).get_attribute("src") or ""
    generate(page, steps=50)
    expect(page.locator(PREVIEW)).to_be_visible()
    page.click("#image-cancel")
    expect(page.locator(PROGRESS)).to_contain_text("Cancelled.")
    expect(page.locator(PREVIEW)).to_be_hidden()
    expect(page.locator(RESULT)).to_have_attribute("src", before)


def test_shift_enter_draws_one_picture_at_a_time(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    before = len(newest(visits.studio, 1000))
    generate(page, steps=20)
    expect(page.locator(PROGRESS)).to_contain_text(" of 20")
    page.press("#image-prompt textarea", "Shift+Enter")  # Generate is disabled now
    expect(page.locator(RECIPE)).to_be_visible()
    expect(page.locator("#image-generate")).to_be_enabled()
    page.press("#image-prompt textarea", "Shift+Enter")
    expect(page.locator("#image-cancel")).to_be_visible()
    assert len(newest(visits.studio, 1000)) == before + 2


# The counter.


def test_words_and_tokens_are_counted_while_one_writes(visits: Visits) -> None:
    page = visits.open()
    count = page.locator("#image-prompt-count")
    expect(count).to_have_text("0 words")
    page.locator("#image-prompt textarea").press_sequentially("a red fox")
    expect(count).to_contain_text(re.compile(r"3 words · \d+ of 75 tokens"))
    page.fill("#image-prompt textarea", "zebra " * 80)
    expect(count).to_contain_text("Nothing is cut")
    page.get_by_role("button", name="Moon walk").click()
    expect(count).to_contain_text("9 words")
    expect(count).not_to_contain_text("Nothing is cut")


# More like this.


def test_more_like_this_fills_a_sheet_and_shows_what_is_chosen(visits: Visits) -> None:
    page = visits.open()
    generate(page)
    expect(page.locator(RECIPE)).to_be_visible()
    page.fill("#image-prompt textarea", "something else meanwhile")
    page.click("#image-more")
    expect(page.locator(SHEET)).to_have_count(5)
    like, *more = newest(visits.studio, 5)
    assert [job.request for job in more] == [like.request.model_copy(update={"seed": None})] * 4
    assert len({job.seed for job in (like, *more)}) == 5
    assert seed_shown(page) == like.seed
    page.locator(SHEET).nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.locator(RECIPE)).to_have_value(re.compile(f"Seed: {more[2].seed}\\b"))
    assert seed_shown(page) == more[2].seed
    page.wait_for_function(f"document.querySelector('{RESULT}').naturalWidth === 64")
    page.click("#keep-seed")
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    expect(seed_field(page)).to_have_value(str(more[2].seed))
    page.locator(SHEET).first.click()
    expect(page.locator(RECIPE)).to_have_value(re.compile(f"Seed: {like.seed}\\b"))
    generate(page)
    expect(page.locator(SHEET)).to_have_count(0)


def test_cancel_ends_all_of_them_and_keeps_what_is_done(
    visits: Visits, slow_steps: list[float]
) -> None:
    page = visits.open()
    generate(page, steps=25)
    expect(page.locator(RECIPE)).to_be_visible()
    page.click("#image-more")
    expect(page.locator(PROGRESS)).to_contain_text("Picture 1 of 4: step")
    expect(page.locator(PREVIEW)).to_be_visible()
    expect(page.locator("#image-more")).to_be_disabled()
    expect(page.locator(SHEET)).to_have_count(2)
    page.click("#image-cancel")
    expect(page.locator(PROGRESS)).to_contain_text("Cancelled.")
    states = [job.state for job in newest(visits.studio, 4)]
    assert states == [JobState.SUCCEEDED, *[JobState.CANCELLED] * 3]
    expect(page.locator(SHEET)).to_have_count(2)
    expect(page.locator("#image-more")).to_be_enabled()
    expect(page.locator("#image-cancel")).to_be_hidden()


@pytest.fixture
def small_queue(visits: Visits, make_settings: Callable[..., Settings]) -> Iterator[Visits]:
    """Visits to a service where two pictures may wait."""
    engine = Engine(make_settings(max_queue=2))
    with running(build_studio(engine)) as url:
        wait_until_ready(url)
        yield Visits(visits.chromium, Studio(url, engine), contexts=visits.contexts)


def test_what_a_full_queue_takes_comes_and_the_rest_is_told(
    small_queue: Visits, slow_steps: list[float]
) -> None:
    page = small_queue.open()
    generate(page)
    expect(page.locator(RECIPE)).to_be_visible()
    page.click("#image-more")
    alert = page.locator(f"{PROGRESS} [role=alert]")
    expect(alert).to_contain_text("The queue is full")
    taken = len(newest(small_queue.studio, 5)) - 1
    assert 0 < taken < 4
    expect(alert).to_contain_text(f"{taken} of 4 could be taken")
    expect(page.locator("#image-cancel")).to_be_hidden()
    expect(page.locator(SHEET)).to_have_count(1 + taken)


# A dropped picture.


def drop(page: Page, name: str, data: bytes) -> None:
    """Drop a file on the prompt, as from the desktop."""
    transfer = page.evaluate_handle(
        """([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""",
        [name, b64encode(data).decode()],
    )
    for event in ("dragover", "drop"):
        page.dispatch_event("#image-prompt textarea", event, {"dataTransfer": transfer})


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_dropped_picture_fills_the_form(visits: Visits, image_format: str) -> None:
    page = visits.open()
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    fields = {"prompt": "a <b>cat</b>", "width": 640, "height": 384, "num_inference_steps": 17}
    recipe = make_recipe(**fields, negative_prompt="rain", model="tiny")
    data = encode_image(draw_picture(640, 384), image_format, recipe)
    drop(page, f"cat.{image_format}", data)
    expect(page.locator(DROPPED)).to_contain_text(f"Loaded from cat.{image_format}.")
    expect(page.locator(DROPPED)).not_to_contain_text("Left out")
    expect(page.locator("#image-prompt textarea")).to_have_value("a <b>cat</b>")
    expect(page.locator("#image-size input")).to_have_value("640 × 384")
    expect(page.locator("#image-steps input[type=number]")).to_have_value("17")
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    expect(seed_field(page)).to_have_value("42")
    expect(page.get_by_label(image_format.upper(), exact=True)).to_be_checked()
    if image_format != "jpeg":
        assert max(sent) < len(data) / 2  # the pixels stayed in the browser


def test_a_chosen_picture_of_another_interface_tells_what_it_left_out(
    visits: Visits, tmp_path: Path
) -> None:
    page = visits.open()
    path = tmp_path / "other <i>.png"
    path.write_bytes(png(parameters=WEBUI.replace("Steps: 20", "Steps: 150")))
    chooser = page.get_by_label("Drop a picture to load its settings")
    chooser.focus()
    chooser.set_input_files(path)
    said = page.locator(DROPPED)
    expect(said).to_contain_text("Loaded from other <i>.png.")
    expect(said).to_contain_text("Steps: must be less than or equal to 50")
    expect(said).to_contain_text("Not used here: Sampler, Schedule type, Model hash")
    expect(said).to_contain_text("drawn by v1-5-pruned")
    expect(page.locator("#image-size input")).to_have_value("512 × 768")
    expect(page.locator("#image-steps input[type=number]")).to_have_value("25")


@pytest.mark.parametrize("data", [b"", b"hello", png()], ids=["nothing", "text", "bare"])
def test_a_file_that_says_nothing_changes_nothing(visits: Visits, data: bytes) -> None:
    page = visits.open()
    page.fill("#image-prompt textarea", "a fox")
    drop(page, "holiday.png", data)
    expect(page.locator(f"{DROPPED} [role=alert]")).to_contain_text("does not say how")
    expect(page.locator("#image-prompt textarea")).to_have_value("a fox")


def test_what_the_page_made_can_be_dropped_on_it(visits: Visits) -> None:
    page = visits.open()
    generate(page, "a fox in boots")
    expect(page.locator(RECIPE)).to_be_visible()
    (job,) = newest(visits.studio)
    page.fill("#image-prompt textarea", "")
    drop(page, "image.png", job.result().path.read_bytes())
    expect(page.locator(DROPPED)).to_contain_text("Generate draws this picture again.")
    page.click("#image-generate")
    until(lambda: newest(visits.studio)[0] is not job)
    again = newest(visits.studio)[0]
    assert again.wait(30)
    with Image.open(job.result().path) as one, Image.open(again.result().path) as two:
        assert one.tobytes() == two.tobytes()


def test_on_a_phone_the_sheet_and_the_drop_zone_fit(visits: Visits) -> None:
    page = visits.open(width=390, height=844)
    generate(page)
    expect(page.locator(RECIPE)).to_be_visible()
    page.click("#image-more")
    expect(page.locator(SHEET)).to_have_count(5)
    drop(page, "x.png", png(parameters=WEBUI.replace("Steps: 20", "Steps: 150")))
    expect(page.locator(DROPPED)).to_contain_text("Left out")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
