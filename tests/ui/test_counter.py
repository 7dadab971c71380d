"""What the counter under a text says."""

import pytest

from engine import Engine, ImageRequest
from engine.prompts import PromptLength
from ui.counter import HERO_TIP, counter_html


@pytest.mark.parametrize(("text", "words"), [("", 0), ("  a\nred  fox ", 3), ("fox", 1)])
def test_words_are_counted(text: str, words: int) -> None:
    assert f"{words} word{'s' * (words != 1)}<" in counter_html(text, None)


def test_tokens_are_told_with_the_window_once_there_is_a_model() -> None:
    assert "3 words · 5 of 75 tokens" in counter_html("a red fox", PromptLength(5, 75))
    assert "token" not in counter_html("a red fox", None)


def test_a_warning_comes_with_the_first_token_too_many() -> None:
    assert "Nothing is cut" not in counter_html("a", PromptLength(75, 75))
    html = counter_html("a", PromptLength(76, 75))
    assert "76 tokens" in html and "More than the 75" in html and "Nothing is cut" in html


def test_where_prompts_are_cut_that_is_told() -> None:
    html = counter_html("a", PromptLength(76, 75, cuts=True))
    assert "More than the 75" in html and "not drawn" in html and "Nothing is cut" not in html


def test_a_tip_may_follow() -> None:
    assert HERO_TIP in counter_html("", None, tip=HERO_TIP)


def test_the_engine_counts_once_it_has_a_model(engine: Engine) -> None:
    job = engine.submit(ImageRequest(prompt="a", width=64, height=64, num_inference_steps=10))
    assert job.wait(60)
    length = engine.prompt_length("a red fox")
    assert length is not None and 0 < length.tokens < length.window
