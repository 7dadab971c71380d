"""A tab that comes back, in headless Chromium: after a refresh, in a new tab, beside others."""

import re

import pytest
from playwright.sync_api import Page, expect

from engine import JobState
from tests.ui.conftest import Studio, Visits
from tests.ui.test_image_tab import (
    PREVIEW,
    PROGRESS,
    RECIPE,
    SHEET,
    generate,
    newest,
    seed_shown,
)

pytestmark = pytest.mark.browser


def open_tab(page: Page, studio: Studio) -> Page:
    """Another tab of the same browser."""
    other = page.context.new_page()
    other.goto(studio.page_url)
    other.wait_for_selector(".masthead .pill")
    return other


def wait_for_what_may_come(page: Page) -> None:
    """Longer than a tab takes to find what another one left."""
    page.wait_for_timeout(1000)


def test_a_refresh_goes_on_with_a_running_job(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    generate(page, "a fox in boots", steps=50)
    expect(page.locator(PREVIEW)).to_be_visible()
    page.reload()
    expect(page.locator(PROGRESS)).to_contain_text(" of 50")
    expect(page.locator(PREVIEW)).to_be_visible()
    expect(page.locator("#image-generate")).to_be_disabled()
    expect(page.locator("#image-prompt textarea")).to_have_value("a fox in boots")
    page.click("#image-cancel")
    expect(page.locator(PROGRESS)).to_contain_text("Cancelled.")
    assert newest(visits.studio)[0].state is JobState.CANCELLED
    page.reload()
    wait_for_what_may_come(page)
    expect(page.locator(PROGRESS)).to_have_text("")
    expect(page.locator("#image-generate")).to_be_enabled()


def test_what_was_written_outlives_a_refresh(visits: Visits) -> None:
    page = visits.open()
    page.fill("#image-prompt textarea", "a hare that nobody has drawn yet")
    page.fill("#image-size input", "256 × 512")
    page.press("#image-size input", "Enter")
    page.wait_for_function("sessionStorage['storyreel-image-form']?.includes('256 × 512')")
    page.reload()
    expect(page.locator("#image-prompt textarea")).to_have_value("a hare that nobody has drawn yet")
    expect(page.locator("#image-size input")).to_have_value("256 × 512")


def test_a_closed_tab_finds_its_picture_in_a_new_one(visits: Visits) -> None:
    page = visits.open()
    generate(page, "a fox in boots")
    expect(page.locator(RECIPE)).to_be_visible()
    (job,) = newest(visits.studio)
    keeper = page.context.new_page()  # so that the browser stays open
    page.close()
    again = open_tab(keeper, visits.studio)
    expect(again.locator(RECIPE)).to_have_value(re.compile(f"Seed: {job.seed}\\b"))
    assert seed_shown(again) == job.seed
    again.click("#image-more")
    expect(again.locator(SHEET)).to_have_count(5)
    again.reload()
    expect(again.locator(SHEET)).to_have_count(5)
    assert seed_shown(again) == job.seed


def test_without_locks_tabs_ask_each_other(visits: Visits) -> None:
    first = visits.open()
    first.context.add_init_script("delete Navigator.prototype.locks")  # as over plain http
    first.reload()
    generate(first)
    expect(first.locator(RECIPE)).to_be_visible()
    second = open_tab(first, visits.studio)
    wait_for_what_may_come(second)
    expect(second.locator(RECIPE)).to_be_hidden()
    second.close()
    keeper = first.context.new_page()
    first.close()
    expect(open_tab(keeper, visits.studio).locator(RECIPE)).to_be_visible()


def test_a_sheet_goes_on_after_a_refresh(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    generate(page, steps=20)
    expect(page.locator(RECIPE)).to_be_visible()
    page.click("#image-more")
    expect(page.locator(SHEET)).to_have_count(2)
    page.reload()
    expect(page.locator(PROGRESS)).to_contain_text(re.compile("Picture [234] of 4"))
    expect(page.locator(SHEET)).to_have_count(5)
    expect(page.locator("#image-cancel")).to_be_hidden()


def test_two_tabs_of_one_visitor_keep_to_their_own(visits: Visits, slow_steps: list[float]) -> None:
    first = visits.open()
    generate(first, "a fox", steps=50)
    expect(first.locator(PROGRESS)).to_contain_text(" of 50")
    second = open_tab(first, visits.studio)
    wait_for_what_may_come(second)
    assert second.input_value("#image-prompt textarea") == ""
    assert second.is_enabled("#image-generate")
    generate(second, "a hare", steps=40)
    expect(second.locator("#image-cancel")).to_be_visible()
    fox, hare = newest(visits.studio, 2)
    first.reload()
    expect(first.locator("#image-prompt textarea")).to_have_value("a fox")
    second.reload()
    expect(second.locator("#image-prompt textarea")).to_have_value("a hare")
    for page, job in ((first, fox), (second, hare)):
        expect(page.locator(RECIPE)).to_have_value(re.compile(f"Seed: {job.seed}\\b"))


def test_who_shows_somebody_else_s_id_sees_nothing(visits: Visits, slow_steps: list[float]) -> None:
    page = visits.open()
    generate(page, steps=40)
    expect(page.locator("#image-cancel")).to_be_visible()
    (job,) = newest(visits.studio)
    stranger = visits.open()
    stranger.evaluate("id => sessionStorage.setItem('storyreel-image', id)", job.id)
    stranger.reload()
    stranger.wait_for_selector(".masthead .pill")
    wait_for_what_may_come(stranger)
    assert stranger.inner_text(PROGRESS) == ""
    assert stranger.is_enabled("#image-generate")
    assert stranger.input_value("#image-prompt textarea") == ""
    assert job.wait(30) and job.state is JobState.SUCCEEDED


def test_junk_in_the_browser_s_storage_harms_nothing(visits: Visits) -> None:
    page = visits.open()
    page.evaluate("sessionStorage.setItem('storyreel-image', '../../x <b> ' + 'f'.repeat(32))")
    page.reload()
    page.wait_for_selector(".masthead .pill")
    wait_for_what_may_come(page)
    generate(page)
    expect(page.locator(RECIPE)).to_be_visible()
