"""What the gallery says of a piece, and what it hands on of its settings."""

import gradio as gr
import pytest

from engine import Engine, VideoRequest
from engine.snapshots import VideoResult
from tests.conftest import EngineFactory
from tests.stub_sampler import open_production
from tests.work import SMALL, image, story
from ui import gallery_tab
from ui.gallery_piece import age_words, facts_html, recipe_text
from ui.image_form import image_request


@pytest.fixture
def studio(make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that really writes pictures and videos."""
    monkeypatch.setattr(Engine, "_open_drawer", open_production())
    return make_engine()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3.0, "just now"),
        (59.9, "just now"),
        (60.0, "1 minute ago"),
        (7199.0, "1 hour ago"),
        (7200.0, "2 hours ago"),
        (90_000.0, "1 day ago"),
        (30 * 86_400.0, "30 days ago"),
    ],
)
def test_ages_in_words(seconds: float, words: str) -> None:
    assert age_words(seconds) == words


def test_a_story_without_a_hero_is_told_by_its_scenes(studio: Engine) -> None:
    job = studio.submit(VideoRequest(scenes=["at the gate <", "in the cave"], **SMALL))
    assert job.wait(60)
    result = job.result()
    assert isinstance(result, VideoResult)
    assert recipe_text(job, result) == "1. at the gate <\n2. in the cave"
    assert "Made just now" in facts_html(job, result)
    (record,) = studio.gallery.newest()
    assert gallery_tab.caption(record) == "▶ 6.5 s · at the gate <"


def test_a_long_prompt_is_cut_at_a_word(studio: Engine) -> None:
    assert studio.submit(image("a red fox\n in the snow, " * 20)).wait(60)
    (record,) = studio.gallery.newest()
    told = gallery_tab.caption(record)
    assert told.startswith("a red fox in the snow, a red") and told.endswith("…")
    assert len(told) <= 60


def test_a_picture_is_used_again_with_the_seed_that_was_drawn(studio: Engine) -> None:
    job = studio.submit(image("a fox", negative_prompt="rain", format="webp"))
    assert job.wait(60)
    *values, told, tabs = gallery_tab._reuse(studio, 7, job.id)
    assert image_request(*values) == job.request.model_copy(update={"seed": job.seed})
    assert (told, tabs.selected) == (gr.skip(), "image")


def test_a_story_is_used_again_by_its_id(studio: Engine) -> None:
    job = studio.submit(story(3, hero_description="a fox", transition="wipe"))
    assert job.wait(60)
    *kept, told, tabs = gallery_tab._reuse(studio, 7, job.id)
    assert (kept, told, tabs.selected) == ([gr.skip()] * 7, job.id, "story")


def test_what_is_not_one_s_own_is_not_used_again(studio: Engine) -> None:
    job = studio.submit(image(), owner="somebody")
    with pytest.raises(gr.Error, match="no job"):
        gallery_tab._reuse(studio, 7, job.id)
