"""Behind a key: the form in headless Chromium, and the page whole once the key was shown."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app import create_app
from engine import Engine, JobState, Settings
from tests.server import in_a_loop, running, wait_until_ready
from tests.ui.conftest import SCREENSHOTS, Studio

pytestmark = pytest.mark.browser

ALICE, BOB = "alice-key-1234", "bob-key-567890"
SMALL = {"width": 64, "height": 64, "num_inference_steps": 10}
WIDTHS = (1280, 390)
COOKIE = "storyreel_session"
Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def locked(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The real app with two keys, its model loaded."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = {"model": str(tiny_model), "data_dir": data_dir, "dtype": "float32"}
    app = in_a_loop(
        lambda: create_app(Settings.model_validate({**settings, "api_key": [ALICE, BOB]}))
    )
    with running(app) as url:
        wait_until_ready(url)
        yield Studio(url, app.state.engine)


@pytest.fixture
def browser(chromium: Browser, locked: Studio) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browsers, each with cookies of its own, that ask no other host for anything."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((locked.url, "data:", "blob:")):
            foreign.append(url)

    def open_browser(width: int = 1280, scheme: str = "light") -> BrowserContext:
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.set_default_timeout(20_000)
        context.on("request", lambda request: note(request.url))
        contexts.append(context)
        return context

    yield open_browser
    for context in contexts:
        context.close()
    assert foreign == []


@pytest.fixture
def enter(browser: Callable[..., BrowserContext], locked: Studio) -> Enter:
    """Come in with a key as a new browser, and wait until the page can be used."""

    def come_in(key: str = ALICE, **look: object) -> Page:
        page = browser(**look).new_page()
        page.goto(locked.page_url)
        show_key(page, key)
        page.wait_for_selector("#image-prompt textarea")
        page.wait_for_selector(".masthead .pill")
        return page

    return come_in


def show_key(page: Page, key: str) -> None:
    page.get_by_label("This service needs a key").fill(key)
    page.get_by_role("button", name="Come in").click()


def choose_size(page: Page, tab: str) -> None:
    field = page.locator(f"#{tab}-size input")
    if not field.is_visible():
        page.get_by_role("button", name="More settings").locator("visible=true").click()
    field.fill("64x64")
    field.press("Enter")


def newest(engine: Engine):
    return next(reversed(engine._jobs.values()))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_form_for_eyes(
    browser: Callable[..., BrowserContext], locked: Studio, width: int, scheme: str
) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page = browser(width, scheme).new_page()
    page.goto(locked.page_url)
    expect(page.get_by_label("This service needs a key")).to_be_focused()
    page.screenshot(path=SCREENSHOTS / f"login-{width}-{scheme}.png")
    show_key(page, "not-a-key-of-this")
    expect(page.get_by_role("alert")).to_contain_text("does not open this service")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=SCREENSHOTS / f"login-wrong-{width}-{scheme}.png")
    show_key(page, ALICE)
    page.wait_for_selector(".masthead .pill")
    assert page.url == locked.page_url
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=SCREENSHOTS / f"login-in-{width}-{scheme}.png")


def test_the_form_has_the_colours_of_the_page(enter: Enter, locked: Studio) -> None:
    for scheme in ("light", "dark"):
        page = enter(scheme=scheme)
        of_page = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == of_page


def test_a_picture_is_drawn_behind_the_key(
    enter: Enter, locked: Studio, slow_steps: list[float]
) -> None:
    page = enter()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if not answer.ok else None)
    page.fill("#image-prompt textarea", "a fox")
    choose_size(page, "image")
    page.click("#image-generate")
    expect(page.locator("#image-progress")).to_contain_text(" of 25")
    expect(page.locator("#image-recipe textarea")).to_be_visible()
    with page.expect_download() as started:
        page.click("#image-download")
    assert Path(started.value.path()).read_bytes().startswith(b"\x89PNG")
    source = page.locator("#image-result img").get_attribute("src")
    assert page.request.get(source or "").status == 200
    assert str(newest(locked.engine).owner).startswith("key-")
    assert [url for url in refused if not url.endswith("favicon.ico")] == []


def test_a_story_plays_behind_the_key(enter: Enter, locked: Studio) -> None:
    page = enter()
    page.get_by_role("tab", name="Video story").click()
    page.get_by_role("button", name="The old wizard").click()
    choose_size(page, "story")
    page.click("#story-generate")
    video = page.locator("#story-result video")
    expect(video).to_be_visible(timeout=60_000)
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function("document.querySelector('#story-result video').currentTime > 0.2")
    assert video.evaluate("video => video.duration") == pytest.approx(10, abs=0.1)


def test_a_job_is_cancelled_behind_the_key(
    enter: Enter, locked: Studio, slow_steps: list[float]
) -> None:
    page = enter()
    page.fill("#image-prompt textarea", "a fox")
    choose_size(page, "image")
    page.click("#image-generate")
    expect(page.locator("#image-progress")).to_contain_text(" of 25")
    page.click("#image-cancel")
    assert newest(locked.engine).wait(30)
    assert newest(locked.engine).state is JobState.CANCELLED
    expect(page.locator("#image-progress")).to_contain_text("Cancelled.")


def test_the_event_stream_needs_only_the_session(enter: Enter, locked: Studio) -> None:
    page = enter()
    kinds = page.evaluate(
        """async (body) => {
          const made = await fetch("/jobs/image", {method: "POST", body: JSON.stringify(body),
            headers: {"Content-Type": "application/json"}});
          const job = await made.json();
          return await new Promise((resolve) => {
            const kinds = [], source = new EventSource(job.links.events);
            source.addEventListener("progress", () => kinds.push("progress"));
            source.addEventListener("end", () => { source.close(); resolve([...kinds, "end"]); });
          });
        }""",
        {"prompt": "a fox", **SMALL},
    )
    assert kinds[0] == "progress" and kinds[-1] == "end"


def test_logging_out_shuts_the_door(enter: Enter, locked: Studio) -> None:
    page = enter()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    assert page.context.cookies() == []
    page.goto(locked.page_url)
    expect(page.get_by_label("This service needs a key")).to_be_visible()
    assert page.request.get(f"{locked.url}/jobs").status == 401


@pytest.mark.parametrize("spoil", [lambda v: v[:-1], lambda v: v + "x", lambda v: "x" + v[1:]])
def test_a_changed_session_shuts_the_door(
    enter: Enter, locked: Studio, spoil: Callable[[str], str]
) -> None:
    page = enter()
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.context.add_cookies([{**cookie, "value": spoil(cookie["value"])}])  # type: ignore[list-item]
    assert page.request.get(f"{locked.url}/ui/config").status == 401
    page.reload()
    expect(page.get_by_label("This service needs a key")).to_be_visible()


def test_another_key_sees_nothing_of_the_first_one_s(enter: Enter, locked: Studio) -> None:
    alice, bob = enter(ALICE), enter(BOB)
    made = alice.request.post(f"{locked.url}/jobs/image", data={"prompt": "a fox", **SMALL})
    job = locked.engine._jobs[made.json()["id"]]
    assert job.wait(60)
    path = job.result().path
    for link in (f"/jobs/{job.id}", f"/jobs/{job.id}/result", f"/ui/gradio_api/file={path}"):
        assert alice.request.get(locked.url + link).status == 200
        assert bob.request.get(locked.url + link).status == 404
    assert bob.request.delete(f"{locked.url}/jobs/{job.id}").status == 404
    assert bob.request.get(f"{locked.url}/jobs").json()["jobs"] == []


@pytest.mark.parametrize("headers", [{"X-API-Key": BOB}, {"Authorization": f"Bearer {BOB}"}])
def test_a_script_shows_its_key_in_a_header(locked: Studio, headers: dict[str, str]) -> None:
    client = Client(locked.page_url, headers=headers, verbose=False)
    path, made = client.predict("a fox", seed=3, **SMALL, api_name="/generate_image")
    client.close()
    assert (Path(path).read_bytes()[:4], made["seed"]) == (b"\x89PNG", 3)
    mine = httpx.get(f"{locked.url}/jobs", headers=headers).json()["jobs"]
    assert mine[0]["id"] == newest(locked.engine).id


def test_a_script_without_a_key_is_refused(locked: Studio) -> None:
    with pytest.raises(Exception, match=r"401|Unauthorized|Could not"):
        Client(locked.page_url, verbose=False)
